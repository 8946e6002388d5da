"""What a job may ask of the service, with its own token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_blueno.api.jobs import LaunchJobs
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import User
from jupyter_blueno.errors import NotAllowed
from jupyter_blueno.hub.teams import Teams
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.model import TERMINAL

# It works with the data of its team in its owner's name; of jobs it sees itself and its parts.
DATA = {"datasets", "images", "data", "ingests", "uploads", "status", "models", "mlflow"}
KEPT_FROM_JOBS = {"delete_dataset", "remove_sample", "delete_column"}
OF_JOBS = {
    "launch_jobs",
    "get_job",
    "cancel_job",
    "get_sweep",
    "list_trials",
    "begin_trial",
    "settle_trial",
    "get_flow",
    "list_flow_parts",
    "advance_flow",
}
ABOUT = ("job_id", "sweep_id", "flow_id", "parent")  # fields that name a job


@dataclass(frozen=True)
class AsJob:
    """A running job that asks."""

    id: str
    user: User


def asking(teams: Teams, job_id: str) -> AsJob | None:
    """The job, unless it is over."""
    with teams.database.of_everybody.begin() as connection:
        row = store.row(connection, job_id)
    if row is None or row.deleted_at is not None or row.state in TERMINAL:
        return None
    return AsJob(job_id, User(row.owner, row.team, (row.team,)))


def check(teams: Teams, job: AsJob, operation: Operation[Any, Any], ask: Any) -> None:
    """Refuse what is not the job's business.

    Raises
    ------
    NotAllowed
        ``not_for_jobs``
    """
    if operation.resource in DATA and operation.name not in KEPT_FROM_JOBS:
        return
    if operation.name in OF_JOBS and _of_its_own(teams, job, ask):
        return
    raise NotAllowed(
        f"A job may not do this ({operation.name}): it works with data, and knows of other jobs only its own "
        "parts. Do it from a notebook.",
        code="not_for_jobs",
    )


def _of_its_own(teams: Teams, job: AsJob, ask: Any) -> bool:
    if isinstance(ask, LaunchJobs):
        return all(one.parent == job.id for one in ask.jobs)
    named = next((value for name in ABOUT if (value := getattr(ask, name, None))), None)
    if named is None or named == job.id:
        return named == job.id
    with teams.database.of(job.user.team).begin() as connection:
        row = store.row(connection, named)
    return row is not None and row.parent == job.id
