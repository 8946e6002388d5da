"""What a job measures: logged by it, kept in its folder, read while it runs and afterwards."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import curves
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.points import RECORD, Writer
from jupyter_blueno.jobs.readings import Curve
from jupyter_blueno.jobs.testing import ALICE, call, cell, log, start, until, wait

BLUENO = "import jupyter_blueno as blueno\n"


def by_name(manager: JobManager, job_id: str) -> dict[str, Curve]:
    return {one.name: one for one in manager.record(ALICE, job_id).curves("metrics").curves}


def test_points_come_back_in_order(manager: JobManager) -> None:
    source = BLUENO + (
        "for n in range(5): blueno.log_metric('loss', 1 / (n + 1))\n"
        "print(blueno.log_metrics({'accuracy': 0.9, 'val/loss': 2}, step=7))"
    )
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    assert log(manager, job) == "True\n"
    found = by_name(manager, job.id)
    assert list(found) == ["loss", "accuracy", "val/loss"]
    assert found["loss"].steps == [0, 1, 2, 3, 4]
    assert found["loss"].values == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert found["loss"].times == sorted(found["loss"].times)
    assert (found["accuracy"].steps, found["accuracy"].values) == ([7], [0.9])
    assert job.metrics == {"loss": 0.2, "accuracy": 0.9, "val/loss": 2}


def test_they_are_seen_while_it_runs(manager: JobManager, folder: Path) -> None:
    source = BLUENO + (
        "import os, time\n"
        "blueno.log_metric('loss', 0.5)\n"
        "while not os.path.exists('first'): time.sleep(0.01)\n"
        "for n in range(1000): blueno.log_metric('loss', n)\n"  # more than is written at once
        "while not os.path.exists('second'): time.sleep(0.01)\n"
    )
    job = start(manager, cell(source, folder=str(folder)))
    until(lambda: manager.get(ALICE, job.id).metrics == {"loss": 0.5}, "the newest value")
    first = manager.record(ALICE, job.id).curves("metrics")
    assert first.curves[0].values == [0.5]
    assert manager.record(ALICE, job.id).curves("metrics", first.after).curves == []
    (folder / "first").touch()
    until(lambda: manager.get(ALICE, job.id).metrics == {"loss": 999}, "the last value, though it is silent")
    (more,) = manager.record(ALICE, job.id).curves("metrics", first.after).curves
    assert (more.values[0], more.values[-1], more.count) == (0, 999, 1000)
    (folder / "second").touch()
    wait(manager, job, "SUCCEEDED")


def test_numbers_of_all_sorts_are_taken_and_others_are_told(manager: JobManager) -> None:
    source = BLUENO + (
        "import numpy as np\n"
        "taken = [1, True, np.float32(0.5), np.array([2]), np.int64(3), np.nan, float('inf'), -np.inf]\n"
        "assert all(blueno.log_metric('good', one) for one in taken)\n"
        "for bad in ['0.5', None, [1, 2], np.zeros((2, 3)), 10**400, 1j]:\n"
        "    assert blueno.log_metric(f'bad {type(bad).__name__}', bad) is False\n"
        "assert not blueno.log_metric('', 1) and not blueno.log_metric(5, 1) and not blueno.log_metrics(3)\n"
        "assert not blueno.log_metric('good', 1, step='a')\n"
        "assert blueno.log_metrics({'fine': 1, 'wrong': 'x'}) is False\n"
    )
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    found = by_name(manager, job.id)
    assert list(found) == ["good", "fine"]
    assert found["good"].values == [1, 1, 0.5, 2, 3, "NaN", "Infinity", "-Infinity"]
    assert job.metrics == {"good": "-Infinity", "fine": 1}
    said = log(manager, job)
    assert "a value of 'bad ndarray' is one number, not ndarray of shape (2, 3); log its mean" in said
    assert "a value of 'bad NoneType' is one number, not nothing (None)." in said
    assert len(said.splitlines()) <= 10


def test_without_a_job_nothing_happens(tmp_path: Path) -> None:
    source = BLUENO + "print(blueno.log_metric('loss', 1), blueno.log_metrics({'a': 'x'}))"
    environment = {name: value for name, value in os.environ.items() if name != "BLUENO_JOB_FOLDER"}
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert (done.stdout, done.stderr) == ("False False\n", "")
    assert list(tmp_path.iterdir()) == []


def test_each_process_of_a_job_logs(manager: JobManager) -> None:
    def work() -> None:
        import multiprocessing

        import jupyter_blueno as blueno

        blueno.log_metric("rank", 0)
        for way in ("fork", "spawn"):
            with multiprocessing.get_context(way).Pool(2) as pool:
                pool.starmap(blueno.log_metric, [("rank", 1)] * 4)
                pool.close()
                pool.join()

    job = wait(manager, start(manager, call(work)), "SUCCEEDED")
    curve = by_name(manager, job.id)["rank"]
    assert curve.count == 9
    assert sorted(curve.values) == [0] + [1] * 8


def test_killed_work_leaves_what_it_logged(manager: JobManager) -> None:
    source = BLUENO + "import os\nblueno.log_metric('loss', 0.25)\nos.kill(os.getpid(), 9)"
    job = wait(manager, start(manager, cell(source)), "FAILED")
    assert by_name(manager, job.id)["loss"].values == [0.25]


def test_a_torn_record_is_left_out_and_comes_later(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path))
    for n in range(3):
        writer.add("loss", n, None, 100.0 + n)
    writer.flush()
    whole = (tmp_path / "0000.points").read_bytes()
    (tmp_path / "0000.points").write_bytes(whole[:-5])
    first = curves.read(tmp_path)
    assert first.curves[0].values == [0, 1]
    (tmp_path / "0000.points").write_bytes(whole)
    assert curves.read(tmp_path, first.after).curves[0].values == [2]
    (tmp_path / "0000.names").write_bytes(b"")
    assert curves.read(tmp_path).curves == []


def test_a_full_disk_delays_and_tears_nothing(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the disk: a write is cut in the middle of a record, then refused."""
    import resource
    import signal

    writer = Writer(str(tmp_path))
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (RECORD * 2 + 7, before[1][1]))
        for n in range(10):
            writer.add("loss", n, None, 100.0 + n)
            writer.flush()
        assert (tmp_path / "0000.points").stat().st_size == 2 * RECORD
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])
    writer.flush()
    assert curves.read(tmp_path).curves[0].values == list(range(10))


