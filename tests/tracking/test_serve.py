"""MLflow's server, where names that are not public are no longer there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_blueno.tracking.companion import Companion
from jupyter_blueno.tracking.mlflow import SERVE, database

WITHOUT = """
import runpy, sys
from mlflow import server
del server.BACKEND_STORE_URI_ENV_VAR
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_its_own_command_serves_then(tmp_path: Path) -> None:
    pytest.importorskip("mlflow.version")
    folder = tmp_path / "mlflow"
    store, artifacts = database(tmp_path), str(folder / "artifacts")

    def command(socket: str) -> list[str]:
        return [sys.executable, "-W", "ignore", "-c", WITHOUT, str(SERVE), socket, store, artifacts]

    served = Companion("MLflow", folder, command, health="/health")
    served.ready()
    assert "its own command serves" in (folder / "log").read_text()
    assert served.state == "running"
    served.close()
