"""Operations on tracking: MLflow beside Jupyter."""

from __future__ import annotations

from typing import Literal

import msgspec

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation


class Tracking(msgspec.Struct, frozen=True):
    """How MLflow's server stands.

    `path` is its page, below the Jupyter server's base URL; `store` the database
    of runs and models, as MLflow's `set_tracking_uri` takes it. `trouble` says why
    it did not start.
    """

    installed: bool
    state: Literal["stopped", "starting", "running", "failed"]
    path: str
    store: str
    trouble: str | None = None


@operation("GET", "/mlflow", resource="mlflow", action="read")
def get_tracking(context: Context, ask: Nothing) -> Tracking:
    """Whether MLflow is installed and runs."""
    from jupyter_blueno.tracking import mlflow

    server = context.platform.mlflow
    store = mlflow.store_uri(context.config.home_path)
    return Tracking(mlflow.installed(), server.state, "/blueno/mlflow/", store, server.trouble)
