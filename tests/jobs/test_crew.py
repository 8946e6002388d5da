"""Supervisors that go on with another job: what they keep of the last one, and what ends them meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.engine.dispatcher import DISPATCH
from jupyter_blueno.jobs.engine.entries import Entries
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job
from jupyter_blueno.jobs.testing import command, start, until, wait
from tests.jobs.test_queue import dispatcher_of, lay_out

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it looks into /proc")
# What every program begins with, and what a job must not hand on to the next one.
TELLS = (
    "import os, resource, signal\n"
    "print(sorted(os.sched_getaffinity(0)), resource.getrlimit(resource.RLIMIT_CORE), os.getcwd(),\n"
    "      signal.getsignal(signal.SIGTERM), sorted(map(int, os.listdir('/proc/self/fd')))[:-1],\n"
    "      os.environ.get('OMP_NUM_THREADS'))"
)


def supervisor(manager: JobManager, job: Job) -> int:
    status = JobFolder.of(manager.config, job.id).read("status.json", SupervisorStatus)
    assert status is not None
    return status.supervisor


def at_rest(process: psutil.Process) -> bool:
    """Whether it holds its log and two pipes, and no file of a job."""
    held = [os.readlink(f"/proc/{process.pid}/fd/{one}") for one in os.listdir(f"/proc/{process.pid}/fd")]
    return len(held) == 5 and sum(one.startswith("pipe:") for one in held) == 2


def rested(manager: JobManager) -> psutil.Process:
    """One that is done with a job."""
    job = start(manager, command("sh", "-c", "sleep 0.1"))
    until(lambda: JobFolder.of(manager.config, job.id).has("status.json"), "its beginning")
    process = psutil.Process(supervisor(manager, job))
    wait(manager, job, "SUCCEEDED")
    until(lambda: at_rest(process), "it to rest")
    return process


@pytest.fixture
def entries(config: Config) -> Entries:
    return Entries(str(config.home_path / "queue"))


@pytest.fixture(autouse=True)
def one_at_a_time(config: Config) -> None:
    config.jobs_at_once = 1


def test_the_next_job_has_the_same_one_and_nothing_of_the_last(config: Config, entries: Entries) -> None:
    folders = [JobFolder(path) for path in lay_out(config, entries, "", 4)]
    tells = [sys.executable, "-c", TELLS]
    changes: list[dict[str, object]] = [
        {"argv": tells},
        {"argv": ["sh", "-c", "kill -9 $$"]},
        {"argv": tells, "cpu": 0.5, "memory": 1 << 30},
        {"argv": tells},
    ]
    for one, changed in zip(folders, changes, strict=True):
        one.write("run.json", {**(one.read("run.json", dict) or {}), **changed})
    jobs = str(folders[0].path.parent)
    script = (
        f"import os, sys, time; sys.path.append({str(Path(DISPATCH).parents[3])!r})\n"
        "from jupyter_blueno.jobs.engine.crew import Crew\n"
        f"crew = Crew({jobs!r}, lambda _: None, lambda _: None)\n"
        f"for job in {[one.path.name for one in folders]!r}:\n"
        "    print(crew.send(job, None, '0'))\n"
        "    while job not in crew.ended():\n"
        "        time.sleep(0.01)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert len(set(done.stdout.split())) == 1
    records = [one.read("exit.json", dict) for one in folders]
    assert [record and (record.get("exit_code"), record.get("signal")) for record in records] == [
        (0, None),
        (None, 9),
        (0, None),
        (0, None),
    ]
    said = [(one.path / "log").read_bytes() for one in folders]
    assert said[0] == said[2] == said[3] != b""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_ended_at_rest_is_replaced(manager: JobManager, folder: Path, number: int) -> None:
    process = rested(manager)
    process.send_signal(number)
    # Before its dispatcher looks, or after: the job runs once.
    job = start(manager, command("sh", "-c", "echo once >> trace"))
    wait(manager, job, "SUCCEEDED")
    assert supervisor(manager, job) != process.pid
    assert (folder / "trace").read_text() == "once\n"


def test_none_is_left_without_a_dispatcher(manager: JobManager, config: Config, folder: Path) -> None:
    process = rested(manager)
    dispatcher_of(Entries(str(config.home_path / "queue"))).kill()
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its end")
    wait(manager, start(manager, command("true")), "SUCCEEDED")


def test_what_tells_of_an_end_is_not_the_next_jobs(manager: JobManager, config: Config, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config.webhook = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        failed = start(manager, command("sh", "-c", "sleep 0.1; exit 3"))
        until(lambda: JobFolder.of(config, failed.id).has("status.json"), "its beginning")
        first = supervisor(manager, failed)
        wait(manager, failed, "FAILED")
        connection, _ = silent.accept()  # who tells waits for an answer
        with connection:
            job = wait(manager, start(manager, command("sleep", "0.3")), "SUCCEEDED")
            assert supervisor(manager, job) != first
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        told = until(
            lambda: JobFolder.of(config, failed.id).read("notified.json", dict), "somebody to be told"
        )
        assert told == {"webhook": "sent"}


def test_those_at_rest_are_let_go(manager: JobManager, folder: Path) -> None:
    process = rested(manager)
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its end")
    wait(manager, start(manager, command("true")), "SUCCEEDED")