def test_many_points_are_thinned_as_they_come(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path), whole=1000)
    values = np.sin(np.arange(300_000) / 1000)
    values[200_001], values[250_001], values[270_000] = 50, -50, math.nan
    for value in values.tolist():
        writer.add("loss", value, None, 100.0)
    writer.finish()
    (curve,) = curves.read(tmp_path, limit=100_000).curves
    assert curve.count < 20_000  # it doubles its patience again and again
    kept = dict(zip(curve.steps, curve.values, strict=True))
    assert [kept[n] for n in (0, 999, 200_001, 250_001, 270_000, 299_999)] == [
        *(values[0], values[999], 50, -50, "NaN"),
        values[299_999],
    ]


def test_a_million_points_are_answered_at_once(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path))
    rng = np.random.default_rng(0)
    values = rng.normal(size=1_000_000)
    values[123_456], values[654_321], values[777_777] = 99, -99, math.nan
    for n, value in enumerate(values.tolist()):
        writer.add("loss", value, None, 1.7e9 + n)
    writer.finish()
    began = time.process_time()
    (curve,) = curves.read(tmp_path).curves
    took = time.process_time() - began
    assert took < 1  # 0.1 s
    assert (curve.count, len(curve.values) <= 1000) == (1_000_000, True)
    assert {99, -99, "NaN", values[0], values[-1]} <= set(curve.values)
    assert curve.steps == sorted(curve.steps)


@pytest.mark.parametrize("after", ["x", "0000", "0000.a", "../../etc.1", "0000.-5", "a.1"])
def test_a_made_up_cursor_is_refused(tmp_path: Path, after: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        curves.read(tmp_path, after)
    assert refused.value.code == "bad_cursor"


@pytest.mark.parametrize("limit", [0, -1, 9, 10**9])
def test_a_wild_limit_is_refused(tmp_path: Path, limit: int) -> None:
    with pytest.raises(InvalidInput, match="10 to 100,000"):
        curves.read(tmp_path, limit=limit)
