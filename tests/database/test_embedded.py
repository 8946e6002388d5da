"""The server of a data folder: shared by real processes, killed in every way."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.database import account, keeper
from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import DatabaseUnavailable
from tests.database.clients import Client, servers_of, wait_until

CREATE = sa.text("INSERT INTO dataset (team, name, owner) VALUES ('t', :name, 'o')")
NAMES = sa.text("SELECT name FROM dataset ORDER BY id")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever runs in it is ended afterwards."""
    folder = tmp_path / "home"
    yield folder
    _kill(servers_of(folder))


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    """A database on the embedded server of `home`, with one dataset in it."""
    opened = Database(Config(home=str(home), database_url=""))
    with opened.begin() as connection:
        connection.execute(CREATE, {"name": "kept"})
    yield opened
    opened.close()


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, 10)


def _server(database: Database) -> EmbeddedServer:
    assert database._server is not None
    return database._server


def _pid(database: Database) -> int:
    found = _server(database).pid()
    assert found is not None
    return found


def _kill_postmaster(database: Database) -> None:
    """As `kill -9` does; its children follow by themselves, a moment later."""
    postmaster = psutil.Process(_pid(database))
    everyone = [postmaster, *postmaster.children(recursive=True)]
    postmaster.kill()
    psutil.wait_procs(everyone, 10)


def _names(database: Database) -> list[str]:
    with database.begin() as connection:
        return list(connection.scalars(NAMES))


# -- sharing -------------------------------------------------------------------


def test_processes_race_for_a_fresh_folder(home: Path) -> None:
    clients = [Client(home) for _ in range(5)]
    answers = [client.answer() for client in clients]
    assert all(answer.get("datasets") == 0 for answer in answers), answers
    assert len({answer["pid"] for answer in answers}) == 1
    postmasters = [one for one in servers_of(home) if one.cmdline()[-2:] == ["-p", "5432"]]
    assert len([one for one in postmasters if "keeper" not in " ".join(one.cmdline())]) == 1
    for client in clients[:-1]:
        client.leave()
    assert psutil.pid_exists(answers[0]["pid"])
    clients[-1].leave()
    assert servers_of(home) == []


def test_a_running_server_is_adopted(home: Path, tmp_path: Path) -> None:
    home /= "l" * 120  # the socket does not fit into it
    first = Client(home, TMPDIR=str(tmp_path))
    pid = first.answer()["pid"]
    second = Client(home, PGPORT="1", PGHOST="elsewhere")
    assert second.answer()["pid"] == pid
    first.leave()
    assert psutil.pid_exists(pid)
    second.leave()
    assert servers_of(home) == []


def test_a_killed_client_holds_nothing(home: Path) -> None:
    killed, last = Client(home), Client(home)
    killed.answer()
    last.answer()
    killed.kill()
    last.leave()
    assert servers_of(home) == []


def test_nothing_runs_when_all_clients_were_killed(home: Path) -> None:
    clients = [Client(home), Client(home)]
    for client in clients:
        client.answer()
    for client in clients:
        client.kill()
    wait_until(lambda: not servers_of(home), keeper.PERIOD + 20)
    again = Client(home)  # and its end did no harm
    assert again.answer()["datasets"] == 0
    again.leave()


def test_a_starter_killed_at_any_moment_leaves_a_usable_folder(home: Path) -> None:
    marks = ["password", "cluster.new/base", "cluster", "log", "cluster/postmaster.pid"]
    for mark in marks:
        client = Client(home)
        wait_until((home / "postgres" / mark).exists)
        client.kill()
    last = Client(home)
    assert last.answer()["datasets"] == 0
    last.leave()
    assert servers_of(home) == []
    assert not (home / "postgres" / "cluster.new").exists()


def test_a_fork_does_not_stop_its_parents_server(database: Database) -> None:
    child = os.fork()
    if child == 0:
        _server(database).release()
        os._exit(0)
    os.waitpid(child, 0)
    assert _names(database) == ["kept"]
    assert _server(database).pid() is not None


# -- kill -9 -------------------------------------------------------------------


def test_the_next_use_recovers_a_killed_postmaster(database: Database, home: Path) -> None:
    for _ in range(2):
        old = _pid(database)
        _kill_postmaster(database)
        assert _names(database) == ["kept"]
        assert _pid(database) != old
    database.close()
    assert servers_of(home) == []


