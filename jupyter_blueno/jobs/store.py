"""The job table: its SQL, and rows as structs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.database.revisions import NEXT, next_revision
from jupyter_blueno.database.tables import job, job_file, job_input
from jupyter_blueno.jobs import parts
from jupyter_blueno.jobs.engine.order import LANES
from jupyter_blueno.jobs.lifecycle import ACTIVE
from jupyter_blueno.jobs.model import Claim, Failure, Job, JobPage, Origin, Resources

LISTED = [
    column for column in job.c if column.name not in ("spec", "notebook", "handle", "held", "deleted_at")
] + [
    job.c.spec["origin"].label("origin"),
    job.c.spec["resources"].label("resources"),
]


# Built once: they are asked several times a second, and building takes longer than asking.
_ROW = sa.select(job).where(job.c.id == sa.bindparam("id"))
_ONE = sa.select(*LISTED).where(
    job.c.id == sa.bindparam("id"), job.c.team == sa.bindparam("team"), job.c.deleted_at.is_(None)
)
_LISTED_BY_ID = sa.select(*LISTED).where(job.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Text))))
# A hub's service has one database for many teams, each with a data folder and a monitor of its own.
_TEAM = sa.bindparam("team", type_=sa.Text)
_OF_TEAM = sa.or_(_TEAM.is_(None), job.c.team == _TEAM)
_ACTIVE = sa.select(job).where(job.c.state.in_(ACTIVE)).order_by(job.c.created_at)
_BEGUN = _ACTIVE.where(job.c.state != "QUEUED", _OF_TEAM)
_QUEUED = sa.select(job.c.id).where(job.c.state == "QUEUED", _OF_TEAM)
_PRIORITY = sa.func.coalesce(job.c.spec["resources"]["priority"].as_integer(), 0)
_LANE = sa.case(LANES, value=job.c.kind, else_="jobs")
# The row is locked before the revision is taken, see `next_revision`: who waits for a row holds none.
_UNCHANGED = (
    sa.select(job.c.id)
    .where(job.c.id == sa.bindparam("unchanged_id"), job.c.state == sa.bindparam("unchanged_state"))
    .with_for_update()
    .cte("unchanged")
)
_INSERT_MANY = postgres_insert(job).on_conflict_do_nothing(index_elements=["id"]).returning(*LISTED)
_INSERT = _INSERT_MANY.values(revision=NEXT)


def job_of(row: sa.Row[Any]) -> Job:
    """A row of `LISTED` columns as a struct."""
    values = dict(row._mapping)
    values.pop("backend")
    progress, failure = values.pop("progress"), values.pop("failure")
    return Job(
        **{name: value for name, value in values.items() if name not in ("origin", "resources")},
        progress=None if progress is None else msgspec.convert(progress, Progress),
        failure=None if failure is None else msgspec.convert(failure, Failure),
        origin=msgspec.convert(values["origin"] or {}, Origin),
        resources=msgspec.convert(values["resources"] or {}, Resources),
    )


def claim_of(job: Any) -> Claim:
    """What a job, or its row, says of its place in the queue."""
    resources = job.resources if isinstance(job, Job) else msgspec.convert(job.spec["resources"], Resources)
    return Claim(job.owner, job.name, job.kind, resources, job.created_at.timestamp(), job.id, job.team)


def insert(connection: sa.Connection, values: dict[str, Any]) -> Job | None:
    """Add a row; None if its id is there already. One statement for what is no part of another job."""
    parts.hold(connection, [values])
    found = connection.execute(_INSERT, values).one_or_none()
    return None if found is None else job_of(found)


def insert_many(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[Job]:
    """Add rows in one go, with one revision; those whose id is there already are left out."""
    if not rows:
        return []
    parts.hold(connection, rows)
    revision = next_revision(connection)
    found = connection.execute(_INSERT_MANY, [{**one, "revision": revision} for one in rows])
    return [job_of(one) for one in found]


def known(connection: sa.Connection, ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
    """Whole rows of those ids that there are, also of deleted jobs."""
    found = connection.execute(sa.select(job).where(job.c.id.in_(ids)))
    return {row.id: row for row in found}


def row(connection: sa.Connection, job_id: str) -> sa.Row[Any] | None:
    """The whole row of a job, also of a deleted one."""
    return connection.execute(_ROW, {"id": job_id}).one_or_none()


def one(connection: sa.Connection, team: str, job_id: str) -> Job | None:
    found = connection.execute(_ONE, {"id": job_id, "team": team}).one_or_none()
    return None if found is None else job_of(found)


def ids_by_prefix(connection: sa.Connection, team: str, prefix: str) -> list[str]:
    """Up to two ids that begin so."""
    statement = sa.select(job.c.id).where(
        job.c.id.startswith(prefix, autoescape=True), job.c.team == team, job.c.deleted_at.is_(None)
    )
    return list(connection.scalars(statement.limit(2)))


def newest_named(connection: sa.Connection, team: str, name: str) -> str | None:
    listed = sa.and_(job.c.team == team, job.c.deleted_at.is_(None), job.c.parent.is_(None))
    statement = sa.select(job.c.id).where(listed, job.c.name == name)
    found: str | None = connection.scalar(
        statement.order_by(job.c.created_at.desc(), job.c.id.desc()).limit(1)
    )
    return found


def page(connection: sa.Connection, team: str, ask: JobPage) -> tuple[list[Job], str | None]:
    """A page of jobs, newest first, and the id that the next one begins before."""
    limit = min(max(ask.limit, 1), 1000)
    keys = keys_of(team, ask).limit(limit + 1)
    found = list(connection.execute(keys))
    ids = [key.id for key in found]
    rows = {row.id: row for row in connection.execute(_LISTED_BY_ID, {"ids": ids[:limit]})}
    jobs = [job_of(rows[job_id]) for job_id in ids[:limit] if job_id in rows]
    return jobs, ids[limit - 1] if len(ids) > limit else None


def keys_of(team: str, ask: JobPage) -> sa.Select[Any]:
    """Ids of the jobs that are asked for, newest first: answered by an index alone.

    A long way is gone through only for words of names, and there through the
    index, a tenth of the table.
    """
    part = job.c.parent.is_(None) if ask.parent is None else job.c.parent == ask.parent
    if ask.dataset is not None:
        read = sa.select(job_input.c.job_id).where(job_input.c.dataset_id == ask.dataset)
        part = job.c.id.in_(read)
    if ask.wrote is not None:
        part = job.c.id.in_(sa.select(job_file.c.job_id).where(job_file.c.path == ask.wrote))
    statement = sa.select(job.c.created_at, job.c.id).where(
        job.c.team == team, job.c.deleted_at.is_(None), part
    )
    if ask.search:
        words = job.c.name.icontains(ask.search, autoescape=True)
        statement = statement.where(words | job.c.id.startswith(ask.search, autoescape=True))
    if ask.state:
        statement = statement.where(job.c.state.in_(ask.state))
    if ask.notebook is not None:
        statement = statement.where(job.c.notebook == ask.notebook)
    if ask.before is not None:
        key = sa.select(job.c.created_at, job.c.id).where(job.c.id == ask.before)
        # The first is said by the second; under a policy only the first finds its place in an index.
        until = sa.select(job.c.created_at).where(job.c.id == ask.before).scalar_subquery()
        statement = statement.where(
            job.c.created_at <= until, sa.tuple_(job.c.created_at, job.c.id) < key.scalar_subquery()
        )
    return statement.order_by(job.c.created_at.desc(), job.c.id.desc())


def begun(connection: sa.Connection, team: str | None = None) -> Sequence[sa.Row[Any]]:
    """Whole rows of the jobs, of a team or of all, that are not over and do not wait for their turn."""
    return connection.execute(_BEGUN, {"team": team}).all()


def queued(connection: sa.Connection, team: str | None = None) -> set[str]:
    """Ids of the jobs, of a team or of all, that wait for their turn."""
    return set(connection.scalars(_QUEUED, {"team": team}))


def rows(connection: sa.Connection, ids: list[str]) -> Sequence[sa.Row[Any]]:
    """Whole rows of these jobs as far as they are not over."""
    return connection.execute(_ACTIVE.where(job.c.id.in_(ids))).all()


def in_order(connection: sa.Connection, team: str | None = None) -> list[tuple[str, str]]:
    """Ids of the jobs that wait and their lanes; of each lane the next one first.

    By priority, then by turns between people, then by age.
    """
    age = (job.c.created_at, job.c.id)
    turn = sa.func.row_number().over(partition_by=(_LANE, _PRIORITY, job.c.owner), order_by=age)
    statement = sa.select(job.c.id, _LANE).where(job.c.state == "QUEUED", _OF_TEAM)
    found = connection.execute(statement.order_by(_LANE, _PRIORITY.desc(), turn, *age), {"team": team})
    return [(job_id, lane) for job_id, lane in found]


def count_before(connection: sa.Connection, priority: int, lane: str) -> int:
    """How many of the jobs that wait would start before a new one, at most: people take turns."""
    waiting = sa.select(sa.func.count()).where(job.c.state == "QUEUED", sa.literal(lane) == _LANE)
    return int(connection.scalar(waiting.where(priority <= _PRIORITY)) or 0)


def listed(connection: sa.Connection, ids: list[str]) -> list[Job]:
    """Jobs of all teams, by their ids."""
    return [job_of(found) for found in connection.execute(sa.select(*LISTED).where(job.c.id.in_(ids)))]


def forget(connection: sa.Connection, job_id: str) -> bool:
    """Remove a row as if it had never been, while nothing came of it."""
    statement = sa.delete(job).where(job.c.id == job_id, job.c.state == "QUEUED")
    return connection.execute(statement).rowcount == 1


def update(connection: sa.Connection, job_id: str, state: str, values: dict[str, Any]) -> bool:
    """Change a row that is still in `state`; False if somebody was faster."""
    key = {"unchanged_id": job_id, "unchanged_state": state}
    return connection.execute(_change_of(tuple(values)), key | values).rowcount == 1


@functools.lru_cache(256)
def _change_of(names: tuple[str, ...]) -> sa.Update:
    """The statement that changes these columns of a row."""
    values = {name: sa.bindparam(name, type_=job.c[name].type) for name in names}
    statement = sa.update(job).where(job.c.id == _UNCHANGED.c.id)
    return statement.values(updated_at=sa.func.now(), revision=NEXT, **values)


def changed(connection: sa.Connection, team: str, since: int) -> tuple[list[Job], list[str]]:
    """Jobs that changed after a revision, and the ids of those deleted after it."""
    late = sa.and_(job.c.team == team, job.c.revision > since)
    jobs = connection.execute(sa.select(*LISTED).where(late, job.c.deleted_at.is_(None)))
    gone = connection.scalars(sa.select(job.c.id).where(late, job.c.deleted_at.is_not(None)))
    return [job_of(found) for found in jobs], list(gone)


def delete(connection: sa.Connection, job_id: str) -> bool:
    """Take a row off the lists; False if it was off already."""
    statement = sa.update(job).where(job.c.id == job_id, job.c.deleted_at.is_(None))
    values = {"deleted_at": sa.func.now(), "revision": next_revision(connection)}
    return connection.execute(statement.values(**values)).rowcount == 1
