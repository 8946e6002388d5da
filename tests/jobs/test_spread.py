"""Workers in containers of their own: what befalls one befalls all. Here the containers are processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.jobs.engine import spread, workers
from jupyter_blueno.jobs.engine.contained import MOVED
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import Attempt, ExitRecord
from jupyter_blueno.jobs.sending import ranks
from jupyter_blueno.jobs.testing import until

Run = Callable[[int], "subprocess.Popen[bytes]"]


@pytest.fixture
def job(tmp_path: Path) -> JobFolder:
    made = JobFolder(tmp_path / "job")
    (made.path / "code").mkdir(parents=True)
    made.write("environ", b"BLUENO_JOB_ID=1234")
    return made


@pytest.fixture
def run(job: JobFolder) -> Iterator[Run]:
    """Starts what the container of a rank starts; they do not outlive the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(rank: int) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-I", "-m", "jupyter_blueno.jobs.engine.spread", str(job.path)]
        own = {"JOB_COMPLETION_INDEX": str(rank), "BLUENO_ADDRESS": f"127.0.0.{rank + 1}", "BLUENO_NODE": "n"}
        started.append(subprocess.Popen(words, cwd="/", env={**os.environ, **own}))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.wait()
    for status in job.path.rglob("status.json"):  # what they watched has nobody now
        with contextlib.suppress(ProcessLookupError, KeyError):
            os.killpg(json.loads(status.read_text())["child"], signal.SIGKILL)


def plan(job: JobFolder, text: str, count: int = 2, **fields: Any) -> None:
    base = {"id": "1234", "cwd": "/", "grace": 2.0, "log_limit": 1 << 20, "process_limit": 512}
    base |= {"argv": ["sh", "-c", text], "then": None, "witness": True, "workers": count, "together": 1}
    content = base | {"folder": str(job.path)} | fields
    job.write("run.json", json.dumps(content).encode())
    ranks.lay_out(job, content)


def log(job: JobFolder, rank: int) -> str:
    place = Path(workers.folder_of(str(job.path), rank)) / "log"
    return place.read_text() if place.exists() else ""


def begun(job: JobFolder, *found: int, text: str = "up\n") -> None:
    until(lambda: all(text in log(job, rank) for rank in found), f"ranks {found} to run")


def ended(job: JobFolder) -> ExitRecord:
    found = job.read("exit.json", ExitRecord)
    assert found is not None
    return found


def test_none_begins_before_all_are_there(job: JobFolder, run: Run) -> None:
    plan(job, 'echo "$RANK of $WORLD_SIZE at $MASTER_ADDR"', 3)
    first = [run(2), run(0)]
    until(lambda: workers.standing(str(job.path), 0).get("state") == "waiting", "rank 0 to wait")
    assert not job.has("status.json")
    assert [one.wait(30) for one in [*first, run(1)]] == [0, 0, 0]
    assert [log(job, rank) for rank in range(3)] == [f"{rank} of 3 at 127.0.0.1\n" for rank in range(3)]
    assert (ended(job).exit_code, ended(job).worker) == (0, None)
    assert [workers.standing(str(job.path), rank)["code"] for rank in range(3)] == [0, 0, 0]


def test_one_that_fails_ends_the_others(job: JobFolder, run: Run) -> None:
    plan(job, "echo up; [ $RANK != 1 ] || exit 7; exec sleep 600", 3)
    assert [one.wait(60) for one in [run(0), run(1), run(2)]] == [0, 0, 0]
    assert (ended(job).ending, ended(job).exit_code, ended(job).worker) == ("exited", 7, 1)


def test_one_that_fails_because_of_another_is_not_to_blame(job: JobFolder, run: Run) -> None:
    # Rank 0 loses its connection before it is known that rank 1 was taken from its machine.
    gone = job.path / "gone"
    taken = f'trap "touch {gone}; sleep 1; exit" TERM; echo up; [ "$BLUENO_ATTEMPT" != 2 ] || exit 0; '
    plan(job, taken + f"while [ ! -e {gone} ] || [ $RANK = 1 ]; do sleep 0.05; done; exit 1")
    first, other = run(0), run(1)
    begun(job, 0, 1)
    other.terminate()
    assert other.wait(30) == MOVED
    assert [one.wait(30) for one in (run(1), first)] == [0, 0]
    assert (ended(job).exit_code, ended(job).attempt) == (0, 2)
    moved = job.read("attempt.json", Attempt)
    assert moved is not None
    assert "rank 1" in moved.reason


@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_leaves_before_all_are_there_is_replaced(job: JobFolder, run: Run, rank: int) -> None:
    plan(job, "echo up")
    first = run(rank)
    until(lambda: workers.standing(str(job.path), rank).get("state") == "waiting", "it to wait")
    first.terminate()
    assert first.wait(30) == MOVED
    assert [one.wait(30) for one in (run(0), run(1))] == [0, 0]
    assert (ended(job).exit_code, ended(job).attempt) == (0, 1)
    assert [log(job, one) for one in (0, 1)] == ["up\n", "up\n"]


@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_is_gone_without_a_word_has_all_begin_anew(job: JobFolder, run: Run, rank: int) -> None:
    plan(job, 'echo up; [ "$BLUENO_ATTEMPT" = 2 ] || exec sleep 600')
    containers = [run(0), run(1)]
    begun(job, 0, 1)
    child = json.loads(Path(workers.folder_of(str(job.path), rank), "status.json").read_text())["child"]
    containers[rank].kill()
    os.killpg(child, signal.SIGKILL)
    containers[rank].wait()
    containers[rank] = run(rank)
    assert [one.wait(60) for one in containers] == [0, 0]
    assert (ended(job).exit_code, ended(job).attempt) == (0, 2)
    assert [log(job, one).count("up\n") for one in (0, 1)] == [2, 2]


def test_all_are_cancelled(job: JobFolder, run: Run) -> None:
    plan(job, "echo up; exec sleep 600")
    containers = [run(0), run(1)]
    begun(job, 0, 1)
    job.write("cancel", b"")
    assert [one.wait(30) for one in containers] == [0, 0]
    assert ended(job).ending == "cancelled"


def test_who_still_works_is_heard(job: JobFolder, run: Run) -> None:
    plan(job, "echo up; exec sleep 600")
    run(0), run(1)
    begun(job, 0, 1)
    ear = spread.Silence(types.SimpleNamespace(job=str(job.path), beat=lambda: None))  # type: ignore[arg-type]
    ear.of([1])
    first, _ = ear.seen[1]
    assert first > 0
    until(lambda: ear.of([1]) == [] and ear.seen[1][0] > first, "rank 1 to be heard again")


def test_a_failure_is_tried_again_by_all(job: JobFolder, run: Run) -> None:
    text = 'echo up; [ "$BLUENO_ATTEMPT" != 2 ] || exit 0; [ $RANK = 0 ] || exit 3; exec sleep 600'
    plan(job, text, retries=1, retry_pause=0.1)
    assert [one.wait(60) for one in (run(0), run(1))] == [0, 0]
    assert (ended(job).exit_code, ended(job).attempt, ended(job).worker) == (0, 2, None)
