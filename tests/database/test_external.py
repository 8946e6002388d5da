"""A PostgreSQL that is not ours: the system's own, of another version."""

from __future__ import annotations

import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from jupyter_blueno.catalog import store
from jupyter_blueno.catalog.model import User
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import MIGRATION_LOCK, Database, external_url
from jupyter_blueno.errors import DatabaseUnavailable
from jupyter_blueno.server.handlers.operation import status_of
from tests.catalog.test_store import *  # noqa: F403 - all that the catalog can, once more
from tests.database.clients import wait_until
from tests.database.test_migrations import *  # noqa: F403
from tests.postgres import installed_server, migrated

PASSWORD = "s3cret-pässword"


@pytest.fixture(scope="module")
def postgres() -> Iterator[sa.Engine]:
    """In place of the embedded server of the other tests."""
    with installed_server() as url, migrated(url) as admin:
        yield admin


@pytest.fixture
def empty(postgres: sa.Engine) -> Iterator[str]:
    """The URL of a database without tables."""
    name = f"empty_{uuid.uuid4().hex}"
    with postgres.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    yield postgres.url.set(database=name).render_as_string(hide_password=False)
    with postgres.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def test_it_is_another_version(context: Context) -> None:  # noqa: F405
    with context.database.begin() as connection:
        assert 140000 <= int(connection.scalar(sa.text("SHOW server_version_num"))) < 180000


def test_all_languages_are_kept_where_a_database_knows_no_encoding(postgres: sa.Engine) -> None:
    """As initdb makes it where no locale is set."""
    name = f"ascii_{uuid.uuid4().hex}"
    with postgres.connect() as connection:
        asked = (
            f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        connection.execute(sa.text(asked))
    url = postgres.url.set(database=name).render_as_string(hide_password=False)
    said = "“Größe” 肝臓"
    database = Database(Config(database_url=url))
    made = store.create_dataset(database, User("ann"), said, said, {"it": said})
    found = store.get_dataset(database, User("ann"), made.id)
    assert (found.name, found.description, found.info) == (said, said, {"it": said})
    database.close()
    with postgres.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))


# -- migrations -----------------------------------------------------------------

MIGRATE = """
import sys
from jupyter_blueno.catalog import store
from jupyter_blueno.catalog.model import User
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
with Database(Config(database_url=sys.argv[1])).begin():
    print("done")
"""


def test_migrations_at_once(empty: str) -> None:
    engine = sa.create_engine(empty)
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with engine.connect() as gate, engine.connect() as watch:
        gate.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        processes = [
            subprocess.Popen([sys.executable, "-c", MIGRATE, empty], stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        wait_until(lambda: watch.scalar(waiting) == 3)  # all three found no tables
        gate.rollback()
        assert [process.communicate()[0] for process in processes] == ["done\n"] * 3
    engine.dispose()


def test_one_that_is_killed_in_the_middle_leaves_nothing_half_done_to_the_next(empty: str) -> None:
    engine = sa.create_engine(empty)
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = :kind AND NOT granted")
    command = [sys.executable, "-c", MIGRATE, empty]
    with engine.connect() as gate, engine.connect() as watch:
        gate.execute(sa.text("CREATE TABLE audit (id int)"))  # who makes it, some migrations later, waits
        first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: watch.scalar(waiting, {"kind": "transactionid"}) == 1)
        second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: watch.scalar(waiting, {"kind": "advisory"}) == 1)
        first.kill()
        assert first.communicate()[0] == ""
        gate.rollback()
        assert second.communicate()[0] == "done\n"
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_a_schema_of_a_newer_version(empty: str) -> None:
    database = Database(Config(database_url=empty))
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseUnavailable, match=r"newer jupyter-blueno .*9999.*upgrade") as caught:
        _use(empty)
    assert caught.value.code == "database_newer"
    assert status_of(caught.value) == 503


def test_a_user_who_may_not_make_tables(empty: str, postgres: sa.Engine) -> None:
    engine = sa.create_engine(empty, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("REVOKE CREATE ON SCHEMA public FROM public"))
        connection.execute(sa.text(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'"))
    engine.dispose()
    url = sa.make_url(empty).set(username="reader", password=PASSWORD)
    with pytest.raises(DatabaseUnavailable, match=r"may not make tables .* make the user the owner"):
        _use(url.render_as_string(hide_password=False))
    with postgres.connect() as connection:
        connection.execute(sa.text("DROP ROLE reader"))


# -- what people mistype ----------------------------------------------------------


def _use(url: str) -> None:
    database = Database(Config(database_url=url))
    try:
        with database.begin():
            pass
    finally:
        assert PASSWORD not in repr(database) + repr(database.config) + repr(database.pool._engine)
        database.close()


def test_a_wrong_password_user_or_database(empty: str) -> None:
    url = sa.make_url(empty)
    for change, advice in (
        ({"password": PASSWORD}, "check user and password"),
        ({"username": "nobody-known", "password": PASSWORD}, "check user and password"),
        ({"database": "missing"}, "create the database"),
    ):
        with pytest.raises(DatabaseUnavailable, match=advice) as caught:
            _use(url.set(**change).render_as_string(hide_password=False))  # type: ignore[arg-type]
        _tells_nothing(caught.value, PASSWORD, str(url.password))


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        (f"postgresql://u:{PASSWORD}@127.0.0.1:9/d", "check that the server runs, and host and port"),
        (f"postgresql://u:{PASSWORD}@no-such-host.invalid/d", "check that the server runs"),
        (f"postgres://u:{PASSWORD}@127.0.0.1:9/d", "check that the server runs"),
        (f"postgresql+asyncpg://u:{PASSWORD}@127.0.0.1:9/d", "check that the server runs"),
        (f"postgresql://u:{PASSWORD}@more@127.0.0.1/d", "more than one '@'.* written as %40"),
        (f"postgresql://u:{PASSWORD}@h:port/d", "not a database's URL. It looks like"),
        (f"u:{PASSWORD}", "not a database's URL. It looks like"),
        (f"mysql://u:{PASSWORD}@h/d", "names a 'mysql'; only PostgreSQL"),
        (f"postgresql://h:9/d?user=u&password={PASSWORD}", "check that the server runs"),
    ],
)
def test_a_wrong_url(url: str, advice: str, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(DatabaseUnavailable, match=rf"BLUENO_DATABASE_URL.*{advice}") as caught,
    ):
        _use(url)
    _tells_nothing(caught.value, PASSWORD)
    assert PASSWORD not in caplog.text


def test_a_password_of_any_letters() -> None:
    written = external_url("postgresql://u:p%40%2F%3A%25@h/d")
    assert (written.password, written.host) == ("p@/:%", "h")


def _tells_nothing(error: BaseException | None, *secrets: str) -> None:
    while error is not None:
        assert not any(secret in f"{error} {error!r}" for secret in secrets)
        error = error.__cause__ or error.__context__