def test_the_next_use_recovers_when_everything_was_killed(database: Database, home: Path) -> None:
    segments = _shared_memory(_pid(database))
    _kill(servers_of(home))
    # Sockets, shared memory and the process's number are left behind.
    assert list((home / "postgres/socket").glob(".s.PGSQL.*"))
    assert segments
    assert segments <= _all_shared_memory()
    assert _names(database) == ["kept"]
    database.close()
    assert not segments & _all_shared_memory()
    assert not list((home / "postgres/socket").glob(".s.PGSQL.*"))


def test_orphans_of_a_killed_postmaster_are_ended(database: Database) -> None:
    # A backend that computes does not notice that its postmaster is gone.
    busy = sa.text("SELECT count(*) FROM generate_series(1, 100000000000)")
    connection = database.engine.connect()
    backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    connection.commit()
    raw = connection.connection.cursor()

    def compute() -> None:
        with contextlib.suppress(psycopg2.Error):
            raw.execute(busy.text)

    thread = threading.Thread(target=compute)
    thread.start()
    wait_until(lambda: psutil.Process(backend).cpu_times().user > 0.05)
    os.kill(_pid(database), signal.SIGKILL)
    assert _names(database) == ["kept"]
    wait_until(lambda: not psutil.pid_exists(backend))
    thread.join(10)
    connection.invalidate()
    connection.close()


def test_only_the_keeper_was_killed(database: Database, home: Path) -> None:
    (watching,) = [one for one in servers_of(home) if str(keeper.__file__) in one.cmdline()]
    _kill([watching])
    assert _names(database) == ["kept"]
    database.close()
    assert servers_of(home) == []


def test_a_stale_number_of_a_foreign_process(database: Database, home: Path) -> None:
    number = home / "postgres/cluster/postmaster.pid"
    lines = number.read_text().split("\n")
    database.close()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    number.write_text("\n".join([str(bystander.pid), *lines[1:]]))
    assert _server_of(home).pid() is None
    assert _names(database) == ["kept"]
    database.close()
    assert bystander.poll() is None
    bystander.communicate()


def _server_of(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home / "postgres")


