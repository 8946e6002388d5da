"""The server of a data folder: shared by real processes, killed in every way."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy as sa

from jupyter_blueno.database import keeper
from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import DatabaseUnavailable
from tests.database.clients import (
    CREATE,
    Client,
    kill,
    kill_postmaster,
    names,
    pid_of,
    server,
    servers_of,
    wait_until,
)

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
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    first = Client(home, TMPDIR=str(deep))  # nor there
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


@pytest.mark.timeout(600)
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


def test_what_a_killed_starter_had_begun_is_over_before_the_next_one_begins(home: Path) -> None:
    client = Client(home)
    wait_until((home / "postgres/cluster.new/base").exists)
    left = []
    for one in servers_of(home):
        if one.pid != client.process.pid:
            with contextlib.suppress(psutil.NoSuchProcess):  # initdb's helpers live for a moment
                one.suspend()
                left.append(one)
    client.kill()
    with pytest.raises(DatabaseUnavailable, match="starting or stopping"):
        EmbeddedServer(home / "postgres")._take("lock", fcntl.LOCK_EX, 0)
    for one in left:
        one.resume()
    last = Client(home)
    assert last.answer()["datasets"] == 0
    last.leave()


def test_a_fork_does_not_stop_its_parents_server(database: Database) -> None:
    child = os.fork()
    if child == 0:
        server(database).release()
        os._exit(0)
    os.waitpid(child, 0)
    assert names(database) == ["kept"]
    assert server(database).pid() is not None


# -- kill -9 -------------------------------------------------------------------


def test_the_next_use_recovers_a_killed_postmaster(database: Database, home: Path) -> None:
    for _ in range(2):
        old = pid_of(database)
        kill_postmaster(database)
        assert names(database) == ["kept"]
        assert pid_of(database) != old
    database.close()
    assert servers_of(home) == []


def test_the_next_use_recovers_when_everything_was_killed(database: Database, home: Path) -> None:
    segments = _shared_memory(pid_of(database))
    kill(servers_of(home))
    # Sockets, shared memory and the process's number are left behind.
    assert list((home / "postgres/socket").glob(".s.PGSQL.*"))
    assert segments
    assert segments <= _all_shared_memory()
    assert names(database) == ["kept"]
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
    os.kill(pid_of(database), signal.SIGKILL)
    assert names(database) == ["kept"]
    wait_until(lambda: not psutil.pid_exists(backend))
    thread.join(10)
    connection.invalidate()
    connection.close()


def test_only_the_keeper_was_killed(database: Database, home: Path) -> None:
    (watching,) = [one for one in servers_of(home) if str(keeper.__file__) in one.cmdline()]
    kill([watching])
    assert names(database) == ["kept"]
    database.close()
    assert servers_of(home) == []


def test_a_stale_number_of_a_foreign_process(database: Database, home: Path) -> None:
    number = home / "postgres/cluster/postmaster.pid"
    lines = number.read_text().split("\n")
    database.close()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    number.write_text("\n".join([str(bystander.pid), *lines[1:]]))
    assert _server_of(home).pid() is None
    assert names(database) == ["kept"]
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
            os.kill(pid_of(database), signal.SIGKILL)
            wait_until(lambda: server(database).pid() is None)
            connection.execute(CREATE, {"name": "lost too"})
    assert caught.value.code == "database_unavailable"
    assert names(database) == ["kept"]


def test_a_connection_lost_before_the_commit(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database.begin() as connection:  # noqa: PT012
        connection.execute(CREATE, {"name": "lost"})
        _end_backend(database, connection)
    assert names(database) == ["kept"]


def test_a_connection_lost_in_a_copy(database: Database) -> None:
    from jupyter_blueno.database import tables
    from jupyter_blueno.database.copy import Each, copy_columns

    rows = {"id": "j", "team": "t", "owner": "o", "kind": "k", "state": "s", "spec": {}, "backend": "b"}
    with pytest.raises(DatabaseUnavailable), database.begin() as connection:  # noqa: PT012
        _end_backend(database, connection)
        copy_columns(connection, tables.job, {**rows, "name": Each(["a", "b"])})
    assert names(database) == ["kept"]


def test_many_threads_lose_their_connections_at_once(database: Database, home: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(names, [database] * 16)) == [["kept"]] * 16
        kill_postmaster(database)
        assert list(threads.map(names, [database] * 16)) == [["kept"]] * 16
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
    with psycopg2.connect(server(database).url.replace("+psycopg2", "")) as other:
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
    other.close()
