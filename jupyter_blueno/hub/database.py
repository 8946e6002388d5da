"""``python -m jupyter_blueno.hub.database``: makes the service's database ready for it.

The tables are made, or brought up to date, by their owner, and the service's role
is let use them. The service itself has no right to make or change tables, and
does not know the owner's password.
"""

from __future__ import annotations

import os
import sys
import time

import sqlalchemy as sa
from psycopg2 import sql

from jupyter_blueno.database.engine import external_url, migrate
from jupyter_blueno.database.roles import let_use
from jupyter_blueno.errors import BluenoError

PATIENCE = 60.0  # seconds for a database that is about to start


def main() -> int:
    """Do it; 0 if all is as it should be."""
    service, owner, admin = (
        os.environ.get(f"BLUENO_DATABASE_{one}URL", "") for one in ("", "OWNER_", "ADMIN_")
    )
    if not owner:
        print("The service owns its tables: it makes them itself.")
        return 0
    try:
        prepare(external_url(service), external_url(owner), external_url(admin) if admin else None)
    except BluenoError as error:
        print(error.message, file=sys.stderr)
        return 1
    except sa.exc.DBAPIError as error:
        print(f"The database could not be made ready: {error.orig}".strip(), file=sys.stderr)
        return 1
    print("The database is ready: the service uses its tables, and may not change them.")
    return 0


def prepare(service: sa.URL, owner: sa.URL, admin: sa.URL | None = None) -> None:
    """Make the tables as `owner`, and let the role of `service` use them.

    Parameters
    ----------
    service, owner : sqlalchemy.URL
        The same database, as each of them connects.
    admin : sqlalchemy.URL, optional
        Of one who may make roles: the service's is made, or gets the password
        that `service` has. Without, it has to be there.
    """
    if not service.username or service.username == owner.username:
        raise BluenoError("Owner and service need roles of their own in the database; their URLs name one.")
    if admin is not None:
        _make_role(admin, service.username, service.password or "")
    engine = sa.create_engine(owner)
    try:
        _wait(engine)
        migrate(engine)
        with engine.begin() as connection:
            let_use(connection, service.username)
    finally:
        engine.dispose()


def _make_role(admin: sa.URL, name: str, password: str) -> None:
    engine = sa.create_engine(admin)
    try:
        _wait(engine)
        with engine.begin() as connection:
            known = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name})
            said = sql.SQL(f"{'ALTER' if known else 'CREATE'} ROLE {{}} LOGIN NOSUPERUSER PASSWORD {{}}")
            cursor = connection.connection.cursor()
            cursor.execute(said.format(sql.Identifier(name), sql.Literal(password)))
    finally:
        engine.dispose()


def _wait(engine: sa.Engine) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            engine.connect().close()
            return
        except sa.exc.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
