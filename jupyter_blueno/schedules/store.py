"""The tables of schedules and firings: their SQL, and rows as structs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.database.revisions import next_revision
from jupyter_blueno.database.tables import dataset, firing, job, schedule, version
from jupyter_blueno.jobs.model import TERMINAL, Origin
from jupyter_blueno.schedules import rules
from jupyter_blueno.schedules.model import Firing, Schedule, Timing

RUNS = 8  # of a schedule that a list shows
UPCOMING = 3
KEPT = 1000  # firings of a schedule; older ones are forgotten

_PRESENT = schedule.c.deleted_at.is_(None)
# A hub's service has one database for many teams, each with a data folder and a ticker of its own.
_TEAM = sa.bindparam("team", type_=sa.Text)
_OF_TEAM = sa.or_(_TEAM.is_(None), schedule.c.team == _TEAM)
_DUE = sa.and_(_PRESENT, ~schedule.c.paused, schedule.c.next_due <= sa.bindparam("now"))
_JOB = sa.outerjoin(firing, job, sa.and_(job.c.id == firing.c.job_id, job.c.deleted_at.is_(None)))
_FIRING = sa.select(firing, job.c.state.label("job_state")).select_from(_JOB)
_NEWEST_VERSION = (
    sa.select(sa.func.max(version.c.number))
    .where(version.c.dataset_id == schedule.c.dataset_id, version.c.state == "ready")
    .correlate(schedule)
    .scalar_subquery()
)


def named(connection: sa.Connection, team: str, name: str) -> sa.Row[Any] | None:
    """The row of a schedule by its name."""
    statement = sa.select(schedule).where(_PRESENT, schedule.c.team == team, schedule.c.name == name)
    return connection.execute(statement).one_or_none()


def row(connection: sa.Connection, schedule_id: str, lock: bool = False) -> sa.Row[Any] | None:
    """The whole row, also of a deleted one; with `lock` nobody else changes it until the transaction ends."""
    statement = sa.select(schedule).where(schedule.c.id == schedule_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def by_id(connection: sa.Connection, team: str, ref: str) -> sa.Row[Any] | None:
    """The row of a schedule by its id, or the beginning of it (≥ 4 digits) if only one begins so."""
    statement = sa.select(schedule).where(_PRESENT, schedule.c.team == team)
    if len(ref) < 4:
        return None
    found = connection.execute(statement.where(schedule.c.id.startswith(ref, autoescape=True)).limit(2)).all()
    return found[0] if len(found) == 1 else None


def is_one(schedule_id: str) -> sa.ColumnElement[bool]:
    """The condition that a list is of one schedule."""
    return schedule.c.id == schedule_id


def insert(connection: sa.Connection, values: dict[str, Any]) -> bool:
    """Add a row; False if its id or its name is taken."""
    statement = postgres_insert(schedule).values(**values, revision=next_revision(connection))
    return connection.execute(statement.on_conflict_do_nothing()).rowcount == 1


def update(connection: sa.Connection, schedule_id: str, **values: Any) -> None:
    """Change a row; the last statement of its transaction."""
    row(connection, schedule_id, lock=True)  # before the revision, for which everybody else waits
    values |= {"updated_at": sa.func.now(), "revision": next_revision(connection)}
    connection.execute(sa.update(schedule).where(schedule.c.id == schedule_id).values(**values))


def listed(
    connection: sa.Connection, team: str, now: datetime, *wanted: sa.ColumnElement[bool]
) -> list[Schedule]:
    """Schedules by name, with their newest runs."""
    statement = (
        sa.select(schedule, dataset.c.name.label("dataset"))
        .select_from(sa.outerjoin(schedule, dataset, dataset.c.id == schedule.c.dataset_id))
        .where(_PRESENT, schedule.c.team == team, *wanted)
        .order_by(schedule.c.name)
    )
    rows = connection.execute(statement).all()
    ids = [found.id for found in rows]
    runs = _newest(connection, ids, firing.c.state != "skipped", RUNS)
    skipped = _newest(connection, ids, firing.c.state == "skipped", 1)
    return [schedule_of(one, runs.get(one.id, []), skipped.get(one.id, []), now) for one in rows]


def changed(
    connection: sa.Connection, team: str, since: int, now: datetime
) -> tuple[list[Schedule], list[str]]:
    """Schedules that changed after a revision, and the ids of those deleted after it."""
    late = schedule.c.revision > since
    gone = sa.select(schedule.c.id).where(late, schedule.c.team == team, schedule.c.deleted_at.is_not(None))
    return listed(connection, team, now, late), list(connection.scalars(gone))


def _newest(
    connection: sa.Connection, ids: Sequence[str], wanted: sa.ColumnElement[bool], count: int
) -> dict[str, list[Firing]]:
    if not ids:
        return {}
    newest = (
        _FIRING.where(firing.c.schedule_id == schedule.c.id, wanted)
        .order_by(firing.c.due.desc(), firing.c.created_at.desc())
        .limit(count)
        .correlate(schedule)
        .lateral("newest")
    )
    statement = sa.select(newest).select_from(sa.join(schedule, newest, sa.true()))
    found: dict[str, list[Firing]] = {}
    for one in connection.execute(statement.where(schedule.c.id.in_(ids))):
        found.setdefault(one.schedule_id, []).append(firing_of(one))
    return found


def schedule_of(row: sa.Row[Any], runs: list[Firing], skipped: list[Firing], now: datetime) -> Schedule:
    """A row with its dataset's name as a struct."""
    timing = Timing(row.cron, row.zone, row.dataset, row.catch_up, row.overlap, row.catch_up_limit)
    later = skipped and (not runs or skipped[0].due > runs[0].due)
    upcoming: list[datetime] = []
    if row.cron is not None and row.next_due is not None and not row.paused:
        cron = rules.Cron(row.cron, row.zone)
        upcoming = [row.next_due, *cron.upcoming(max(row.next_due, now), UPCOMING - 1)]
    return Schedule(
        id=row.id,
        name=row.name,
        owner=row.owner,
        team=row.team,
        kind=row.kind,
        timing=timing,
        words=rules.words(timing) or "Never: its dataset is gone",
        paused=row.paused,
        fresh=row.notebook is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
        next_due=None if row.paused else row.next_due,
        upcoming=upcoming,
        origin=msgspec.convert(row.origin, Origin),
        runs=runs,
        skipped=skipped[0] if later else None,
    )


