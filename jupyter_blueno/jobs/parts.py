"""Jobs that are parts of another one: no part begins when that one is to end, and all end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from jupyter_blueno.database.tables import job
from jupyter_blueno.errors import Conflict, InvalidInput
from jupyter_blueno.jobs.model import CONDUCTORS, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable


def hold(connection: sa.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Have the parents of new rows stay as they are until these are there.

    Raises
    ------
    InvalidInput
        If there is no such sweep or flow of the same person.
    Conflict
        If it is over, or is being cancelled: whoever cancels it finds all its parts.
    """
    whole = {(row["parent"], row["team"], row["owner"]) for row in rows if row.get("parent")}
    for parent, team, owner in sorted(whole):
        found = connection.execute(
            sa.select(job.c.state, job.c.desired)
            .where(job.c.id == parent, job.c.team == team, job.c.owner == owner)
            .where(job.c.kind.in_(CONDUCTORS))
            .with_for_update(read=True)
        ).one_or_none()
        if found is None:
            raise InvalidInput(f"You have no sweep or flow '{parent[:40]}'.", code="job_parent")
        if found.state in TERMINAL or found.desired == "cancel":
            raise Conflict("What this job is a part of is over, or is being cancelled.", code="parent_over")


def of(connection: sa.Connection, parent: str, active: bool = False) -> list[str]:
    """Ids of the parts of a job, oldest first; with `active` those that are not over."""
    statement = sa.select(job.c.id).where(job.c.parent == parent, job.c.deleted_at.is_(None))
    if active:
        statement = statement.where(job.c.state.not_in(TERMINAL))
    return list(connection.scalars(statement.order_by(job.c.created_at, job.c.id)))
