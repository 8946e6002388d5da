"""The supervisor as the main process of a container: what happens when that is taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.jobs.engine.contained import MOVED, NOT_STARTED
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import Attempt, ExitRecord
from jupyter_blueno.jobs.testing import until

Run = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def job(tmp_path: Path) -> JobFolder:
    made = JobFolder(tmp_path / "job")
    made.path.mkdir()
    made.write("environ", b"COLOUR=blue\0BLUENO_JOB_ID=1234")
    return made


@pytest.fixture
def run(job: JobFolder) -> Iterator[Run]:
    """Starts what a container starts; they do not outlive the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        words = [sys.executable, "-I", "-m", "jupyter_blueno.jobs.engine.contained", str(job.path)]
        started.append(subprocess.Popen(words, cwd="/", env={**os.environ, "IMAGE": "of the container"}))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.wait()


def plan(job: JobFolder, *argv: str, **fields: Any) -> None:
    base = {"id": "1234", "cwd": str(job.path), "grace": 5.0, "log_limit": 1 << 20, "process_limit": 512}
    job.write("run.json", json.dumps(base | {"argv": argv, "witness": True} | fields).encode())


def has_begun(job: JobFolder, times: int = 1) -> None:
    until(lambda: job.log_size() and (job.path / "log").read_text().count("up\n") == times, "the work to run")


def ended(job: JobFolder) -> ExitRecord:
    found = job.read("exit.json", ExitRecord)
    assert found is not None
    return found


def test_it_has_what_its_image_and_its_user_say(job: JobFolder, run: Run) -> None:
    plan(job, "sh", "-c", 'echo "$COLOUR, $IMAGE"; exit 3')
    assert run().wait(30) == 0
    assert (job.path / "log").read_text() == "blue, of the container\n"
    assert (ended(job).ending, ended(job).exit_code) == ("exited", 3)
    assert not job.has("environ")


def test_told_to_go_it_goes_on_elsewhere(job: JobFolder, run: Run) -> None:
    plan(job, "sh", "-c", 'echo up; test "$BLUENO_ATTEMPT" = 2 || sleep 100')
    first = run()
    has_begun(job)
    first.terminate()
    assert first.wait(30) == MOVED
    assert not job.has("exit.json")
    assert run().wait(30) == 0
    assert (ended(job).exit_code, ended(job).attempt, ended(job).attempts) == (0, 2, 2)
    moved = job.read("attempt.json", Attempt)
    assert moved is not None
    assert "was taken from the machine" in moved.reason


def test_gone_without_a_word_it_goes_on_elsewhere(job: JobFolder, run: Run) -> None:
    plan(job, "sh", "-c", 'echo up; test "$BLUENO_ATTEMPT" = 2 || sleep 100')
    first = run()
    has_begun(job)
    status = json.loads((job.path / "status.json").read_text())
    first.kill()
    os.killpg(status["child"], signal.SIGKILL)
    assert run().wait(30) == 0
    assert ended(job).attempt == 2
    assert "was lost" in (job.path / "log").read_text()


def test_work_that_was_done_is_not_done_again(job: JobFolder, run: Run) -> None:
    plan(job, "sh", "-c", "echo up; exit 4")
    job.write("status.json", {"state": "RUNNING", "child": 1 << 22, "child_identity": "x/1", "attempt": 1}
              | {"started_at": 1.0, "started_clock": 1.0})  # fmt: skip
    job.write("witnessed.json", {"status": 4 << 8})
    assert run().wait(30) == 0
    assert (ended(job).ending, ended(job).exit_code) == ("exited", 4)
    assert not job.has("log")


def test_told_to_go_while_it_is_cancelled_it_is_cancelled(job: JobFolder, run: Run) -> None:
    plan(job, "sh", "-c", "echo up; sleep 100")
    first = run()
    has_begun(job)
    job.write("cancel", b"")
    first.terminate()
    assert first.wait(30) == 0
    assert ended(job).ending == "cancelled"


def test_two_at_a_time_do_not_run_it_twice(job: JobFolder, run: Run) -> None:
    gate = job.path / "gate"
    plan(job, "sh", "-c", f"echo up; while [ ! -e {gate} ]; do sleep 0.05; done")
    first = run()
    has_begun(job)
    second = run()
    gate.touch()
    assert (first.wait(30), second.wait(30)) == (0, 0)
    assert (job.path / "log").read_text() == "up\n"


def test_paths_of_another_place_are_those_of_this_one(job: JobFolder, run: Run) -> None:
    there = {"python": "/elsewhere/bin/python", "inside": "/elsewhere/inside"}
    source = "import sys; print(sys.executable, sys.argv[1])"
    plan(job, there["python"], "-c", source, "/elsewhere/inside/runner.py", **there)
    assert run().wait(30) == 0
    python, runner = (job.path / "log").read_text().split()
    assert Path(python).exists()
    assert Path(runner).exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    words = [sys.executable, "-I", "-m", "jupyter_blueno.jobs.engine.contained", str(tmp_path / "nothing")]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == NOT_STARTED
    assert "cannot be read in its container" in said.stderr
