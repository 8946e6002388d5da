"""The service's database is made ready by its owner, with the command that a pod of the chart begins with."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.database.binaries import newest
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import DatabaseUnavailable

SCRIPTS = Path(__file__).parents[2] / "charts" / "blueno" / "files"

RIGHTS = """
    SELECT tablename, array_agg(has_table_privilege(tablename, kind) ORDER BY kind)
    FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS kind
    WHERE schemaname = 'public' GROUP BY tablename ORDER BY tablename
"""


@pytest.fixture
def urls(postgres: sa.Engine) -> Iterator[dict[str, str]]:
    """An empty database with an owner, and a role for the service that is not there yet."""
    name = f"roles_{uuid.uuid4().hex[:8]}"
    with postgres.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'o'")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER {name}")
        connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    given = {
        "URL": postgres.url.set(database=name, username=f"{name}_service", password="s'%"),
        "OWNER_URL": postgres.url.set(database=name, username=name, password="o"),
        "ADMIN_URL": postgres.url,
    }
    yield {f"BLUENO_DATABASE_{key}": url.render_as_string(False) for key, url in given.items()}
    with postgres.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        for role in (f"{name}_service", name):
            connection.exec_driver_sql(f"DROP ROLE IF EXISTS {role}")


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyter_blueno.hub.database"]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)


def test_the_owner_makes_the_tables_and_the_service_uses_them(urls: dict[str, str], tmp_path: Path) -> None:
    service = Database(Config(home=str(tmp_path), database_url=urls["BLUENO_DATABASE_URL"]), team=None)
    for _ in range(2):  # each pod of the service begins with it
        done = run(urls)
        assert (done.returncode, done.stderr) == (0, "")
        assert "may not change them" in done.stdout
    with service.of("one").begin() as connection:
        connection.execute(sa.text("INSERT INTO secret (team, name, owner) VALUES ('one', 'a', 'b')"))
    for said in ("CREATE TABLE another (a int)", "DROP TABLE secret", "CREATE SCHEMA another"):
        with pytest.raises(DatabaseUnavailable), service.of("one").begin() as connection:
            connection.execute(sa.text(said))
    owner = sa.create_engine(urls["BLUENO_DATABASE_OWNER_URL"])
    with owner.begin() as connection:  # whom the policies bind, too
        assert connection.scalar(sa.text("SELECT count(*) FROM secret")) == 0
    owner.dispose()
    service.close()


def test_what_is_wrong_is_said_without_a_password(urls: dict[str, str]) -> None:
    for change, words in (
        ({"BLUENO_DATABASE_ADMIN_URL": ""}, "_service"),  # nobody makes the role
        ({"BLUENO_DATABASE_OWNER_URL": urls["BLUENO_DATABASE_URL"]}, "need roles of their own"),
    ):
        done = run(urls | change)
        assert done.returncode == 1
        assert words in done.stderr
        assert "s'%" not in done.stderr
        assert "Traceback" not in done.stderr
    assert run({**urls, "BLUENO_DATABASE_OWNER_URL": ""}).returncode == 0


def scripted(
    name: str, urls: dict[str, str], folder: Path, programs: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of the chart's scripts, without its half for the hub, which has nothing to do with it."""
    (folder / "backups").mkdir(exist_ok=True)
    text = (SCRIPTS / f"{name}.sh").read_text().replace("in hub blueno", "in blueno")
    text = text.replace("/backups", str(folder / "backups"))
    given = {
        "KEEP": "2",
        "HUB_URL": "",
        "SERVICE_URL": urls["BLUENO_DATABASE_URL"],
        "OWNER_URL": urls["BLUENO_DATABASE_OWNER_URL"],
    }
    path = f"{programs or newest()}:{newest()}:{os.environ['PATH']}"
    environment = {**os.environ, **given, "PATH": path}
    return subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True)


def test_a_backup_has_the_rows_of_all_teams(urls: dict[str, str], tmp_path: Path) -> None:
    assert run(urls).returncode == 0
    service = Database(Config(home=str(tmp_path), database_url=urls["BLUENO_DATABASE_URL"]), team=None)
    for team in ("one", "two"):
        with service.of(team).begin() as connection:
            connection.execute(sa.text(f"INSERT INTO secret (team, name, owner) VALUES ('{team}', 'a', 'b')"))
    with service.of_everybody.begin() as connection:
        before = connection.execute(sa.text(RIGHTS)).all()
    for script in ("backup", "restore"):
        done = scripted(script, urls, tmp_path)
        assert done.returncode == 0, done.stderr
        if script == "backup":
            with service.of("one").begin() as connection:
                connection.execute(sa.text("DELETE FROM secret"))
    service.pool.reopen()
    with service.of_everybody.begin() as connection:
        rights = connection.execute(sa.text(RIGHTS)).all()
    with service.of_everybody.begin() as connection:
        assert sorted(connection.scalars(sa.text("SELECT team FROM secret"))) == ["one", "two"]
    assert rights == before
    with service.of("one").begin() as connection:
        assert list(connection.scalars(sa.text("SELECT team FROM secret"))) == ["one"]
    service.close()


# Killed when the first table is written, with all its rows.
KILLED = """\
#!/bin/sh
{pg_restore} "$@" | sed '/^[\\]\\.$/q'
kill -9 $$
"""


@pytest.mark.parametrize("half", ["file", "program"])
def test_half_a_backup_is_not_restored(urls: dict[str, str], tmp_path: Path, half: str) -> None:
    assert run(urls).returncode == 0
    service = Database(Config(home=str(tmp_path), database_url=urls["BLUENO_DATABASE_URL"]), team=None)
    rows = "SELECT 'one', md5(n::text), 'b' FROM generate_series(1, 20000) n"
    with service.of("one").begin() as connection:
        connection.execute(sa.text(f"INSERT INTO secret (team, name, owner) {rows}"))
    assert scripted("backup", urls, tmp_path).returncode == 0
    with service.of("one").begin() as connection:
        connection.execute(sa.text("INSERT INTO secret (team, name, owner) VALUES ('one', 'since', 'b')"))
    # For the owner alone, as the hub's own is.
    urls = {"BLUENO_DATABASE_URL": urls["BLUENO_DATABASE_OWNER_URL"], "BLUENO_DATABASE_OWNER_URL": ""}
    programs = tmp_path / "programs"
    programs.mkdir()
    if half == "file":
        (kept,) = (tmp_path / "backups").iterdir()
        with (kept / "blueno").open("r+b") as file:
            file.truncate(file.seek(0, os.SEEK_END) // 2)
    else:
        (programs / "pg_restore").write_text(KILLED.format(pg_restore=newest() / "pg_restore"))
        (programs / "pg_restore").chmod(0o755)
    done = scripted("restore", urls, tmp_path, programs)
    assert done.returncode != 0
    assert "The databases are as they were" not in done.stdout
    service.pool.reopen()
    with service.of("one").begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM secret")) == 20001
    service.close()
    if half == "program":
        assert "blueno: the backup could not be read to its end; this database is as it was." in done.stdout
