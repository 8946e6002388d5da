"""Who may use the embedded server, in which folders, as which user."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.database import account
from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import DatabaseUnavailable
from tests.database.clients import (
    CREATE,
    Client,
    kill_postmaster,
    names,
    pid_of,
    server,
    servers_of,
    wait_until,
)

# -- who may come in -------------------------------------------------------------


def test_only_the_user_comes_in(database: Database, home: Path) -> None:
    folder = home / "postgres"
    postmaster = psutil.Process(pid_of(database))
    for process in [postmaster, *postmaster.children(recursive=True)]:
        assert process.net_connections(kind="inet") == []
    assert stat.S_IMODE((folder / "socket").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) & 0o022 == 0
    assert stat.S_IMODE((folder / "cluster").stat().st_mode) == 0o700
    rules = (folder / "cluster/pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    url = sa.make_url(server(database).url)
    for change in ({"password": "wrong"}, {"password": ""}, {"username": "postgres"}, {"username": "root"}):
        with pytest.raises(psycopg2.OperationalError, match=r"authentication failed|no password"):
            psycopg2.connect(
                url.set(**change).render_as_string(hide_password=False).replace("+psycopg2", "")  # type: ignore[arg-type]
            )


def test_the_password_is_not_told(database: Database) -> None:
    password = sa.make_url(server(database).url).password
    assert password
    for text in (repr(database), repr(database.engine), repr(server(database)), str(database.engine.url)):
        assert password not in text


def test_a_missing_or_foreign_password_file(database: Database, home: Path) -> None:
    database.close()
    password = home / "postgres/password"
    kept = password.read_text()
    password.unlink()
    with pytest.raises(DatabaseUnavailable, match=r"password cannot be read from .*: give the file back"):
        names(database)
    password.write_text("another")
    with pytest.raises(DatabaseUnavailable, match="is not the database's: restore"):
        names(database)
    password.write_text(kept)
    assert names(database) == ["kept"]


# -- folders -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "x" * 120,
        "ü" * 40,  # short in letters, long in bytes
        "with spaces, commas and 'quotes\"",
        "100%s %20 $HOME `id` \\ # ?&=@:",
        "日本語 データ",
    ],
)
def test_any_path(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    database = Database(Config(home=str(home), database_url=""))
    try:
        assert names(database) == []
        assert pid_of(database)
        socket_folder = server(database)._socket_in_use()
        assert socket_folder is not None
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    finally:
        database.close()
    assert servers_of(home) == []
    if socket_folder.parent == Path(tempfile.gettempdir()):
        socket_folder.rmdir()


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    home = tmp_path.joinpath(*["x" * 200] * 5)
    with pytest.raises(DatabaseUnavailable, match="too long"):
        names(Database(Config(home=str(home), database_url="")))


def test_a_folder_reached_by_two_paths_has_one_server(database: Database, home: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(home)
    other = Database(Config(home=str(link), database_url=""))
    assert names(other) == ["kept"]
    assert pid_of(other) == pid_of(database)
    other.close()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a deep one would not be taken
        monkeypatch.setattr(tempfile, "tempdir", short)
        server = EmbeddedServer(tmp_path / ("y" * 120))
        digest = account.digest(str(server.folder))
        Path(short, f"blueno-{os.getuid()}-{digest}").symlink_to(tmp_path)
        with pytest.raises(DatabaseUnavailable, match="belongs to somebody else"):
            server.start()
        server.release()


def test_a_cluster_of_a_newer_postgres(database: Database, home: Path) -> None:
    database.close()
    (home / "postgres/cluster/PG_VERSION").write_text("99\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 99, but here is only 18") as caught:
        names(database)
    assert caught.value.code == "database_newer"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import DatabaseUnavailable
import sqlalchemy as sa
home = Path(sys.argv[1])
def use(home):
    database = Database(Config(home=str(home), database_url=""))
    try:
        with database.begin() as connection:
            connection.execute(sa.text(
                "INSERT INTO dataset (team, name, owner, description)"
                " SELECT 't', n::text, 'o', (SELECT string_agg(md5((n * 100 + i)::text), '')"
                " FROM generate_series(1, 50) i) FROM generate_series(1, 60000) n"
            ))
    except DatabaseUnavailable as error:
        print(error)
    finally:
        database.close()
use(home)
"""
    disk = tmp_path / "disk"
    disk.mkdir()
    # Too small for a cluster; too small for the rows, which ends the server when its log finds no room.
    for size, expected in (("8m", r"disk .*is full: free"), ("90m", "disk is full: free|connection .* lost")):
        mount = f'mount -t tmpfs -o size={size} blueno "$1" && exec "$2" -c "$3" "$1/home"'
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount, "sh", str(disk), sys.executable, script],
            capture_output=True,
            text=True,
        )
        if "unshare" in done.stderr or "mount:" in done.stderr:
            pytest.skip(f"mounting is refused here: {done.stderr}")
        assert re.search(expected, done.stdout), done.stdout + done.stderr
        assert done.returncode == 0, done.stderr


