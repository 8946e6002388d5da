"""The database of one process: found or started on first use, migrated, reconnected."""

from __future__ import annotations

import copy
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.database import scope, trouble
from jupyter_blueno.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from jupyter_blueno.database.embedded import EmbeddedServer

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x626C7565  # "blue"
OLDEST = (14,)
QUIET = 30.0  # seconds after which a connection is asked whether it still works
_migrating = threading.Lock()  # alembic keeps the migration at hand in a module

# Of libpq, seconds and milliseconds: a server whose machine or pod is gone does not close its connections,
# and the system would wait for minutes.
PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 5000}


class Database:
    """Connections to the catalog's PostgreSQL.

    Thread-safe. Costs nothing until the first `begin` or `connect`.

    Parameters
    ----------
    config : Config
        Names the database, or the data folder whose embedded server is meant.
    connections : int
        How many are kept open while nobody uses them.
    team : str, optional
        Whose rows are seen: of `scope.EVERYBODY`, or, with None, nobody's but in
        what `of` returns.
    """

    def __init__(self, config: Config, connections: int = 5, team: str | None = scope.EVERYBODY) -> None:
        self.config = config
        self.pool = _Pool(config, connections)
        self._said = self._saying(team)

    def of(self, team: str) -> Database:
        """The same database and connections, where only the rows of a team are seen and written."""
        other = copy.copy(self)
        other._said = self._saying(team)
        return other

    @property
    def of_everybody(self) -> Database:
        """The same, for what looks after the rows of all teams."""
        return self.of(scope.EVERYBODY)

    def _saying(self, team: str | None) -> str | None:
        # The embedded server's user is a superuser, to whom no policy applies.
        return scope.saying(team) if team is not None and self.config.database_url else None

    @property
    def engine(self) -> sa.Engine:
        return self.pool.engine

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end of the block, rolled back by an exception.

        Raises
        ------
        DatabaseUnavailable
            If the database does not answer, also in the middle of the block.
        """
        with self.connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection outside of a transaction; raises as `begin` does."""
        with self._connect() as connection:
            try:
                yield connection
            except (sa.exc.DBAPIError, psycopg2.Error) as error:  # COPY goes past SQLAlchemy
                refused = trouble.explained(error)
                if refused is None:
                    raise
                raise refused from error

    @contextmanager
    def autocommit(self) -> Iterator[sa.Connection]:
        """A connection on which each statement is a transaction of its own; raises as `begin` does.

        For work of one statement: the database is asked once, not three times.
        """
        with self.connected() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.autocommit = True  # with SQLAlchemy's option the server would be asked to go back
            try:
                yield connection
            finally:
                if not driver.closed:
                    driver.autocommit = False

    def close(self) -> None:
        """Drop the connections, and the embedded server if nobody else uses it."""
        self.pool.close()

    def _connect(self) -> sa.Connection:
        engine = self.pool.engine
        try:
            try:
                connection = engine.connect()
            except sa.exc.OperationalError:
                # The server went away (kill -9, a restart): start or find it, once.
                self.pool.reopen(engine)
                connection = self.pool.engine.connect()
        except sa.exc.OperationalError as error:
            raise trouble.unreachable(error, self.config.database_url) from error
        except sa.exc.TimeoutError as error:
            raise DatabaseUnavailable(
                "Too much is asked of the database at once, and it did not get to this; try again."
            ) from error
        return connection.execution_options(**{scope.OPTION: self._said}) if self._said else connection


