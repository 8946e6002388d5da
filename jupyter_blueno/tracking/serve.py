"""MLflow's server in one process: ``python -P serve.py SOCKET STORE ARTIFACTS``.

Its own command imports MLflow twice, in a parent and in a worker, and starts
workers for jobs of its own beside them.
"""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Any, NoReturn

# Not public: what MLflow's own command sets for its worker.
STORE, ROOT = "BACKEND_STORE_URI_ENV_VAR", "ARTIFACT_ROOT_ENV_VAR"


def main(socket: str, store: str, artifacts: str) -> None:
    """Serve until a signal comes."""
    try:
        import uvicorn

        app = application(store, artifacts)
    except (KeyError, ImportError) as error:
        print(f"This MLflow has no {error}; its own command serves, which takes longer.", file=sys.stderr)
        _by_command(socket, store, artifacts)
    uvicorn.run(app, uds=socket, log_level="warning")


def application(store: str, artifacts: str) -> Any:
    """What MLflow's command serves, with its tables made; `KeyError` or `ImportError` if it has changed."""
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import server

    variables = vars(server)
    os.environ[variables[STORE]] = store
    os.environ[variables[ROOT]] = artifacts
    os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"  # what it says of itself
    from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    # Tables are made before the first request, and not while a job makes them.
    with open(os.path.join(os.path.dirname(artifacts), "store.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        initialize_backend_stores(store, None, artifacts)
    return app


def _by_command(socket: str, store: str, artifacts: str) -> NoReturn:
    """Become MLflow's own command: it is public, and two processes more."""
    sys.stderr.flush()
    command = [sys.executable, "-P", "-W", "ignore", "-m", "mlflow", "server", "--workers", "1"]
    places = ["--backend-store-uri", store, "--default-artifact-root", artifacts]
    os.execv(sys.executable, [*command, *places, "--uvicorn-opts", f"--uds {socket} --log-level warning"])


if __name__ == "__main__":
    main(*sys.argv[1:])
