"""Several workers of one job on this machine: what they share, how they end, what they see."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.engine import beside, workers
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Resources
from jupyter_blueno.jobs.testing import ALICE, cell, command, log, start, until, wait

TWO = Resources(workers=2)


@pytest.mark.parametrize(
    ("gpus", "count", "expected"),
    [(b"0,1,2,3", 2, [b"0,1", b"2,3"]), (b"", 2, [b"", b""]), (None, 2, None), (b"7", 1, [b"7"])],
)
def test_gpus_are_shared_out(gpus: bytes | None, count: int, expected: list[bytes] | None) -> None:
    assert beside.shares(gpus, count) == expected


def test_what_a_worker_is_told_is_what_torch_and_tensorflow_read() -> None:
    found = workers.surroundings("/job", 1, ["10.0.0.1", "fd00::2"], 29400, [29401, 29401])
    said = {name.decode(): value.decode() for name, value in found.items()}
    assert (said["RANK"], said["WORLD_SIZE"], said["LOCAL_RANK"]) == ("1", "2", "0")
    assert (said["MASTER_ADDR"], said["MASTER_PORT"]) == ("10.0.0.1", "29400")
    assert (said["PET_NNODES"], said["PET_NODE_RANK"]) == ("2", "1")
    assert json.loads(said["TF_CONFIG"]) == {
        "cluster": {"worker": ["10.0.0.1:29401", "[fd00::2]:29401"]},
        "task": {"type": "worker", "index": 1},
    }
    assert said["BLUENO_JOB_FOLDER"] == "/job/workers/1"


def test_a_worker_that_is_killed_ends_the_others_and_is_named(manager: JobManager) -> None:
    job = start(manager, command("sh", "-c", "echo $RANK; exec sleep 600", resources=TWO))
    record = manager.record(ALICE, job.id)
    until(lambda: all(one.log_size for one in record.workers()) and record.workers(), "both to run")
    folder = record.folder.path
    pids = [workers.standing(str(folder), rank)["pid"] for rank in (0, 1)]
    os.kill(pids[1], signal.SIGKILL)
    job = wait(manager, job, "FAILED")
    assert job.failure is not None
    assert job.failure.sentence.startswith(
        "Rank 1 of 2 workers ended, and the others with it: It was ended by"
    )
    assert [(one.state, one.code) for one in record.workers()] == [("ended", -15), ("ended", -9)]


def test_what_holds_the_watch_is_killed_and_they_go_on(manager: JobManager, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"echo up; while [ ! -e {gate} ]; do sleep 0.05; done; echo $RANK"
    job = start(manager, command("sh", "-c", text, resources=TWO))
    record = manager.record(ALICE, job.id)
    until(lambda: all(one.log_size for one in record.workers()) and record.workers(), "both to run")
    status = json.loads((record.folder.path / "status.json").read_text())
    os.kill(status["supervisor"], signal.SIGKILL)
    gate.touch()
    wait(manager, job, "SUCCEEDED")
    assert log(manager, job) == "up\n0\n"
    assert record.log(0, 100, 1)[0] == b"up\n1\n"


def test_all_that_a_worker_predicts_comes_to_the_job(manager: JobManager) -> None:
    source = (
        "import os\nfrom jupyter_blueno.jobs.inside import results\n"
        "rank = int(os.environ['RANK'])\nresults.record(7, [rank], {'score': [rank / 2]})"
    )
    job = wait(manager, start(manager, cell(source, resources=TWO)), "SUCCEEDED")
    batches = (manager.record(ALICE, job.id).folder.path / "results").glob("0*")
    assert sorted(json.loads(one.read_text())["ordinals"] for one in batches) == [[0], [1]]


def test_memory_is_for_each(manager: JobManager) -> None:
    asked = Resources(workers=2, memory=300_000_000)
    job = wait(manager, start(manager, cell("x = b'x' * 900_000_000", resources=asked)), "FAILED")
    assert job.failure is not None
    assert job.failure.suggestion is not None
    assert job.failure.suggestion.resources == Resources(workers=2, memory=600_000_000)
    assert "300 MB" in job.failure.sentence


def refused(manager: JobManager, spec: JobSpec) -> str:
    with pytest.raises(InvalidInput) as found:
        start(manager, spec)
    return str(found.value)


def test_what_the_machine_lacks_for_all_is_refused(manager: JobManager) -> None:
    few: Callable[..., Any] = lambda **fields: command("true", resources=Resources(workers=200, **fields))  # noqa: E731
    assert "for 200 workers" in refused(manager, few(cpu=1.0))
    assert "for 200 workers" in refused(manager, few(memory=4 << 30))
    assert "has one worker" in refused(
        manager, JobSpec(kind="ingest", command=["true"], source="{}", resources=TWO)
    )
    assert "from 1 to 256" in refused(manager, command("true", resources=Resources(workers=0)))
