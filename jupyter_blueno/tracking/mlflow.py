"""MLflow's server and where it keeps what it knows.

Its database is an SQLite file in the data folder: a job logs to it although no
server runs, not even PostgreSQL, and no password has to reach the job.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_blueno.errors import MissingDependency
from jupyter_blueno.tracking.companion import Companion

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

PAGES = "/blueno/mlflow"  # below the address of a Jupyter server, or of a hub's service
FOLDER = "mlflow"  # of the data folder; `jobs/inside/listeners/mlflow.py` knows it, too
SERVE = Path(__file__).with_name("serve.py")


def store_uri(config: Config) -> str:
    """Where runs and models are, as MLflow takes it: the database; beside a hub the service's address."""
    if config.service_url:
        return config.service_url.rstrip("/") + PAGES
    return database(config.home_path)


def database(home: Path) -> str:
    """The database of a data folder; one process at a time opens it beside a hub."""
    return f"sqlite:///{home / FOLDER / 'mlflow.db'}"


def installed(server: Companion | None = None) -> bool:
    """Whether there is an MLflow: here, or where its server runs."""
    return (server is not None and server.elsewhere) or importlib.util.find_spec("mlflow") is not None


def check_installed(server: Companion | None = None) -> None:
    """Raise `MissingDependency` where the server's Python has no MLflow."""
    if not installed(server):
        raise MissingDependency(
            "MLflow is not installed where Blueno runs; run pip install 'jupyter-blueno[tracking]' there.",
            code="mlflow_missing",
        )


def server(config: Config) -> Companion:
    """The server of a data folder; nothing is started yet."""
    home = config.home_path
    folder = home / FOLDER

    def command(socket: str) -> list[str]:
        check_installed()
        python = [sys.executable, "-P", "-W", "ignore"]  # -P: `import mlflow` is not this file
        return [*python, str(SERVE), socket, database(home), str(folder / "artifacts")]

    return Companion("MLflow", folder, command, health="/health")
