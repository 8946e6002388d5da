"""Which teams have something new: one look for all who wait."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_blueno.database.engine import Database
from jupyter_blueno.database.revisions import current_revision
from jupyter_blueno.database.tables import dataset, job, model_version, schedule

_SINCE = sa.bindparam("since", type_=sa.BigInteger)
_TEAM = sa.bindparam("team", type_=sa.Text)
_KINDS = (dataset, job, schedule, model_version)
_CHANGED = sa.union(
    *(
        sa.select(one.c.team, sa.literal_column(f"'{one.name}'")).where(one.c.revision > _SINCE)
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


def look(database: Database, since: int) -> tuple[int, set[tuple[str, str]]]:
    """The newest revision; teams, and tables in which something changed for them after `since`."""
    with database.autocommit() as connection:
        now = current_revision(connection)
        if now <= since:
            return now, set()
        return now, {(team, name) for team, name in connection.execute(_CHANGED, {"since": since})}
