"""Managers of jobs that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, until


@contextmanager
def managers(config: Config) -> Iterator[Callable[[], JobManager]]:
    """What makes managers, each with connections of its own; in the end their jobs end."""
    made: list[JobManager] = []

    def make() -> JobManager:
        made.append(JobManager(config, Database(config)))
        return made[-1]

    yield make
    if made:
        last = make()  # the others may be closed
        with last.database.begin() as connection:
            left = [*store.queued(connection), *(row.id for row in store.begun(connection))]
        for job_id in left:
            last.cancel(ALICE, job_id)
        until(lambda: last.monitor.look_now() == 0, "the jobs to end")
    for manager in made:
        manager.close()
        manager.database.close()
