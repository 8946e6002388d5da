"""Jobs that are tried again: after which ends, how often, and never twice at a time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Change, Job, JobSpec, Resources
from jupyter_blueno.jobs.testing import ALICE, cell, command, log, logged, start, until, wait
from tests.jobs.test_local import gone, status_of

COUNTED = """\
import os
with open("count", "a") as file:
    file.write("x")
    number = file.tell()
print("attempt", number, os.environ.get("BLUENO_ATTEMPT"), os.environ.get("BLUENO_RESUME_FROM"))
"""


def tried(text: str, retries: int, **resources: object) -> JobSpec:
    asked = Resources(retries=retries, **resources)  # type: ignore[arg-type]
    return cell(COUNTED + text, resources=asked)


def count(folder: Path) -> int:
    return len((folder / "count").read_text())


def in_pause(manager: JobManager, job: Job, number: int) -> Job:
    """The job, once it waits for this attempt."""

    def waits() -> Job | None:
        now = manager.get(ALICE, job.id)
        return (
            now
            if f"Attempt {number} of" in (now.reason or "") and "begins at" in (now.reason or "")
            else None
        )

    found: Job = until(waits, "the pause between two attempts")
    return found


def test_until_it_goes_well(manager: JobManager, folder: Path) -> None:
    job = start(manager, tried("if number < 3: raise ConnectionError('no route')\nnumber", retries=4))
    job = wait(manager, job, "SUCCEEDED")
    assert (job.attempt, job.reason, job.failure) == (3, None, None)
    assert count(folder) == 3
    text = log(manager, job)
    place = JobFolder.of(manager.config, job.id).path
    assert "attempt 1 None None\n" in text
    assert f"attempt 3 3 {place}\n" in text
    assert "── Attempt 1 of 5 ended: ConnectionError: no route. The next begins in " in text
    assert [one.data["text/plain"] for one in manager.record(ALICE, job.id).outputs(-1)] == ["3"]
    assert not (place / "environ").exists()


def test_not_more_often_than_asked(manager: JobManager, folder: Path) -> None:
    job = wait(manager, start(manager, tried("raise ConnectionError('no route')", retries=1)), "FAILED")
    assert job.reason == "ConnectionError: no route. That was the last of 2 attempts."
    assert (job.attempt, count(folder)) == (2, 2)


@pytest.mark.parametrize(
    "end", ["__import__('nothing_like_it')", "1 +", "undefined_name", "raise SystemExit(127)"]
)
def test_what_would_come_again_is_not_tried_again(manager: JobManager, folder: Path, end: str) -> None:
    text = end if end != "1 +" else "exec('1 +')"
    job = wait(manager, start(manager, tried(text, retries=3)), "FAILED")
    assert (job.attempt, count(folder)) == (1, 1)
    assert (job.reason or "").endswith("It was not tried again: that would end in the same way.")


@pytest.mark.parametrize(
    ("end", "only"),
    [
        ("raise ConnectionResetError('by peer')", "connection"),
        ("raise MemoryError", "memory"),
        ("import nothing_like_it", "missing_module"),
        ("raise KeyError(1)", "LookupError"),  # a class above it
        (
            "import urllib.error as e; raise e.HTTPError('u', 503, 'Service Unavailable', {}, None)",
            "connection",
        ),
        ("import os; os.kill(os.getpid(), 9)", "signal"),
    ],
)
def test_retry_on_says_after_what(manager: JobManager, folder: Path, end: str, only: str) -> None:
    text = f"if number == 1:\n    {end}\nnumber"
    job = wait(manager, start(manager, tried(text, retries=1, retry_on=("disk", only))), "SUCCEEDED")
    assert job.attempt == 2
    assert f"(retry_on has {only}). The next begins" in log(manager, job)


def test_retry_on_keeps_others_from_being_tried_again(manager: JobManager, folder: Path) -> None:
    asked = tried("raise ValueError('odd')", retries=3, retry_on=("memory", "connection"))
    job = wait(manager, start(manager, asked), "FAILED")
    assert (job.attempt, count(folder)) == (1, 1)
    why = "this was ValueError, and retry_on is memory or connection."
    assert job.reason == f"ValueError: odd. It was not tried again: {why}"
    assert f"── Not tried again: {why} ──" in log(manager, job)


def test_retry_on_reads_the_log_of_a_program(manager: JobManager, folder: Path) -> None:
    said = r"printf 'Traceback (most recent call last):\n  File x\nBrokenPipeError: gone\n'"
    words = ("sh", "-c", f"echo x >> count; {said}; exit 1")
    asked = command(*words, resources=Resources(retries=1, retry_on=("connection",)))
    job = wait(manager, start(manager, asked), "FAILED")
    assert job.attempt == 2


def test_after_it_was_killed(manager: JobManager, folder: Path) -> None:
    text = "import time\nif number == 1: time.sleep(300)\nnumber"
    job = start(manager, tried(text, retries=1))
    logged(manager, job, "attempt 1")
    os.kill(status_of(manager, job).child, signal.SIGKILL)
    assert wait(manager, job, "SUCCEEDED").attempt == 2
    assert "Attempt 1 of 2 ended: signal 9." in log(manager, job)


def test_after_it_was_lost_with_its_supervisor(manager: JobManager, folder: Path) -> None:
    text = "import time\nif number == 1: time.sleep(300)\nnumber"
    job = start(manager, tried(text, retries=1))
    logged(manager, job, "attempt 1")
    status = status_of(manager, job)
    os.kill(status.supervisor, signal.SIGKILL)
    os.kill(status.child, signal.SIGKILL)
    until(lambda: gone(status.child))
    assert wait(manager, job, "SUCCEEDED").attempt == 2
    assert count(folder) == 2


def test_a_time_limit_is_that_of_an_attempt(manager: JobManager, folder: Path) -> None:
    spec = command("sh", "-c", "echo x >> count; sleep 100", resources=Resources(timeout=0.4, retries=1))
    job = wait(manager, start(manager, spec), "TIMED_OUT")
    assert job.attempt == 2
    assert (folder / "count").read_text().split() == ["x", "x"]


def test_cancelled_between_two_attempts(manager: JobManager, folder: Path) -> None:
    job = start(manager, tried("raise ConnectionError('no route')", retries=1))
    now = in_pause(manager, job, 2)
    assert now.state == "RUNNING"
    assert (now.reason or "").endswith("the one before ended: ConnectionError: no route.")
    manager.cancel(ALICE, job.id)
    wait(manager, job, "CANCELLED")
    assert count(folder) == 1


def test_a_supervisor_that_dies_between_two_attempts(manager: JobManager, folder: Path) -> None:
    manager.config.retry_pause = 4.0
    job = start(manager, tried("if number < 2: raise ConnectionError('no route')\nnumber", retries=1))
    in_pause(manager, job, 2)
    os.kill(status_of(manager, job).supervisor, signal.SIGKILL)
    assert wait(manager, job, "SUCCEEDED").attempt == 2
    assert count(folder) == 2


def test_resume_goes_on_from_the_earlier_job(manager: JobManager, folder: Path) -> None:
    first = wait(manager, start(manager, tried("number", retries=0)), "SUCCEEDED")
    place = JobFolder.of(manager.config, first.id).path
    (place / "checkpoints").mkdir(exist_ok=True)
    (place / "checkpoints" / "one").touch()
    second = wait(manager, manager.rerun(ALICE, first.id, Change(resume=True)), "SUCCEEDED")
    assert f"attempt 2 None {place}\n" in log(manager, second)
    # It kept no checkpoint of its own: the third goes on from where the second did.
    third = wait(manager, manager.rerun(ALICE, second.id, Change(resume=True)), "SUCCEEDED")
    assert f"attempt 3 None {place}\n" in log(manager, third)


def test_the_time_limit_stands_still_with_the_job(manager: JobManager, folder: Path) -> None:
    os.mkfifo(folder / "gate")
    text = "print('up', flush=True)\nopen('gate').read()\n42"
    job = start(manager, cell(text, resources=Resources(timeout=4)))
    logged(manager, job, "up")
    manager.pause(ALICE, job.id, True)
    place = JobFolder.of(manager.config, job.id)
    begun = time.monotonic()
    until(lambda: time.monotonic() - begun > 5, "the time limit to go by")
    os.kill(status_of(manager, job).supervisor, signal.SIGKILL)  # the next one knows it, too
    until(lambda: manager.get(ALICE, job.id) and place.supervised(), "another supervisor")
    assert manager.pause(ALICE, job.id, False).state == "RUNNING"
    (folder / "gate").write_text("go")
    wait(manager, job, "SUCCEEDED")