def _shared_memory(pid: int) -> set[str]:
    """The segments that a process uses, by file or number."""
    if not Path("/proc/sysvipc/shm").exists():
        pytest.skip("this system does not list its shared memory in /proc")
    fields = [line.split(None, 5) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    mapped = {(line[4], line[5]) for line in fields if len(line) == 6}
    files = {name for _, name in mapped if name.startswith("/dev/shm/PostgreSQL.")}
    return files | {number for number, name in mapped if name.startswith("/SYSV")}


def _all_shared_memory() -> set[str]:
    numbers = {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}
    return numbers | {str(path) for path in Path("/dev/shm").glob("PostgreSQL.*")}


# -- lost in the middle ----------------------------------------------------------


def test_a_connection_lost_in_a_transaction(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="connection to the database was lost") as caught:  # noqa: PT012, SIM117
        with database.begin() as connection:
            connection.execute(CREATE, {"name": "lost"})
            os.kill(_pid(database), signal.SIGKILL)
            wait_until(lambda: _server(database).pid() is None)
            connection.execute(CREATE, {"name": "lost too"})
    assert caught.value.code == "database_unavailable"
    assert _names(database) == ["kept"]


def test_a_connection_lost_before_the_commit(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database.begin() as connection:  # noqa: PT012
        connection.execute(CREATE, {"name": "lost"})
        _end_backend(database, connection)
    assert _names(database) == ["kept"]


def test_a_connection_lost_in_a_copy(database: Database) -> None:
    from jupyter_blueno.database import tables
    from jupyter_blueno.database.copy import Each, copy_columns

    rows = {"id": "j", "team": "t", "owner": "o", "kind": "k", "state": "s", "spec": {}, "backend": "b"}
    with pytest.raises(DatabaseUnavailable), database.begin() as connection:  # noqa: PT012
        _end_backend(database, connection)
        copy_columns(connection, tables.job, {**rows, "name": Each(["a", "b"])})
    assert _names(database) == ["kept"]


def test_many_threads_lose_their_connections_at_once(database: Database, home: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(_names, [database] * 16)) == [["kept"]] * 16
        _kill_postmaster(database)
        assert list(threads.map(_names, [database] * 16)) == [["kept"]] * 16
    database.close()
    assert servers_of(home) == []


def test_other_errors_stay_what_they_are(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.execute(CREATE, {"name": "kept"})
    with pytest.raises(DatabaseUnavailable, match="lock timeout"), database.begin() as holder:  # noqa: PT012
        holder.execute(sa.text("LOCK TABLE dataset"))
        with database.begin() as waiting:
            waiting.execute(sa.text("SET LOCAL lock_timeout = '10ms'"))
            waiting.execute(CREATE, {"name": "waits"})


def _end_backend(database: Database, connection: sa.Connection) -> None:
    backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    with psycopg2.connect(_server(database).url.replace("+psycopg2", "")) as other:
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
    other.close()


# -- who may come in -------------------------------------------------------------


def test_only_the_user_comes_in(database: Database, home: Path) -> None:
    folder = home / "postgres"
    postmaster = psutil.Process(_pid(database))
    for process in [postmaster, *postmaster.children(recursive=True)]:
        assert process.net_connections(kind="inet") == []
    assert stat.S_IMODE((folder / "socket").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) & 0o022 == 0
    assert stat.S_IMODE((folder / "cluster").stat().st_mode) == 0o700
    rules = (folder / "cluster/pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    url = sa.make_url(_server(database).url)
    for change in ({"password": "wrong"}, {"password": ""}, {"username": "postgres"}, {"username": "root"}):
        with pytest.raises(psycopg2.OperationalError, match=r"authentication failed|no password"):
            psycopg2.connect(
                url.set(**change).render_as_string(hide_password=False).replace("+psycopg2", "")  # type: ignore[arg-type]
            )


def test_the_password_is_not_told(database: Database) -> None:
    password = sa.make_url(_server(database).url).password
    assert password
    for text in (repr(database), repr(database.engine), repr(_server(database)), str(database.engine.url)):
        assert password not in text


def test_a_missing_or_foreign_password_file(database: Database, home: Path) -> None:
    database.close()
    password = home / "postgres/password"
    kept = password.read_text()
    password.unlink()
    with pytest.raises(DatabaseUnavailable, match=r"password cannot be read from .*: give the file back"):
        _names(database)
    password.write_text("another")
    with pytest.raises(DatabaseUnavailable, match="is not the database's: restore"):
        _names(database)
    password.write_text(kept)
    assert _names(database) == ["kept"]


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
        assert _names(database) == []
        assert _pid(database)
        socket_folder = _server(database)._socket_in_use()
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
        _names(Database(Config(home=str(home), database_url="")))


def test_a_folder_reached_by_two_paths_has_one_server(database: Database, home: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(home)
    other = Database(Config(home=str(link), database_url=""))
    assert _names(other) == ["kept"]
    assert _pid(other) == _pid(database)
    other.close()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = EmbeddedServer(tmp_path / ("y" * 120))
    digest = account.digest(str(server.folder))
    (tmp_path / f"blueno-{os.getuid()}-{digest}").symlink_to(tmp_path)
    with pytest.raises(DatabaseUnavailable, match="belongs to somebody else"):
        server.start()
    server.release()


def test_a_cluster_of_a_newer_postgres(database: Database, home: Path) -> None:
    database.close()
    (home / "postgres/cluster/PG_VERSION").write_text("99\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 99, but here is only 18") as caught:
        _names(database)
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
    postmaster = psutil.Process(_pid(database))
    assert postmaster.username() == "nobody"
    assert Path(postmaster.cwd()).is_relative_to(without_namespaces)
    (place,) = (path for path in without_namespaces.iterdir() if not path.name.startswith("postgresql-"))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    _kill_postmaster(database)
    assert _names(database) == ["kept"]
    database.close()
    wait_until(lambda: not _running_below(without_namespaces))
    # Another process finds it again, also when namespaces are allowed there.
    again = Database(Config(home=str(home), database_url=""))
    assert _names(again) == ["kept"]
    again.close()


def test_root_loses_namespaces(database: Database, home: Path, request: pytest.FixtureRequest) -> None:
    database.close()
    request.getfixturevalue("without_namespaces")
    later = Database(Config(home=str(home), database_url=""))
    assert _names(later) == ["kept"]
    assert psutil.Process(_pid(later)).username() == "nobody"
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
