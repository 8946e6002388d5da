"""Who did what, as a hub's service saw it: names and ids, never what was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from jupyter_blueno.database.engine import Database
from jupyter_blueno.database.hubs import audit

PAGE = 1000


class Act(Struct, frozen=True):
    """Somebody did something, or was refused (`code` says how).

    `job_id` is the job that asked in its owner's name; `about` is what the
    request named.
    """

    id: int
    at: datetime
    team: str
    person: str
    operation: str
    about: str
    job_id: str | None = None
    code: str | None = None


def note(database: Database, **values: Any) -> None:
    """Write an act down: all of its columns but `id` and `at`."""
    with database.autocommit() as connection:
        connection.execute(sa.insert(audit).values(**values))


def acts(
    database: Database, person: str | None, operation: str | None, before: int | None, limit: int
) -> list[Act]:
    """Acts, the newest first: of a person or of all, before the one with this id."""
    wanted = sa.select(audit).order_by(audit.c.id.desc()).limit(min(max(limit, 1), PAGE))
    if person is not None:
        wanted = wanted.where(audit.c.person == person)
    if operation is not None:
        wanted = wanted.where(audit.c.operation == operation)
    if before is not None:
        wanted = wanted.where(audit.c.id < before)
    with database.autocommit() as connection:
        return [Act(**row._mapping) for row in connection.execute(wanted)]


def forget(database: Database, days: int) -> int:
    """Forget what is older; returns how many acts that were."""
    before = datetime.now(UTC) - timedelta(days=days)
    with database.autocommit() as connection:
        return connection.execute(sa.delete(audit).where(audit.c.at < before)).rowcount
