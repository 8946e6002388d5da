"""Who may see which dataset."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_blueno.catalog.model import User
from jupyter_blueno.database import tables


def visible_to(user: User) -> sa.ColumnElement[bool]:
    """The datasets of the user's team, without those that are private to somebody else.

    What this hides does not exist for the user: every query for a dataset, to
    read it or to write to it, goes through here.
    """
    dataset = tables.dataset.c
    return sa.and_(
        dataset.team == user.team,
        sa.or_(dataset.visibility != "private", dataset.owner == user.name),
    )
