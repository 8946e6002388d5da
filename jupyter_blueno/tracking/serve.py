"""MLflow's server in one process: ``python -P serve.py SOCKET STORE ARTIFACTS``.

Its own command imports MLflow twice, in a parent and in a worker, and starts
workers for jobs of its own beside them.
"""

from __future__ import annotations

import fcntl
import os
import sys


def main(socket: str, store: str, artifacts: str) -> None:
    """Serve until a signal comes."""
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import server

    # Not public, but the only way in: MLflow's own command sets these for its worker.
    variables = vars(server)

    os.environ[variables["BACKEND_STORE_URI_ENV_VAR"]] = store
    os.environ[variables["ARTIFACT_ROOT_ENV_VAR"]] = artifacts
    os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"  # what it says of itself
    import uvicorn
    from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    # Tables are made before the first request, and not while a job makes them.
    with open(os.path.join(os.path.dirname(artifacts), "store.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        initialize_backend_stores(store, None, artifacts)
    uvicorn.run(app, uds=socket, log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
