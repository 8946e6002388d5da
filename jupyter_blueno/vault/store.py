"""The table of secrets: their SQL, and rows as structs. It has no values."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from jupyter_blueno.database.tables import secret
from jupyter_blueno.vault.model import Secret


def listed(connection: sa.Connection, team: str) -> list[Secret]:
    """A team's, by name."""
    statement = sa.select(secret).where(secret.c.team == team).order_by(secret.c.name)
    return [Secret(row.name, row.owner, row.updated_at) for row in connection.execute(statement)]


def missing(connection: sa.Connection, team: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that the team does not have."""
    wanted = list(names)
    statement = sa.select(secret.c.name).where(secret.c.team == team, secret.c.name.in_(wanted))
    there = set(connection.execute(statement).scalars())
    return [name for name in wanted if name not in there]


def put(connection: sa.Connection, team: str, name: str, owner: str) -> Secret:
    """Say that a secret was set now."""
    statement = insert(secret).values(team=team, name=name, owner=owner)
    statement = statement.on_conflict_do_update(
        index_elements=["team", "name"], set_={"owner": owner, "updated_at": sa.func.now()}
    )
    row = connection.execute(statement.returning(secret)).one()
    return Secret(row.name, row.owner, row.updated_at)


def delete(connection: sa.Connection, team: str, name: str) -> bool:
    """Forget a secret; False if there was none."""
    statement = sa.delete(secret).where(secret.c.team == team, secret.c.name == name)
    return connection.execute(statement).rowcount == 1