class _Pool:
    """The connections of a process, of whatever teams. Thread-safe."""

    def __init__(self, config: Config, connections: int) -> None:
        self.config = config
        self._connections = connections
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None
        self._server: EmbeddedServer | None = None

    @property
    def engine(self) -> sa.Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._open()
            return self._engine

    def reopen(self, lost: sa.Engine | None = None) -> None:
        """Connect anew, unless another thread already replaced the engine that was `lost`."""
        with self._lock:
            if lost is not None and self._engine is not lost:
                return
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None
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
        external = self.config.database_url
        url = sa.make_url(external_url(external) if external else self._embedded_url())
        engine = sa.create_engine(
            url,
            connect_args={
                name: value
                for name, value in {"client_encoding": "utf8", **(PATIENCE if external else {})}.items()
                if name not in url.query
            },
            pool_size=self._connections,
            max_overflow=15,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
        )
        sa.event.listen(engine, "checkout", _check_alive)
        sa.event.listen(engine, "checkin", _note_use)
        scope.listen(engine)
        try:
            migrate(engine)
        except sa.exc.DBAPIError as error:
            engine.dispose()
            raise trouble.unreachable(error, self.config.database_url) from error
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _embedded_url(self) -> str:
        if self._server is None:
            from jupyter_blueno.database.embedded import EmbeddedServer

            try:
                self._server = EmbeddedServer(self.config.folder("postgres"))
            except OSError as error:
                raise DatabaseUnavailable(
                    f"The data folder {self.config.home} cannot be used ({error.strerror}): make it yours "
                    "and writable, or set BLUENO_HOME to another folder."
                ) from error
        return self._server.start()


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _check_alive(connection: Any, record: Any, _: Any) -> None:
    """Have the pool connect anew where the server is gone.

    A server that ends closes its end of the connection, which is seen without
    asking it anything; only what was quiet for long is asked, since a network
    that forgets such a connection says nothing.
    """
    if "used" not in record.info:
        return
    ears = select.poll()
    ears.register(connection.fileno(), select.POLLIN)
    try:
        if ears.poll(0) or time.monotonic() - record.info["used"] > QUIET:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.rollback()
    except psycopg2.Error as error:
        raise sa.exc.InvalidatePoolError(str(error)) from error


def external_url(text: str) -> sa.URL:
    """The database that BLUENO_DATABASE_URL means.

    Raises
    ------
    DatabaseUnavailable
        If it is not the URL of a PostgreSQL. The message does not quote it: it may hold a password.
    """
    advice = (
        "It looks like postgresql://user:password@host:5432/database, with '@', '/', ':' and '%' of a "
        "password written as %40, %2F, %3A and %25."
    )
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise DatabaseUnavailable(f"BLUENO_DATABASE_URL is not a database's URL. {advice}") from None
    if url.drivername.split("+")[0] not in {"postgresql", "postgres"}:
        raise DatabaseUnavailable(
            f"BLUENO_DATABASE_URL names a '{url.drivername.split('+')[0]}'; only PostgreSQL is spoken here."
        )
    if "@" in (url.host or ""):
        raise DatabaseUnavailable(f"BLUENO_DATABASE_URL has more than one '@'. {advice}")
    return url.set(drivername="postgresql+psycopg2")


def vacuum(database: Database, table: sa.Table) -> None:
    """Let indexes answer for rows that were just added, as autovacuum would in a minute or so.

    Not inside a transaction. Left out if somebody else is at it.
    """
    with database.autocommit() as connection:
        connection.execution_options(**{scope.OPTION: None}).execute(
            sa.text(f'VACUUM (ANALYZE, SKIP_LOCKED) "{table.name}"')
        )


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`; concurrent callers wait for the first.

    Raises
    ------
    DatabaseUnavailable
        ``database_newer``: a newer Blueno made the schema; ``database_older``:
        this PostgreSQL is older than 14.
    """
    with engine.connect() as connection:
        stored = _stored_revision(connection)
        if revision == "head" and stored == _revisions()[-1]:
            return
        if engine.dialect.server_version_info < OLDEST:  # type: ignore[operator]
            raise DatabaseUnavailable(
                f"The PostgreSQL of BLUENO_DATABASE_URL is version {engine.dialect.server_version_info[0]}; "  # type: ignore[index]
                f"use {OLDEST[0]} or newer.",
                code="database_older",
            )
    if stored is not None and stored not in _revisions():
        raise DatabaseUnavailable(
            f"The database was made by a newer jupyter-blueno (its schema is {stored}, this one knows up "
            f"to {_revisions()[-1]}): upgrade jupyter-blueno here, and nothing is lost.",
            code="database_newer",
        )
    from alembic import command
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _migrating, engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _stored_revision(connection: sa.Connection) -> str | None:
    exists = connection.scalar(sa.text("SELECT to_regclass('alembic_version')"))
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if exists else None


def _revisions() -> list[str]:
    # File names are NNNN_title.py: they are known without importing alembic (0.2 s).
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
