"""What jobs took of a team's machines: hours of GPUs and cores, by person, and who holds GPUs now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from msgspec import Struct

from jupyter_blueno.database.tables import job
from jupyter_blueno.jobs.model import CONDUCTORS

HOLDING = ("STARTING", "RUNNING", "FINISHING")
SHOWN = 10  # jobs that took most

_GPUS = sa.func.coalesce(job.c.spec["resources"]["gpu"].as_integer(), 0)
# A job that does not say how many it needs counts as one core, whatever it found free.
_CORES = sa.func.coalesce(job.c.spec["resources"]["cpu"].as_float(), 1.0)
_SINCE = sa.bindparam("since", type_=sa.DateTime(timezone=True))
_HOURS = (
    sa.extract(
        "epoch",
        sa.func.coalesce(job.c.finished_at, sa.func.now()) - sa.func.greatest(job.c.started_at, _SINCE),
    )
    / 3600.0
)
_RAN = sa.and_(
    job.c.team == sa.bindparam("team"),
    job.c.started_at.is_not(None),
    job.c.kind.not_in(CONDUCTORS),  # they wait for others
    sa.or_(job.c.finished_at.is_(None), job.c.finished_at > _SINCE),
)


class PersonUsage(Struct, frozen=True):
    """What the jobs of a person took: how many ran, hours times GPUs, hours times cores; and hold now."""

    owner: str
    jobs: int
    gpu_hours: float
    core_hours: float
    running: int
    gpus: int


class JobUsage(Struct, frozen=True):
    """A job that took much, or holds GPUs (`finished_at` None)."""

    id: str
    name: str
    owner: str
    gpus: int
    gpu_hours: float
    core_hours: float
    started_at: datetime
    finished_at: datetime | None


class TeamUsage(Struct, frozen=True):
    """Since when; who took most comes first. `holders` have GPUs now, the longest first."""

    since: datetime
    people: list[PersonUsage]
    jobs: list[JobUsage]
    holders: list[JobUsage]


def usage(connection: sa.Connection, team: str, days: float) -> TeamUsage:
    """What a team's jobs took in the last `days`, also those that were deleted since.

    A job counts from its start to its end, pauses between attempts among them,
    with what it asked for.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    given = {"team": team, "since": since}
    gpu_hours, core_hours = _HOURS * _GPUS, _HOURS * _CORES
    holding = sa.and_(job.c.state.in_(HOLDING))
    people = (
        sa.select(
            job.c.owner,
            sa.func.count().label("jobs"),
            sa.func.sum(gpu_hours).label("gpu_hours"),
            sa.func.sum(core_hours).label("core_hours"),
            sa.func.count().filter(holding).label("running"),
            sa.func.coalesce(sa.func.sum(_GPUS).filter(holding), 0).label("gpus"),
        )
        .where(_RAN)
        .group_by(job.c.owner)
        .order_by(sa.desc("gpu_hours"), sa.desc("core_hours"), job.c.owner)
    )
    each = sa.select(
        job.c.id,
        job.c.name,
        job.c.owner,
        _GPUS.label("gpus"),
        gpu_hours.label("gpu_hours"),
        core_hours.label("core_hours"),
        job.c.started_at,
        job.c.finished_at,
    ).where(_RAN)
    most = each.where(job.c.deleted_at.is_(None)).order_by(
        sa.desc("gpu_hours"), sa.desc("core_hours"), job.c.id
    )
    held = each.where(holding, _GPUS > 0).order_by(job.c.started_at, job.c.id)
    return TeamUsage(
        since,
        [
            PersonUsage(
                row.owner, row.jobs, float(row.gpu_hours), float(row.core_hours), row.running, int(row.gpus)
            )
            for row in connection.execute(people, given)
        ],
        [_of(row) for row in connection.execute(most.limit(SHOWN), given)],
        [_of(row) for row in connection.execute(held, given)],
    )


def _of(row: sa.Row[tuple[object, ...]]) -> JobUsage:
    values = dict(row._mapping)
    return JobUsage(**values | {name: float(values[name]) for name in ("gpu_hours", "core_hours")})
