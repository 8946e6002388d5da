"""The local backend: its contract, and what can happen to processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from jupyter_blueno.errors import DatabaseUnavailable, InvalidInput
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, Resources
from jupyter_blueno.jobs.sending import plan
from jupyter_blueno.jobs.testing import (
    ALICE,
    BackendContract,
    cell,
    command,
    log,
    logged,
    start,
    until,
    wait,
)


class TestLocalBackend(BackendContract):
    pass


def status_of(manager: JobManager, job: Job) -> SupervisorStatus:
    folder = JobFolder.of(manager.config, job.id)
    found: SupervisorStatus = until(lambda: folder.read("status.json", SupervisorStatus), "status.json")
    return found


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def processes_of(job: Job) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BLUENO_JOB_ID") == job.id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
if os.fork() == 0:  # a daemon: no parent, no session, no environment, deaf to SIGTERM
    os.setsid()
    if os.fork() == 0:
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)  # daemon"], {})
    os._exit(0)
os.wait()
print("up", flush=True)
"""


def everything_below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deaf to SIGTERM is not waited for long."""
    monkeypatch.setattr(plan, "GRACE", 0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="a daemon without environment is found on Linux only")
def test_cancel_ends_grandchildren_that_left(manager: JobManager, short_grace: None) -> None:
    job = start(manager, cell(FAMILY + "time.sleep(300)"))
    logged(manager, job, "up")
    family = everything_below(status_of(manager, job).supervisor)
    assert len(family) == 4
    manager.cancel(ALICE, job.id)
    wait(manager, job, "CANCELLED")
    assert [one for one in family if not gone(one.pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="see above")
def test_what_the_work_leaves_behind_goes_with_it(manager: JobManager, short_grace: None) -> None:
    job = start(manager, cell(FAMILY + "open('pid', 'w').write(str(os.getppid())); input_ = 1"))
    wait(manager, job, "SUCCEEDED")
    assert processes_of(job) == []


@pytest.mark.skipif(sys.platform != "linux", reason="see above")
@pytest.mark.parametrize("cancelled", [False, True])
def test_cancel_while_it_finishes(
    manager: JobManager, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    monkeypatch.setattr(plan, "GRACE", 2.0)  # the daemon is deaf: it is finishing so long
    job = start(manager, cell(FAMILY + ("time.sleep(300)" if cancelled else "")))
    logged(manager, job, "up")
    family = everything_below(status_of(manager, job).supervisor)
    if cancelled:
        manager.cancel(ALICE, job.id)
    until(lambda: manager.get(ALICE, job.id).state == "FINISHING", "the job to finish")
    assert manager.cancel(ALICE, job.id).state == "FINISHING"
    wait(manager, job, "CANCELLED" if cancelled else "SUCCEEDED")  # what it did is done all the same
    assert [one for one in family if not gone(one.pid)] == []


def test_a_killed_process_is_said_by_its_signal(manager: JobManager) -> None:
    job = start(manager, command("sleep", "300"))
    os.kill(status_of(manager, job).child, signal.SIGKILL)
    job = wait(manager, job, "FAILED")
    assert "signal 9 (SIGKILL)" in (job.reason or "")
    assert job.exit_code is None


def test_work_survives_its_supervisor(manager: JobManager, folder: Path) -> None:
    os.mkfifo(folder / "gate")
    job = start(manager, cell("print('up')\nopen('gate').read()\nprint('down')\n6 * 7"))
    logged(manager, job, "up")
    first = status_of(manager, job)
    os.kill(first.supervisor, signal.SIGKILL)
    until(lambda: gone(first.supervisor))
    manager.get(ALICE, job.id)
    until(lambda: status_of(manager, job).supervisor != first.supervisor, "another supervisor")
    assert status_of(manager, job).child == first.child
    assert manager.get(ALICE, job.id).state == "RUNNING"
    (folder / "gate").write_text("go")
    job = wait(manager, job, "SUCCEEDED")
    assert log(manager, job) == "up\ndown\n"
    assert manager.record(ALICE, job.id).outputs(-1)[0].data == {"text/plain": "42"}


@pytest.mark.parametrize(("code", "state"), [(0, "SUCCEEDED"), (3, "FAILED")])
def test_a_command_that_ends_unwatched_is_known_by_its_code(
    manager: JobManager, folder: Path, code: int, state: str
) -> None:
    os.mkfifo(folder / "gate")
    job = start(manager, command("sh", "-c", f"echo up; read line < gate; exit {code}"))
    logged(manager, job, "up")
    first = status_of(manager, job)
    os.kill(first.supervisor, signal.SIGKILL)
    until(lambda: gone(first.supervisor))
    (folder / "gate").write_text("go\n")
    until(lambda: gone(first.child))  # before anybody looks
    job = wait(manager, job, state)
    assert job.exit_code == code


def test_a_command_hears_that_it_is_cancelled(manager: JobManager) -> None:
    text = "trap 'echo tidied; exit 7' TERM; echo up; while true; do sleep 0.05; done"
    job = start(manager, command("sh", "-c", text))
    logged(manager, job, "up")
    manager.cancel(ALICE, job.id)
    job = wait(manager, job, "CANCELLED")
    assert log(manager, job).endswith("tidied\n")


def test_lost_when_everything_died_without_a_word(
    manager: JobManager, another_manager: Callable[[], JobManager]
) -> None:
    job = start(manager, command("sleep", "300"))
    status = status_of(manager, job)
    manager.close()
    os.kill(status.supervisor, signal.SIGKILL)
    os.kill(status.child, signal.SIGKILL)
    until(lambda: gone(status.child))
    job = wait(another_manager(), job, "LOST")
    assert "run it again" in (job.reason or "")


def test_a_reused_pid_is_somebody_else(manager: JobManager) -> None:
    job = start(manager, command("sleep", "300"))
    status = status_of(manager, job)
    os.kill(status.supervisor, signal.SIGKILL)
    os.kill(status.child, signal.SIGKILL)
    until(lambda: gone(status.child))
    other = psutil.Popen(["sleep", "300"], start_new_session=True)
    try:
        # As if the system had given both numbers to another process meanwhile.
        import msgspec

        stale = msgspec.structs.replace(status, supervisor=other.pid, child=other.pid)
        folder = JobFolder.of(manager.config, job.id)
        raw = msgspec.json.decode((folder.path / "status.json").read_bytes())
        folder.write("status.json", raw | msgspec.to_builtins(stale))
        manager.cancel(ALICE, job.id)
        wait(manager, job, "LOST", "CANCELLED")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_supervisor_that_was_never_started_is_started_later(
    manager: JobManager, another_manager: Callable[[], JobManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server dies between keeping the intent and starting the work.
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manager.backend, "start", die)
    with pytest.raises(KeyboardInterrupt):
        start(manager, command("echo", "late"), "orphan")
    other = another_manager()
    job = other.get(ALICE, "orphan")
    assert job.state == "QUEUED"
    job = wait(other, job, "SUCCEEDED")
    assert log(other, job) == "late\n"


def test_the_log_keeps_head_and_tail_of_100_mb(manager: JobManager) -> None:
    text = "import sys\nfor n in range(1_000_000): sys.stdout.write(f'{n:08d} ' + 'x' * 90 + '\\n')"
    job = wait(manager, start(manager, command(sys.executable, "-c", text)), "SUCCEEDED")
    assert job.log_size == 100_000_000
    path = JobFolder.of(manager.config, job.id).path / "log"
    assert path.stat().st_blocks * 512 < 90 << 20
    head, offset, size = manager.record(ALICE, job.id).log(0, 100)
    assert (head[:9], offset, size) == (b"00000000 ", 0, 100_000_000)
    assert manager.record(ALICE, job.id).log(-100, 100)[0][:9] == b"00999999 "
    middle, offset, _ = manager.record(ALICE, job.id).log(20_000_000, 100)
    assert offset > 20_000_000
    assert int(middle[:8]) * 100 == offset
    whole = manager.record(ALICE, job.id).file("log")[0]
    assert b"MB left out" in whole
    assert b"\0" not in whole


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted on Linux only")
def test_a_fork_bomb_is_ended(manager: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_blueno.jobs.sending import plan as module

    monkeypatch.setattr(module, "PROCESS_LIMIT", 60)
    bomb = "import os, time\nfor _ in range(300):\n  if os.fork() == 0: time.sleep(300)\ntime.sleep(300)"
    job = wait(manager, start(manager, cell(bomb)), "FAILED")
    assert "more than 60 processes" in (job.reason or "")
    assert processes_of(job) == []


def test_memory_is_limited(manager: JobManager) -> None:
    spec = cell("x = bytearray(1 << 30)", resources=Resources(memory=400 << 20))
    job = wait(manager, start(manager, spec), "FAILED")
    assert job.reason == "It was killed for memory at its limit of 419 MB. Run it again with 839 MB."


@pytest.mark.parametrize(
    "resources",
    [Resources(cpu=-1), Resources(memory=8), Resources(timeout=0), Resources(gpu=-1), Resources(cpu=1e99)],
)
def test_impossible_resources_are_refused_at_once(manager: JobManager, resources: Resources) -> None:
    with pytest.raises(InvalidInput):
        start(manager, command("true", resources=resources))
    assert manager.monitor.look_now() == 0


@pytest.fixture
def small_disk(tmp_path: Path, manager: JobManager) -> Iterator[Path]:
    """The jobs' folders on a disk of 4 MB."""
    place = manager.config.folder("jobs")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("kind", ["cell", "command"])
