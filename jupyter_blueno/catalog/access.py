"""Who may see which dataset, and the one way to it: to read, or locked to write."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jupyter_blueno.catalog.checks import LARGEST_ID
from jupyter_blueno.catalog.model import User
from jupyter_blueno.database import tables
from jupyter_blueno.errors import NotFound


def _visible(team: Any, person: Any) -> sa.ColumnElement[bool]:
    dataset = tables.dataset.c
    return sa.and_(
        dataset.team == team,
        sa.or_(dataset.visibility != "private", dataset.owner == person),
    )


# For statements that are built once, for everybody: with `seen_by` among what they are asked with.
VISIBLE = _visible(sa.bindparam("seen_team", type_=sa.Text), sa.bindparam("seen_person", type_=sa.Text))


def seen_by(user: User) -> dict[str, str]:
    """Who is meant by `VISIBLE`."""
    return {"seen_team": user.team, "seen_person": user.name}


def visible_to(user: User) -> sa.ColumnElement[bool]:
    """The datasets of the user's team, without those that are private to somebody else.

    What this hides does not exist for the user: every query for a dataset, to
    read it or to write to it, goes through here.
    """
    return _visible(user.team, user.name)


def seen_dataset(
    connection: sa.Connection, user: User, dataset_id: int, *, deleted: bool = False
) -> sa.Row[Any]:
    """The dataset's row; with `deleted` also from the trash.

    Raises
    ------
    NotFound
        ``dataset_not_found``
    """
    return _row(connection, user, dataset_id, deleted, lock=False)


def locked_dataset(
    connection: sa.Connection, user: User, dataset_id: int, *, deleted: bool = False
) -> sa.Row[Any]:
    """The same, locked until the transaction ends: who writes to a dataset waits for who does so now."""
    return _row(connection, user, dataset_id, deleted, lock=True)


def missing(dataset_id: int) -> NotFound:
    return NotFound(f"There is no dataset {dataset_id}; it may have been deleted.", code="dataset_not_found")


def _row(connection: sa.Connection, user: User, dataset_id: int, deleted: bool, lock: bool) -> sa.Row[Any]:
    row = None
    if 0 < dataset_id <= LARGEST_ID:
        query = sa.select(tables.dataset).where(tables.dataset.c.id == dataset_id, visible_to(user))
        row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None or (row.deleted_at is not None and not deleted):
        raise missing(dataset_id)
    return row