# -- users --------------------------------------------------------------------------


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """An empty folder that the user `nobody` owns and can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can try another user")
    with tempfile.TemporaryDirectory(prefix="blueno-nobody-") as made:
        import pwd

        entry = pwd.getpwnam("nobody")
        os.chown(made, entry.pw_uid, entry.pw_gid)
        yield Path(made)


def test_a_plain_user(others_folder: Path) -> None:
    home = others_folder / "home"
    client = Client(home, user="nobody")
    answer = client.answer()
    assert answer.get("datasets") == 0, answer
    assert psutil.Process(answer["pid"]).uids().real == others_folder.stat().st_uid
    client.leave()
    assert servers_of(home) == []


def test_a_folder_that_cannot_be_written(others_folder: Path) -> None:
    others_folder.chmod(0o500)
    answer = Client(others_folder / "home", user="nobody").answer()
    assert answer["error"] == "DatabaseUnavailable"
    assert "cannot be used (Permission denied): make it yours" in answer["message"]


def test_another_users_folder_is_refused(others_folder: Path, home: Path) -> None:
    ours = others_folder / "ours"
    ours.mkdir()
    mine = Client(ours)
    mine.answer()
    os.chmod(ours, 0o755)
    answer = Client(ours, user="nobody").answer()
    assert answer["error"] == "DatabaseUnavailable", answer
    assert "cannot be used (Permission denied)" in answer["message"]
    mine.leave()


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """As in a container that refuses user namespaces; yields where its system users keep state."""
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    monkeypatch.setattr(account, "namespaces_allowed", lambda: False)
    with tempfile.TemporaryDirectory(prefix="blueno-state-") as made:
        os.chmod(made, 0o755)
        monkeypatch.setattr(account, "STATE", Path(made))
        monkeypatch.setattr("jupyter_blueno.database.embedded.STATE", Path(made))
        yield Path(made)


def test_root_without_namespaces(without_namespaces: Path, home: Path) -> None:
    database = Database(Config(home=str(home), database_url=""))
    with database.begin() as connection:
        connection.execute(CREATE, {"name": "kept"})
    postmaster = psutil.Process(pid_of(database))
    assert postmaster.username() == "nobody"
    assert Path(postmaster.cwd()).is_relative_to(without_namespaces)
    (place,) = (path for path in without_namespaces.iterdir() if not path.name.startswith("postgresql-"))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    kill_postmaster(database)
    assert names(database) == ["kept"]
    database.close()
    wait_until(lambda: not _running_below(without_namespaces))
    # Another process finds it again, also when namespaces are allowed there.
    again = Database(Config(home=str(home), database_url=""))
    assert names(again) == ["kept"]
    again.close()


def test_root_loses_namespaces(database: Database, home: Path, request: pytest.FixtureRequest) -> None:
    database.close()
    request.getfixturevalue("without_namespaces")
    later = Database(Config(home=str(home), database_url=""))
    assert names(later) == ["kept"]
    assert psutil.Process(pid_of(later)).username() == "nobody"
    later.close()


def _running_below(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found
