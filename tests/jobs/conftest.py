"""Managers on a database and folder of the test's own; nothing of theirs outlives the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, until


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> Path:
    """The jobs' working folder: the root of the files."""
    place = tmp_path / "files"
    place.mkdir()
    config.roots = [str(place)]
    return place


@pytest.fixture
def another_manager(config: Config, folder: Path) -> Iterator[Callable[[], JobManager]]:
    made: list[JobManager] = []

    def make() -> JobManager:
        made.append(JobManager(config, Database(config)))
        return made[-1]

    yield make
    if made:
        with made[0].database.begin() as connection:
            left = [*store.queued(connection), *(row.id for row in store.begun(connection))]
        for job_id in left:
            made[0].cancel(ALICE, job_id)
        until(lambda: made[0].monitor.look_now() == 0, "the jobs to end")
    for manager in made:
        manager.close()
        manager.database.close()


@pytest.fixture
def manager(another_manager: Callable[[], JobManager]) -> JobManager:
    return another_manager()
