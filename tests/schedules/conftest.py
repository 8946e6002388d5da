"""Schedules on a database and folder of the test's own, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, until
from jupyter_blueno.schedules.manager import ScheduleManager


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: str) -> None:
        self.now = datetime.fromisoformat(now).astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now

    def set(self, now: str) -> None:
        self.now = datetime.fromisoformat(now).astimezone(UTC)

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23T12:00:00+00:00")


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> Path:
    """The jobs' working folder: the root of the files."""
    place = tmp_path / "files"
    place.mkdir()
    config.roots = [str(place)]
    return place


@pytest.fixture
def another(config: Config, folder: Path, clock: Clock) -> Iterator[Callable[[], ScheduleManager]]:
    """Makes managers that share database and data folder, as those of several processes do."""
    made: list[ScheduleManager] = []

    def make() -> ScheduleManager:
        database = Database(config)
        made.append(ScheduleManager(config, database, JobManager(config, database), clock))
        return made[-1]

    yield make
    if made:
        jobs = made[0].jobs
        with jobs.database.begin() as connection:
            left = [*store.queued(connection), *(row.id for row in store.begun(connection))]
        for job_id in left:
            jobs.cancel(ALICE, job_id)
        until(lambda: jobs.monitor.look_now() == 0, "the jobs to end")
    for one in made:
        one.jobs.close()
        one.database.close()


@pytest.fixture
def schedules(another: Callable[[], ScheduleManager]) -> ScheduleManager:
    return another()
