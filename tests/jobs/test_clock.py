"""Somebody sets the machine's clock while jobs run; it is only their supervisors that are made to see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import cell, logged, start, until, wait
from tests.jobs.test_attempts import in_pause, tried

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
TRUE = {"LD_PRELOAD": ""}  # for the work: under a faked clock Python cannot sleep
UNTIL = "import os, time\nprint('up')\nwhile not os.path.exists('go'): time.sleep(0.05)"


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], object]:
    """Sets the clock of the dispatcher and the supervisors: ``-1d``."""
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed")
    shift = tmp_path / "shift"
    shift.write_text("+0")
    values = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(shift), "FAKETIME_NO_CACHE": "1"}
    for name, value in {**values, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}.items():
        monkeypatch.setenv(name, value)
    return shift.write_text


def test_a_day_ahead_ends_nothing(
    manager: JobManager, folder: Path, set_clock: Callable[[str], object]
) -> None:
    job = start(manager, cell(UNTIL, environment=TRUE, resources=Resources(timeout=300)))
    logged(manager, job, "up")
    set_clock("+1d")
    late = start(manager, cell("1", environment=TRUE, resources=Resources(timeout=300)))
    wait(manager, late, "SUCCEEDED")
    (folder / "go").touch()
    ended = wait(manager, job, "SUCCEEDED")
    assert ended.finished_at is not None
    record = JobFolder.of(manager.config, job.id).read("exit.json", ExitRecord)
    assert record is not None
    assert record.finished_at - ended.created_at.timestamp() > 23 * 3600  # else nothing was set
    assert ended.finished_at - ended.created_at < timedelta(minutes=5)  # nobody sees a time that is to come


def test_a_day_back_holds_up_nothing(
    manager: JobManager, folder: Path, set_clock: Callable[[str], object]
) -> None:
    manager.config.retry_pause = 4.0
    again = start(manager, tried("assert number > 1", retries=1))
    asked = Resources(timeout=4)
    slow = start(
        manager, cell("import time\nprint('up')\ntime.sleep(600)", environment=TRUE, resources=asked)
    )
    in_pause(manager, again, 2)
    logged(manager, slow, "up")
    set_clock("-1d")
    for job, state in ((again, "SUCCEEDED"), (slow, "TIMED_OUT")):
        ended = wait(manager, job, state)
        assert ended.started_at is not None
        assert ended.finished_at is not None
        assert ended.finished_at >= ended.started_at
    until(lambda: manager.backend.waiting() == set(), "the queue to be empty")
