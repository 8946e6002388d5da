"""The database of one process: found or started on first use, migrated, reconnected."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from jupyter_blueno.database.embedded import EmbeddedServer

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x626C7565  # "blue"


class Database:
    """Connections to the catalog's PostgreSQL.

    Thread-safe. Costs nothing until the first `begin` or `connect`.

    Parameters
    ----------
    config : Config
        Names the database, or the data folder whose embedded server is meant.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None
        self._server: EmbeddedServer | None = None

    @property
    def engine(self) -> sa.Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._open()
            return self._engine

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        with self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            connection = self.engine.connect()
        except sa.exc.OperationalError:
            # The server went away (kill -9, a restart): start or find it, once.
            self.reopen()
            try:
                connection = self.engine.connect()
            except sa.exc.OperationalError as error:
                raise DatabaseUnavailable(f"The database does not answer: {error.orig}") from error
        with connection:
            yield connection

    def reopen(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = self._open()

    def close(self) -> None:
        """Drop the connections, and the embedded server if nobody else uses it."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None
            if self._server is not None:
                self._server.release()
                self._server = None

    def _open(self) -> sa.Engine:
        url = self.config.database_url
        if url:
            url = url.replace("postgres://", "postgresql://", 1)
            if url.startswith("postgresql://"):
                url = url.replace("postgresql://", "postgresql+psycopg2://", 1)
        else:
            if self._server is None:
                from jupyter_blueno.database.embedded import EmbeddedServer

                self._server = EmbeddedServer(self.config.folder("postgres"))
            url = self._server.start()
        engine = sa.create_engine(
            url,
            pool_size=5,
            max_overflow=15,
            pool_pre_ping=True,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        try:
            migrate(engine)
        except sa.exc.OperationalError as error:
            engine.dispose()
            raise DatabaseUnavailable(f"The database does not answer: {error.orig}") from error
        return engine


def vacuum(database: Database, table: sa.Table) -> None:
    """Let indexes answer for rows that were just added, as autovacuum would in a minute or so.

    Not inside a transaction. Left out if somebody else is at it.
    """
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f'VACUUM (ANALYZE, SKIP_LOCKED) "{table.name}"'))


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`; concurrent callers wait for the first."""
    with engine.connect() as connection:
        if revision == "head" and _stored_revision(connection) == _newest_revision():
            return
    from alembic import command
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _stored_revision(connection: sa.Connection) -> str | None:
    exists = connection.scalar(sa.text("SELECT to_regclass('alembic_version')"))
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if exists else None


def _newest_revision() -> str:
    # File names are NNNN_title.py: the newest is known without importing alembic (0.2 s).
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))[:4]
