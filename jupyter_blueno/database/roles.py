"""Who may do what in the database of a hub: an owner makes tables, the service only uses them."""

from __future__ import annotations

import sqlalchemy as sa

MAINTAINS = 17  # the PostgreSQL from which on others than the owner may be let VACUUM
KEPT = "alembic_version"  # what only migrations write


def let_use(connection: sa.Connection, role: str) -> None:
    """Let a role read and write all rows that policies show it, and nothing more; said by the owner."""
    name = connection.dialect.identifier_preparer.quote(role)
    rights = "SELECT, INSERT, UPDATE, DELETE"
    if connection.dialect.server_version_info >= (MAINTAINS,):  # type: ignore[operator]
        rights += ", MAINTAIN"
    database = connection.dialect.identifier_preparer.quote(connection.engine.url.database or "")
    for said in (
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"REVOKE INSERT, UPDATE, DELETE ON {KEPT} FROM {name}",
        f"REVOKE UPDATE ON audit FROM {name}",  # what was done is not put right afterwards
    ):
        connection.exec_driver_sql(said)
