"""What somebody has in a team, and its next owner."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_blueno.database.revisions import next_revision
from jupyter_blueno.database.tables import dataset, flow, job, schedule, sweep
from jupyter_blueno.jobs.model import TERMINAL
from jupyter_blueno.people.model import Belongings

OWNED = (job, schedule, dataset)  # that others see change: each row has a revision
PARTS = (sweep, flow)


def belongings(connection: sa.Connection, team: str, person: str) -> Belongings:
    """Count what is somebody's in a team."""
    live = _of(job, team, person, job.c.state.not_in(TERMINAL), job.c.parent.is_(None))
    firing = _of(schedule, team, person, schedule.c.paused.is_(False))
    private = _of(dataset, team, person, dataset.c.visibility == "private")
    return Belongings(
        team=team,
        live_jobs=list(connection.scalars(sa.select(job.c.id).where(live).order_by(job.c.created_at))),
        schedules=list(connection.scalars(sa.select(schedule.c.id).where(firing))),
        jobs=_count(connection, job, _of(job, team, person)),
        datasets=_count(connection, dataset, _of(dataset, team, person)),
        private_datasets=_count(connection, dataset, private),
    )


def hand_over(connection: sa.Connection, team: str, person: str, heir: str) -> None:
    """Make everything in a team somebody else's."""
    for table in PARTS:
        mine = sa.and_(table.c.team == team, table.c.owner == person)
        connection.execute(sa.update(table).where(mine).values(owner=heir))
    for table in OWNED:
        mine = sa.and_(table.c.team == team, table.c.owner == person)
        # The rows before the revision, for which everybody else waits.
        ids = list(connection.scalars(sa.select(table.c.id).where(mine).with_for_update()))
        if ids:
            values = {"owner": heir, "revision": next_revision(connection)}
            connection.execute(sa.update(table).where(table.c.id.in_(ids)).values(**values))


def teams_of(connection: sa.Connection, person: str) -> list[str]:
    """Teams in which something is somebody's, whether they are in them or were."""
    found: set[str] = set()
    for table in OWNED:
        mine = sa.and_(table.c.owner == person, table.c.deleted_at.is_(None))
        found.update(connection.scalars(sa.select(table.c.team).where(mine).distinct()))
    return sorted(found)


def _of(table: sa.Table, team: str, person: str, *more: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.team == team, table.c.owner == person, table.c.deleted_at.is_(None), *more)


def _count(connection: sa.Connection, table: sa.Table, wanted: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(wanted)) or 0)