# -- firings -----------------------------------------------------------------


def firing_of(row: sa.Row[Any]) -> Firing:
    """A row with its job's state as a struct."""
    made = row.state == "started" or row.job_state is not None
    return Firing(
        key=row.key,
        due=row.due,
        cause=row.cause,
        state=row.state,
        job_id=row.job_id if made else None,
        job_state=row.job_state,
        reason=row.reason,
        missed=row.missed,
    )


def firings(connection: sa.Connection, schedule_id: str, limit: int) -> list[Firing]:
    """What came of a schedule's times, the newest first."""
    statement = _FIRING.where(firing.c.schedule_id == schedule_id)
    statement = statement.order_by(firing.c.due.desc(), firing.c.created_at.desc()).limit(limit)
    return [firing_of(found) for found in connection.execute(statement)]


def one_firing(connection: sa.Connection, schedule_id: str, key: str) -> Firing | None:
    statement = _FIRING.where(firing.c.schedule_id == schedule_id, firing.c.key == key)
    found = connection.execute(statement).one_or_none()
    return None if found is None else firing_of(found)


def due(connection: sa.Connection, now: datetime, team: str | None = None) -> list[str]:
    """Ids of the schedules, of a team or of all, whose time has come."""
    statement = sa.select(schedule.c.id).where(_DUE, _OF_TEAM)
    return list(connection.scalars(statement, {"now": now, "team": team}))


def with_new_versions(connection: sa.Connection, team: str | None = None) -> list[tuple[str, int]]:
    """Schedules, of a team or of all, whose dataset has a version that they did not see, and its number."""
    newer = sa.func.coalesce(schedule.c.dataset_version, 0) < _NEWEST_VERSION
    statement = sa.select(schedule.c.id, _NEWEST_VERSION).where(
        _PRESENT, ~schedule.c.paused, schedule.c.dataset_id.is_not(None), newer, _OF_TEAM
    )
    return [(found[0], found[1]) for found in connection.execute(statement, {"team": team})]


def newest_version(connection: sa.Connection, dataset_id: int) -> int:
    """The number of the newest version that is finished; 0 if there is none."""
    statement = sa.select(sa.func.max(version.c.number))
    wanted = (version.c.dataset_id == dataset_id, version.c.state == "ready")
    return int(connection.scalar(statement.where(*wanted)) or 0)


