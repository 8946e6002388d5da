"""What jobs took of a team's machines: hours of GPUs and cores, by person, and who holds GPUs now."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from msgspec import Struct, structs

from jupyter_blueno.database.tables import job
from jupyter_blueno.jobs.model import CONDUCTORS
from jupyter_blueno.jobs.quotas import ledger
from jupyter_blueno.jobs.quotas.model import Holder, Share, TeamQuota, share, total
from jupyter_blueno.jobs.quotas.storage import Storage

if TYPE_CHECKING:
    from jupyter_blueno.jobs.record import JobRecord

HOLDING = ("STARTING", "RUNNING", "FINISHING")
LATELY = 600.0  # seconds for which it is told how busy GPUs were
SHOWN = 10  # jobs that took most

_WORKERS = sa.func.coalesce(job.c.spec["resources"]["workers"].as_integer(), 1)
_GPUS = sa.func.coalesce(job.c.spec["resources"]["gpu"].as_integer(), 0) * _WORKERS
# A job that does not say how many it needs counts as one core, whatever it found free.
_CORES = sa.func.coalesce(job.c.spec["resources"]["cpu"].as_float(), 1.0) * _WORKERS
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
    """A job that took much (`finished_at` None: it runs)."""

    id: str
    name: str
    owner: str
    gpus: int
    gpu_hours: float
    core_hours: float
    started_at: datetime
    finished_at: datetime | None


class TeamUsage(Struct, frozen=True):
    """Since when; who took most comes first.

    `holders` are the jobs and notebooks that hold something now, most GPUs first, then the longest. Of what
    may be held, `of_team` is the team's share and `of_person` that of who asks; `waiting` jobs of the team
    are not let in yet. `storage` is what the team and its people keep on the hub's volume; None where nobody
    has looked.
    """

    team: str
    since: datetime
    people: list[PersonUsage]
    jobs: list[JobUsage]
    holders: list[Holder]
    of_team: Share
    of_person: Share
    waiting: int
    storage: Storage | None = None


def usage(
    connection: sa.Connection, team: str, days: float, person: str = "", quota: TeamQuota | None = None
) -> TeamUsage:
    """What a team's jobs took in the last `days`, also those that were deleted since; and who holds what now.

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
    holders = sorted(ledger.holders(connection, team), key=lambda one: (-one.gpu, one.since, one.id))
    bounds = quota or TeamQuota()
    return TeamUsage(
        team,
        since,
        [
            PersonUsage(
                row.owner, row.jobs, float(row.gpu_hours), float(row.core_hours), row.running, int(row.gpus)
            )
            for row in connection.execute(people, given)
        ],
        [_of(row) for row in connection.execute(most.limit(SHOWN), given)],
        holders,
        share(bounds.team.amounts, total(holders)),
        share(bounds.person.amounts, total(holders, person)),
        len(ledger.outside(connection, team)) if quota else 0,
    )


def with_use(holder: Holder, record: JobRecord) -> Holder:
    """The same, with how busy its GPUs were in the last minutes, if its supervisor saw it."""
    for one in record.curves("usage").curves:
        if one.name == "gpu":
            since = time.time() - LATELY
            seen = [float(value) for value, at in zip(one.values, one.times, strict=True) if at >= since]
            if seen:
                return structs.replace(holder, busy=min(1.0, sum(seen) / len(seen) / holder.gpu))
    return holder


def _of(row: sa.Row[tuple[object, ...]]) -> JobUsage:
    values = dict(row._mapping)
    return JobUsage(**values | {name: float(values[name]) for name in ("gpu_hours", "core_hours")})
