"""The tables of flows: their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.database.tables import dataset, flow, flow_part, job, version

_JOB = [
    job.c.state,
    job.c.started_at,
    job.c.finished_at,
    job.c.reason.label("job_reason"),
    job.c.progress,
    job.c.metrics,
]
# Without the long columns: asked several times a second while a flow runs.
_PARTS = (
    sa.select(*[column for column in flow_part.c if column.name != "parameters"], *_JOB)
    .select_from(flow_part.outerjoin(job, job.c.id == flow_part.c.job_id))
    .where(flow_part.c.flow_id == sa.bindparam("id"))
    .order_by(flow_part.c.position, flow_part.c.number)
)
_UNDECIDED = sa.and_(flow_part.c.job_id.is_(None), flow_part.c.reason.is_(None))


def insert(connection: sa.Connection, values: dict[str, Any], parts: Sequence[dict[str, Any]]) -> bool:
    """Add a flow with its parts; False if its id is there already."""
    statement = postgres_insert(flow).values(**values).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(statement).rowcount != 1:
        return False
    connection.execute(sa.insert(flow_part), list(parts))
    return True


def forget(connection: sa.Connection, flow_id: str) -> None:
    """Remove a flow as if it had never been."""
    connection.execute(sa.delete(flow).where(flow.c.id == flow_id))


def one(connection: sa.Connection, flow_id: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(flow).where(flow.c.id == flow_id)).one_or_none()


def parts(connection: sa.Connection, flow_id: str) -> Sequence[sa.Row[Any]]:
    """Parts in order, with how their jobs stand."""
    return connection.execute(_PARTS, {"id": flow_id}).all()


def parts_whole(connection: sa.Connection, flow_id: str) -> Sequence[sa.Row[Any]]:
    """Parts as they were made and decided upon, without their jobs."""
    found = sa.select(flow_part).where(flow_part.c.flow_id == flow_id)
    return connection.execute(found.order_by(flow_part.c.position, flow_part.c.number)).all()


def parts_of(connection: sa.Connection, flow_id: str, step: str) -> Sequence[sa.Row[Any]]:
    """The parts of one step, with their parameters."""
    columns = sa.select(flow_part, *_JOB).select_from(
        flow_part.outerjoin(job, job.c.id == flow_part.c.job_id)
    )
    chosen = columns.where(flow_part.c.flow_id == flow_id, flow_part.c.step == step)
    return connection.execute(chosen.order_by(flow_part.c.number)).all()


def claim(connection: sa.Connection, part: Any, values: dict[str, Any]) -> bool:
    """Write down what becomes of a part; False if somebody did so before."""
    changed = sa.update(flow_part).where(
        flow_part.c.flow_id == part.flow_id,
        flow_part.c.position == part.position,
        flow_part.c.number == part.number,
        _UNDECIDED,
    )
    return connection.execute(changed.values(**values)).rowcount == 1


def skip(connection: sa.Connection, flow_id: str, step: str, reason: str) -> None:
    """Write down that what waits of a step will not be run."""
    waiting = sa.and_(flow_part.c.flow_id == flow_id, flow_part.c.step == step, _UNDECIDED)
    connection.execute(sa.update(flow_part).where(waiting).values(reason=reason))


def refuse(connection: sa.Connection, part: Any, reason: str) -> None:
    """Write down that a part could not be started."""
    changed = sa.update(flow_part).where(
        flow_part.c.flow_id == part.flow_id,
        flow_part.c.position == part.position,
        flow_part.c.number == part.number,
    )
    connection.execute(changed.values(job_id=None, reason=reason))


def results(connection: sa.Connection, owner: str, team: str, key: str, limit: int = 5) -> list[str]:
    """Jobs of a person that succeeded, of which the same comes out; the newest first."""
    found = (
        sa.select(job.c.id)
        .join(flow_part, flow_part.c.job_id == job.c.id)
        .where(flow_part.c.key == key, ~flow_part.c.reused)
        .where(job.c.owner == owner, job.c.team == team, job.c.state == "SUCCEEDED")
        .where(job.c.deleted_at.is_(None))
    )
    return list(connection.scalars(found.order_by(job.c.finished_at.desc()).limit(limit)))


def newest_versions(connection: sa.Connection, datasets: set[int]) -> dict[int, int]:
    """The newest ready version of datasets that there are."""
    found = (
        sa.select(version.c.dataset_id, sa.func.max(version.c.number))
        .join(dataset, dataset.c.id == version.c.dataset_id)
        .where(version.c.dataset_id.in_(datasets), version.c.state == "ready", dataset.c.deleted_at.is_(None))
    )
    return {row[0]: row[1] for row in connection.execute(found.group_by(version.c.dataset_id))}