def timed(connection: sa.Connection, team: str | None = None) -> Sequence[sa.Row[Any]]:
    """Rows of the schedules, of a team or of all, that have times and are not paused."""
    wanted = (_PRESENT, ~schedule.c.paused, schedule.c.cron.is_not(None), _OF_TEAM)
    return connection.execute(sa.select(schedule).where(*wanted), {"team": team}).all()


def claim(connection: sa.Connection, values: dict[str, Any]) -> bool:
    """Write a firing down; False if somebody was faster."""
    statement = postgres_insert(firing).values(**values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def waiting(connection: sa.Connection, team: str | None = None) -> list[tuple[str, str]]:
    """Schedule and key of the firings, of a team or of all, of which nothing came yet, the oldest first."""
    whose = sa.join(firing, schedule, schedule.c.id == firing.c.schedule_id)
    statement = sa.select(firing.c.schedule_id, firing.c.key).select_from(whose)
    statement = statement.where(firing.c.state == "waiting", _OF_TEAM).order_by(firing.c.due)
    return [(found[0], found[1]) for found in connection.execute(statement, {"team": team})]


def locked_waiting(connection: sa.Connection, schedule_id: str, key: str) -> sa.Row[Any] | None:
    """A firing that waits, ours until the transaction ends; None if another process is at it."""
    statement = (
        sa.select(firing)
        .where(firing.c.schedule_id == schedule_id, firing.c.key == key, firing.c.state == "waiting")
        .with_for_update(skip_locked=True)
    )
    return connection.execute(statement).one_or_none()


def running(connection: sa.Connection, schedule_id: str) -> datetime | None:
    """When the run was due that is not over; None if there is none."""
    statement = (
        sa.select(firing.c.due)
        .join(job, job.c.id == firing.c.job_id)
        .where(firing.c.schedule_id == schedule_id, job.c.state.not_in(TERMINAL), job.c.deleted_at.is_(None))
        .order_by(firing.c.due.desc())
        .limit(1)
    )
    return connection.scalar(statement)


def has_job(connection: sa.Connection, job_id: str) -> bool:
    """Whether the job of a firing is there."""
    return connection.scalar(sa.select(job.c.id).where(job.c.id == job_id)) is not None


def count_waiting(connection: sa.Connection, schedule_id: str, before: datetime) -> int:
    """How many firings of a schedule wait that were due before."""
    statement = sa.select(sa.func.count()).where(
        firing.c.schedule_id == schedule_id, firing.c.state == "waiting", firing.c.due < before
    )
    return int(connection.scalar(statement) or 0)


def settle(connection: sa.Connection, schedule_id: str, key: str, state: str, reason: str | None) -> None:
    """Say what came of a firing; the schedule is seen to have changed."""
    mine = sa.and_(firing.c.schedule_id == schedule_id, firing.c.key == key)
    connection.execute(sa.update(firing).where(mine).values(state=state, reason=reason))
    update(connection, schedule_id)


def forget_old(connection: sa.Connection, schedule_id: str) -> None:
    """Keep the newest firings only."""
    recent = sa.select(firing.c.due).where(firing.c.schedule_id == schedule_id)
    oldest = recent.order_by(firing.c.due.desc()).offset(KEPT).limit(1).scalar_subquery()
    old = sa.and_(firing.c.schedule_id == schedule_id, firing.c.due <= oldest, firing.c.state != "waiting")
    connection.execute(sa.delete(firing).where(old))


def outlook(connection: sa.Connection, team: str | None = None) -> tuple[datetime | None, bool]:
    """When the next one, of a team or of all, is due; whether there is more to watch than the clock."""
    present = sa.and_(_PRESENT, ~schedule.c.paused, _OF_TEAM)
    whose = {"team": team}
    soonest = connection.scalar(sa.select(sa.func.min(schedule.c.next_due)).where(present), whose)
    watched = sa.exists().where(present, schedule.c.dataset_id.is_not(None))
    left = sa.exists().where(
        firing.c.state == "waiting", firing.c.schedule_id == schedule.c.id, _PRESENT, _OF_TEAM
    )
    return soonest, bool(connection.scalar(sa.select(sa.or_(watched, left)), whose))
