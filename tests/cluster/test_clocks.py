"""Nodes whose clocks are wrong: jobs neither end early nor seem silent, and no time runs backwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import ALICE, command, logged, start, until, wait
from tests.cluster.jobs import Space, another_manager, folder, manager, settings, space
from tests.cluster.test_job_faults import UP, Make, open_gate
from tests.jobs.test_clock import FAKETIME

__all__ = ["another_manager", "folder", "manager", "space"]

pytestmark = pytest.mark.slow


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("shift", ["+2h", "-2h"])
def test_a_node_two_hours_off(
    another_manager: Make, config: Config, folder: Path, space: Space, shift: str
) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    wrong = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": shift,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PATH": path,
    }
    settings(config, space, space.template(config.home_path, folder, environment=wrong))
    manager = another_manager()
    manager.start_monitor()
    job = start(manager, command("sh", "-c", f"date +%s; {UP}", resources=Resources(timeout=600)))
    logged(manager, job, "up")
    until(lambda: manager.get(ALICE, job.id).health == "ok", "it to seem alive")
    said = int(logged(manager, job, "up").splitlines()[0])
    begun = wait(manager, job, "RUNNING")
    assert begun.started_at is not None
    assert abs(said - begun.created_at.timestamp()) > 7000  # else nothing was wrong
    assert 0 <= (begun.started_at - begun.created_at).total_seconds() < 60
    open_gate(manager)
    ended = wait(manager, job, "SUCCEEDED")
    assert ended.finished_at is not None
    assert 0 <= (ended.finished_at - begun.started_at).total_seconds() < 60
