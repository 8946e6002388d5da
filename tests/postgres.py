"""Real PostgreSQL servers for tests."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from jupyter_blueno.database.engine import migrate
from jupyter_blueno.database.roles import let_use

OLDEST = 14


@contextmanager
def migrated(url: sa.URL) -> Iterator[sa.Engine]:
    """Connections to a server that holds a migrated database called ``template``."""
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Nobody asks for a test's rows after a power cut, and each test has a database made for it.
        connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
        connection.execute(sa.text("CREATE DATABASE template"))
    template = sa.create_engine(url.set(database="template"))
    migrate(template)
    template.dispose()
    yield admin
    admin.dispose()


def of_service(url: sa.URL) -> sa.URL:
    """The same database for a role that reads and writes it, and owns nothing, as a hub's service has it."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if not connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'service'")):
            connection.execute(sa.text("CREATE ROLE service LOGIN PASSWORD 'of-the-service'"))
        let_use(connection, "service")
    engine.dispose()
    return url.set(username="service", password="of-the-service")


@contextmanager
def installed_server() -> Iterator[sa.URL]:
    """A server from the system's own PostgreSQL, with a password, on a socket; stopped afterwards."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("[0-9]*") if int(path.name) >= OLDEST]
    if not versions:
        pytest.skip("no PostgreSQL but the embedded one is installed here")
    programs = min(versions, key=lambda path: int(path.name)) / "bin"
    user = "postgres" if os.geteuid() == 0 else None
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(prefix="blueno-other-") as made:
        folder = Path(made)
        (folder / "password").write_text(password)
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", str(folder / "cluster"), *arguments]
            entry = pwd.getpwnam(user) if user is not None else None
            subprocess.run(
                command,
                check=True,
                cwd="/",
                stdout=subprocess.DEVNULL,
                user=entry.pw_uid if entry else None,
                group=entry.pw_gid if entry else None,
                extra_groups=[] if entry else None,
            )

        run("initdb", "-U", "owner", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield sa.URL.create(
                "postgresql+psycopg2", "owner", password, database="postgres", query={"host": str(folder)}
            )
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
