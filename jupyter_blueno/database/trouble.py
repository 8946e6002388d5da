"""What the driver says, as a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg2
import sqlalchemy as sa
from psycopg2 import errors as refused

from jupyter_blueno.errors import DatabaseUnavailable

SEGMENT = 16 << 20  # bytes


def explained(error: sa.exc.DBAPIError | psycopg2.Error) -> DatabaseUnavailable | None:
    """Why the database could not go on, or None if what it was asked for was wrong."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    if isinstance(cause, refused.DiskFull):
        return DatabaseUnavailable("The database's disk is full: free some space on it and try again.")
    if isinstance(cause, (refused.DeadlockDetected, refused.SerializationFailure)):
        return DatabaseUnavailable("Two changes came at once and got into each other's way; try again.")
    if isinstance(cause, (refused.ReadOnlySqlTransaction, refused.InsufficientPrivilege)):
        return DatabaseUnavailable(
            f"The database does not let us write ({_first_line(cause)}): set BLUENO_DATABASE_URL to a "
            "database of ours that is not a read-only replica."
        )
    if not lost and isinstance(cause, psycopg2.OperationalError) and (cause.pgcode or "57P")[:3] != "57P":
        return DatabaseUnavailable(f"The database could not do it now ({_first_line(cause)}); try again.")
    # A server that is killed while it answers leaves errors without a code, of several classes.
    broken = type(cause) is psycopg2.DatabaseError and cause.pgcode is None
    if lost or broken or isinstance(cause, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return DatabaseUnavailable(
            "The connection to the database was lost, and what was not yet saved is not saved; try again."
        )
    return None


def disk_is_full(folder: Path) -> bool:
    """Whether there is no room for one more segment of the server's log, which its shut-down may need."""
    try:
        return shutil.disk_usage(folder).free < SEGMENT
    except OSError:
        return False


def unreachable(error: sa.exc.DBAPIError, url: str) -> DatabaseUnavailable:
    """Why there is no connection, with what to check; never with the password."""
    said = _first_line(error.orig)
    if not url:
        return DatabaseUnavailable(f"The database does not answer ({said}); try again.")
    where = sa.make_url(url).set(query={}).render_as_string(hide_password=True)
    if isinstance(error.orig, refused.InsufficientPrivilege):
        return DatabaseUnavailable(
            f"The user of {where} (BLUENO_DATABASE_URL) may not make tables ({said}): make the user the "
            "owner of the database."
        )
    if "authentication failed" in said or "no password" in said:
        check = "check user and password in it."
    elif "does not exist" in said:
        check = "create the database or the role, or correct the name."
    else:
        check = "check that the server runs, and host and port in it."
    return DatabaseUnavailable(
        f"The PostgreSQL of BLUENO_DATABASE_URL, {where}, does not answer ({said}): {check}"
    )


def _first_line(cause: BaseException | None) -> str:
    return (str(cause).strip().splitlines() or ["no reason given"])[0].rstrip(".")
