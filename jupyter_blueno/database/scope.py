"""Whose rows a transaction sees.

Every table with rows of teams has a policy (row-level security) that compares
their team with the setting `blueno.team`, which is made known to PostgreSQL
together with the first statement of each transaction and ends with it. Who
forgot to say a team sees nothing. For superusers, as on the embedded server,
policies do not count.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import STATUS_READY

EVERYBODY = "*"  # no group of a hub has this name
OPTION = "blueno_team"
_PLAIN = re.compile(r"[A-Za-z0-9_-]")


def saying(team: str) -> str:
    """The statement that says whose transaction it is, to be put before another one.

    Letters are written as numbers, so that nothing in a name means anything to
    PostgreSQL or to the driver.
    """
    written = "".join(one if _PLAIN.match(one) else f"\\+{ord(one):06X}" for one in team)
    return f"SET LOCAL blueno.team = U&'{written}'; "


def with_team(connection: sa.Connection, cursor: Any, statement: str) -> str:
    """The statement, with the team before it if it begins a transaction."""
    said: str = connection.get_execution_options().get(OPTION) or ""
    # "Ready" is a connection whose next statement begins one, and so always one in autocommit.
    return said + statement if said and cursor.connection.status == STATUS_READY else statement


def listen(engine: sa.Engine) -> None:
    """Have what the connections' options say said with the first statement of each transaction."""
    sa.event.listen(engine, "before_cursor_execute", _before, retval=True)


def _before(
    connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    return with_team(connection, cursor, statement), parameters