def test_a_full_disk_is_said(manager: JobManager, small_disk: Path, kind: str) -> None:
    text = "for n in range(100_000): print('x' * 100)"
    spec = cell(text) if kind == "cell" else command(sys.executable, "-c", text)
    job = wait(manager, start(manager, spec), "FAILED")
    assert "disk is full" in (job.reason or "") or "No space left" in (job.reason or "")
    assert 0 < job.log_size < 5 << 20
    assert manager.delete(ALICE, job.id)
    (small_disk / "room").write_bytes(b"x" * 1_000_000)


@pytest.mark.parametrize("together", [False, True])
def test_a_job_whose_row_was_kept_though_the_connection_was_lost(
    manager: JobManager, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    job_id, spec = "a" * 32, command("echo", "hello")

    def submit() -> Job:
        if together:
            return manager.submit_many(ALICE, [(job_id, "job", spec), ("b" * 32, "another", spec)])[0]
        return manager.submit(ALICE, job_id, "job", spec)

    name = "insert_many" if together else "insert"
    kept = getattr(store, name)

    def lost(connection: sa.Connection, values: Any) -> None:
        with manager.database.begin() as other:
            kept(other, values)
        raise DatabaseUnavailable("The connection was lost at the commit.")

    with monkeypatch.context() as patched:
        patched.setattr(store, name, lost)
        with pytest.raises(DatabaseUnavailable):
            submit()
    job = wait(manager, submit(), "SUCCEEDED")
    assert log(manager, job) == "hello\n"
