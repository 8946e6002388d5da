"""What is logged to MLflow is a metric of the job too; MLflow gets it as before."""

from __future__ import annotations

from jupyter_blueno.jobs.inside import metrics
from jupyter_blueno.jobs.inside.listeners import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_last: dict[str, float] = {}


def follow(module: Any) -> None:
    after(module.MlflowClient, "log_metric", "mlflow", _one)
    after(module.MlflowClient, "log_batch", "mlflow", _batch)


def _one(client: Any, run_id: str, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
    step = kwargs.get("step", args[1] if len(args) > 1 else None)
    _tell(key, value, step)


def _batch(client: Any, run_id: str, metrics: Any = (), *args: Any, **kwargs: Any) -> None:
    for metric in metrics:
        _tell(metric.key, metric.value, metric.step)


def _tell(name: str, value: Any, step: Any) -> None:
    """MLflow's step is 0 where none was given: then steps are counted here."""
    counted = not step and name in _last
    metrics.log_found("mlflow", {name: value}, None if counted else step or 0)
    _last[name] = step or 0
