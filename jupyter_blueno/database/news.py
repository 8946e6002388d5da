"""Who has something new: one look for all who wait."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from jupyter_blueno.database.engine import Database
from jupyter_blueno.database.revisions import current_revision
from jupyter_blueno.database.tables import dataset, job, model_version, schedule

_SINCE = sa.bindparam("since", type_=sa.BigInteger)
_TEAM = sa.bindparam("team", type_=sa.Text)
_KINDS = (dataset, job, schedule, model_version)
_NOBODY: sa.ColumnElement[str] = sa.literal_column("''")
_OWNER = sa.case((dataset.c.visibility == "private", dataset.c.owner), else_=_NOBODY)
_CHANGED = sa.union(
    *(
        sa.select(
            one.c.team, _OWNER if one is dataset else _NOBODY, sa.literal_column(f"'{one.name}'")
        ).where(one.c.revision > _SINCE)
        for one in _KINDS
    )
)
_OF_TEAM = sa.select(
    *(sa.exists().where(one.c.team == _TEAM, one.c.revision > _SINCE).label(one.name) for one in _KINDS)
)


def kinds(connection: sa.Connection, team: str, since: int) -> set[str]:
    """The tables in which something changed for a team after `since`."""
    row = connection.execute(_OF_TEAM, {"team": team, "since": since}).one()
    return {name for name, changed in row._mapping.items() if changed}


class Change(NamedTuple):
    """In which table something is new, and for whom: one person of a team, or all of it (``""``)."""

    team: str
    person: str
    kind: str


def look(database: Database, since: int) -> tuple[int, set[Change]]:
    """The newest revision, and what changed after `since`."""
    with database.autocommit() as connection:
        now = current_revision(connection)
        if now <= since:
            return now, set()
        return now, {Change(*row) for row in connection.execute(_CHANGED, {"since": since})}
