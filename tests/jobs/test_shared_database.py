"""A job that needs the embedded database first: it starts it, for others too."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job
from jupyter_blueno.jobs.testing import command, start, until, wait


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """The server of an empty data folder, not started."""
    made = EmbeddedServer(tmp_path / "other" / "postgres")
    made.folder.mkdir(parents=True, mode=0o700)
    yield made
    made.stop()


@contextmanager
def lease(server: EmbeddedServer) -> Iterator[None]:
    """What another process of the user holds while it uses the server."""
    with open(server.folder / "lease", "w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def listing(manager: JobManager, server: EmbeddedServer) -> Job:
    """A job that lists the datasets of the server's data folder."""
    environment = {"BLUENO_HOME": str(server.folder.parent), "BLUENO_DATABASE_URL": ""}
    return start(
        manager, command(sys.executable, "-m", "jupyter_blueno", "datasets", environment=environment)
    )


def postgres_of(server: EmbeddedServer) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(server.folder) and process.status() != "zombie":
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_the_database_outlives_the_job_that_started_it(manager: JobManager, server: EmbeddedServer) -> None:
    with lease(server):
        wait(manager, listing(manager, server), "SUCCEEDED")
        pid = server.pid()
        assert pid is not None
        server.start()  # it answers
        assert server.pid() == pid
    assert server.release()  # nobody else is there
    until(lambda: postgres_of(server) == [], "the server's processes to end")


def test_nothing_is_left_when_nobody_else_needs_it(manager: JobManager, server: EmbeddedServer) -> None:
    wait(manager, listing(manager, server), "SUCCEEDED")
    assert (server.cluster / "PG_VERSION").exists()
    assert server.pid() is None
    until(lambda: postgres_of(server) == [], "the server's processes to end")
