"""The tables of sweeps and trials: their SQL, and rows as structs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.database.revisions import current_revision, next_revision
from jupyter_blueno.database.tables import job, sweep, trial
from jupyter_blueno.jobs.model import TERMINAL, Value
from jupyter_blueno.sweeps.model import Plan, Trial, TrialState, Verdict

OPEN = "open"  # not settled yet
_conductor = sa.alias(job)
_GOES_ON = (  # somebody conducts the sweep
    sa.exists()
    .where(
        sweep.c.id == trial.c.sweep_id,
        _conductor.c.id == sa.any_(sweep.c.jobs),
        _conductor.c.state.not_in(TERMINAL),
        _conductor.c.desired != "cancel",
    )
    .correlate(trial)
)
_CHANGED = sa.func.greatest(trial.c.revision, job.c.revision)
_TRIALS = (
    sa.select(
        trial,
        _CHANGED.label("changed"),
        job.c.state.label("job_state"),
        _GOES_ON.label("goes_on"),
        job.c.reason.label("job_reason"),
        job.c.metrics,
        job.c.started_at,
        job.c.finished_at,
    )
    .select_from(trial.outerjoin(job, job.c.id == trial.c.job_id))
    .order_by(trial.c.number)
)


def insert(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Add a sweep; one that is there already stays as it is."""
    connection.execute(postgres_insert(sweep).values(**values).on_conflict_do_nothing(index_elements=["id"]))


def row(connection: sa.Connection, sweep_id: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(sweep).where(sweep.c.id == sweep_id)).one_or_none()


def of_job(connection: sa.Connection, team: str, job_id: str) -> sa.Row[Any] | None:
    """The sweep that a job conducted."""
    conducted = sa.literal(job_id) == sa.any_(sweep.c.jobs)
    return connection.execute(sa.select(sweep).where(conducted, sweep.c.team == team)).one_or_none()


def locked(connection: sa.Connection, sweep_id: str) -> sa.Row[Any]:
    """A sweep that nobody else changes until this transaction ends."""
    return connection.execute(sa.select(sweep).where(sweep.c.id == sweep_id).with_for_update()).one()


def update(connection: sa.Connection, sweep_id: str, plan: Plan, jobs: Sequence[str]) -> None:
    values = {"plan": msgspec.to_builtins(plan), "jobs": list(jobs)}
    connection.execute(sa.update(sweep).where(sweep.c.id == sweep_id).values(**values))


def delete(connection: sa.Connection, sweep_id: str) -> None:
    """Remove a sweep and its trials."""
    connection.execute(sa.delete(sweep).where(sweep.c.id == sweep_id))


def listed(connection: sa.Connection, jobs: Sequence[str]) -> list[str]:
    """Those of these jobs that are not deleted, oldest first."""
    left = sa.select(job.c.id).where(job.c.id.in_(jobs), job.c.deleted_at.is_(None))
    return list(connection.scalars(left.order_by(job.c.created_at)))


def begin_trial(
    connection: sa.Connection, sweep_id: str, number: int, job_id: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Add a trial, or find it: the parameters that it has."""
    values = {"sweep_id": sweep_id, "number": number, "job_id": job_id, "parameters": parameters}
    values["revision"] = next_revision(connection)
    connection.execute(postgres_insert(trial).values(**values).on_conflict_do_nothing())
    statement = sa.select(trial.c.parameters).where(trial.c.sweep_id == sweep_id, trial.c.number == number)
    found: dict[str, Any] = connection.scalar(statement) or {}
    return found


def settle(connection: sa.Connection, sweep_id: str, number: int, verdict: Verdict, **values: Any) -> bool:
    """Say how a trial ended; False if that was said before."""
    is_open = sa.and_(trial.c.sweep_id == sweep_id, trial.c.number == number, trial.c.state == OPEN)
    if connection.execute(sa.select(trial.c.number).where(is_open).with_for_update()).one_or_none() is None:
        return False
    values |= {"state": verdict, "revision": next_revision(connection)}
    connection.execute(sa.update(trial).where(is_open).values(**values))
    return True


def trials(connection: sa.Connection, sweep_id: str, plan: Plan, since: int = 0) -> tuple[list[Trial], int]:
    """Trials that changed after a revision, and the newest revision."""
    revision = current_revision(connection)
    late = _TRIALS.where(trial.c.sweep_id == sweep_id)
    if since > 0:
        # One that got no job is no more than cancelled when its sweep ends.
        late = late.where(sa.or_(since < _CHANGED, sa.and_(trial.c.state == OPEN, job.c.id.is_(None))))
    return [trial_of(found, plan.objective) for found in connection.execute(late)], revision


def one_trial(connection: sa.Connection, sweep_id: str, plan: Plan, number: int) -> Trial | None:
    found = connection.execute(
        _TRIALS.where(trial.c.sweep_id == sweep_id, trial.c.number == number)
    ).one_or_none()
    return None if found is None else trial_of(found, plan.objective)


def trial_of(row: sa.Row[Any], objective: str) -> Trial:
    """A row as a struct; of an open trial its job says how it stands."""
    is_open = row.state == OPEN
    state = _state_of(row.job_state, row.goes_on) if is_open else row.state
    return Trial(
        row.number,
        row.job_id,
        row.parameters,
        state,
        row.job_state,
        not is_open,
        row.changed,
        _newest(row.metrics, objective) if is_open else row.value,
        [(step, value) for step, value in row.curve],
        row.job_reason if row.reason is None and state in ("waiting", "failed") else row.reason,
        row.started_at,
        row.finished_at,
    )


def _state_of(job_state: str | None, goes_on: bool) -> TrialState:
    if job_state is None and not goes_on:
        return "cancelled"
    if job_state in (None, "SUBMITTING", "QUEUED"):
        return "waiting"
    if job_state not in TERMINAL or job_state == "SUCCEEDED":  # its value is not read yet
        return "running"
    return "cancelled" if job_state == "CANCELLED" else "failed"


def _newest(metrics: dict[str, Value] | None, objective: str) -> float | None:
    found = (metrics or {}).get(objective)
    return float(found) if found is not None and math.isfinite(float(found)) else None
