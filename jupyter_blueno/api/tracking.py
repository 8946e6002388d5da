"""Operations on tracking: MLflow beside Jupyter."""

from __future__ import annotations

from typing import Literal

import msgspec

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobRef, get_job
from jupyter_blueno.api.operation import Nothing, operation
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Job


class Tracking(msgspec.Struct, frozen=True):
    """How MLflow's server stands.

    `path` is its page, below the Jupyter server's base URL; `store` the database
    of runs and models, or beside a hub its address, as MLflow's `set_tracking_uri`
    takes it. `trouble` says why
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
    store = mlflow.store_uri(context.config)
    return Tracking(mlflow.installed(server), server.state, "/blueno/mlflow/", store, server.trouble)


class Run(msgspec.Struct, frozen=True):
    """A job as a run: `path` is its place in MLflow's page, None while the job waits for its turn."""

    run_id: str | None = None
    path: str | None = None


@operation("POST", "/jobs/{job_id}/run", resource="mlflow", action="execute")
def bring_run(context: Context, ask: JobRef) -> Run:
    """Start MLflow if it does not run, and bring the run of a job up to date."""
    from jupyter_blueno.tracking import mlflow

    platform = context.platform
    mlflow.check_installed(platform.mlflow)
    job_id = platform.jobs.get(context.user, ask.job_id).id
    mirror = platform.mirror
    platform.mlflow.ready()
    link = mirror.bring(job_id)
    if link is None:
        return Run()
    return Run(link.run_id, f"#/experiments/{link.experiment_id}/runs/{link.run_id}")


class OpenBoard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids or names of jobs."""

    jobs: list[str]


class OpenedBoard(msgspec.Struct, frozen=True):
    """`path` is its page, below the Jupyter server's base URL."""

    path: str


@operation("POST", "/tensorboards", resource="jobs", action="execute", local=True)
def open_tensorboard(context: Context, ask: OpenBoard) -> OpenedBoard:
    """Start TensorBoard on some jobs, where it does not run yet; it ends when nobody looks at it."""
    from jupyter_blueno.tracking.boards import MOST

    if not 0 < len(ask.jobs) <= MOST:
        raise InvalidInput(f"TensorBoard takes 1 to {MOST} jobs; choose some.", code="tensorboard_jobs")

    def look(ref: str) -> Job:
        return context.ask(get_job, JobRef(ref))

    key = context.platform.boards.open(context.user, [look(ref) for ref in ask.jobs], look)
    return OpenedBoard(f"/blueno/tensorboard/{key}/")
