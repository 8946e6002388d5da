"""What is held of quotas, as the database has it: it is decided there, and what starts follows from it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.database.hubs import notebook
from jupyter_blueno.database.tables import job
from jupyter_blueno.jobs.lifecycle import ACTIVE
from jupyter_blueno.jobs.model import CONDUCTORS, Resources
from jupyter_blueno.jobs.quotas.model import Amounts, Holder, plain

QUOTA_LOCK = 0x71756F74  # "quot"
UNUSED = 0.05  # the part of their time below which GPUs count as not used
LATELY = 600.0  # seconds for which it is told how busy GPUs were
DEPTH = 100  # jobs of one person and priority that are looked at for one that fits

_ACTIVE = sa.and_(job.c.state.in_(ACTIVE), job.c.team == sa.bindparam("team"))
_OUTSIDE = sa.and_(
    job.c.team == sa.bindparam("team"), job.c.state == "QUEUED", job.c.held.is_(None), job.c.desired == "run"
)
_PRIORITY = sa.func.coalesce(job.c.spec["resources"]["priority"].as_integer(), 0)
_TURN = sa.func.row_number().over(
    partition_by=(job.c.owner, _PRIORITY), order_by=(job.c.created_at, job.c.id)
)
_LINE = sa.select(
    job.c.id,
    job.c.owner,
    job.c.name,
    job.c.team,
    job.c.kind,
    job.c.spec,
    job.c.created_at,
    _TURN.label("turn"),
).where(_OUTSIDE)
_WAITING = _LINE.subquery()
# What runs and was not let in began before there was a quota, or there is none.
_RUNS = sa.and_(job.c.state.in_(("STARTING", "RUNNING", "FINISHING")), job.c.kind.not_in(CONDUCTORS))
_HOLDERS = sa.select(
    *(job.c[name] for name in ("id", "owner", "name", "held", "started_at", "created_at", "spec"))
).where(_ACTIVE, sa.or_(job.c.held.is_not(None), _RUNS))
_ONE = sa.and_(*(notebook.c[name] == sa.bindparam(f"its_{name}") for name in ("team", "owner", "server")))
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(QUOTA_LOCK, sa.func.hashtext(sa.bindparam("team"))))
_TRY = sa.select(sa.func.pg_try_advisory_xact_lock(QUOTA_LOCK, sa.func.hashtext(sa.bindparam("team"))))


def lock(connection: sa.Connection, team: str) -> None:
    """Be the only one who lets anything of this team in, until the transaction ends."""
    connection.execute(_LOCK, {"team": team})


def try_lock(connection: sa.Connection, team: str) -> bool:
    """The same, unless somebody else is at it."""
    return bool(connection.scalar(_TRY, {"team": team}))


def outside(connection: sa.Connection, team: str) -> set[str]:
    """Ids of the jobs that are not let in yet."""
    return set(connection.scalars(sa.select(job.c.id).where(_OUTSIDE), {"team": team}))


def waiting(connection: sa.Connection, team: str) -> list[sa.Row[Any]]:
    """The same as rows: the first ones of each person and priority."""
    statement = sa.select(_WAITING).where(_WAITING.c.turn <= DEPTH)
    return list(connection.execute(statement, {"team": team}))


def holders(connection: sa.Connection, team: str) -> list[Holder]:
    """Jobs and notebook servers that hold something of the team's quota."""
    found = [_of_job(row) for row in connection.execute(_HOLDERS, {"team": team})]
    rows = connection.execute(sa.select(notebook).where(notebook.c.team == team))
    return found + [_of_notebook(row) for row in rows]


def teams(connection: sa.Connection) -> set[str]:
    """Those that hold something."""
    runs = sa.select(job.c.team).where(job.c.state.in_(ACTIVE))
    return {*connection.scalars(runs), *connection.scalars(sa.select(notebook.c.team))}


def _of_job(row: Any) -> Holder:
    resources = msgspec.convert(row.spec["resources"], Resources)
    held = row.held or {**plain(resources)._asdict(), "since": row.created_at.timestamp()}
    since = row.started_at or datetime.fromtimestamp(held["since"], UTC)
    timeout = resources.timeout
    until = row.started_at + timedelta(seconds=timeout) if row.started_at and timeout else None
    cpu, memory, gpu = (held[name] for name in Amounts._fields)
    return Holder("job", row.owner, row.name, row.id, cpu, memory, int(gpu), since, until)


def _of_notebook(row: Any) -> Holder:
    known = row.busy_at is not None and (datetime.now(UTC) - row.busy_at).total_seconds() < LATELY
    busy = row.busy if known else None
    return Holder(
        "notebook", row.owner, row.profile, row.server, row.cpu, row.memory, row.gpu, row.since, busy=busy
    )


def let_in(connection: sa.Connection, needs: Mapping[str, Amounts]) -> list[str]:
    """Write down what these jobs hold from now on; the ids of those that still waited."""
    taken = []
    for job_id, amounts in needs.items():
        held = {**amounts._asdict(), "since": time.time()}
        still = sa.and_(job.c.id == job_id, job.c.state.in_(ACTIVE), job.c.held.is_(None))
        if connection.execute(sa.update(job).where(still).values(held=held)).rowcount:
            taken.append(job_id)
    return taken


def without(connection: sa.Connection, team: str) -> list[sa.Row[Any]]:
    """Jobs that are not over and hold nothing: those that wait, and those from before there was a quota."""
    return list(connection.execute(sa.select(job).where(_ACTIVE, job.c.held.is_(None)), {"team": team}))


def put_notebook(connection: sa.Connection, team: str, owner: str, server: str, **values: Any) -> None:
    """Write down what a notebook server holds; what one of this name held before is forgotten."""
    fresh = {"seen_at": None, "busy": None, "busy_at": None, "used_at": None, "since": sa.func.now()}
    row = {"team": team, "owner": owner, "server": server, **fresh, **values}
    changed = {name: row[name] for name in (*fresh, *values)}
    statement = postgres_insert(notebook).values(row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["team", "owner", "server"], set_=changed)
    )


def notebooks(connection: sa.Connection) -> list[sa.Row[Any]]:
    return list(connection.execute(sa.select(notebook)))


def seen(connection: sa.Connection, team: str, owner: str, server: str, holds: Amounts) -> None:
    """Its pod is there, and holds so much, whatever was asked for it."""
    statement = sa.update(notebook).where(_ONE).values(seen_at=sa.func.now(), **holds._asdict())
    connection.execute(statement, {"its_team": team, "its_owner": owner, "its_server": server})


def used(connection: sa.Connection, team: str, owner: str, server: str, busy: float) -> bool:
    """Write down how busy its GPUs were; False if there is no such server."""
    values = {"busy": busy, "busy_at": sa.func.now()} | ({"used_at": sa.func.now()} if busy >= UNUSED else {})
    statement = sa.update(notebook).where(_ONE).values(values)
    key = {"its_team": team, "its_owner": owner, "its_server": server}
    return connection.execute(statement, key).rowcount == 1


def ended(connection: sa.Connection, owner: str, server: str) -> bool:
    """It holds nothing any more, whichever team it was of; False if it held nothing."""
    its = sa.and_(notebook.c.owner == owner, notebook.c.server == server)
    return connection.execute(sa.delete(notebook).where(its)).rowcount > 0


def forget(connection: sa.Connection, team: str, owner: str, server: str) -> None:
    """It holds nothing any more."""
    connection.execute(
        sa.delete(notebook).where(_ONE), {"its_team": team, "its_owner": owner, "its_server": server}
    )
