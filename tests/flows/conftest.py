"""A platform of the test's own; no job of it outlives the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_blueno.api.context import Context
from jupyter_blueno.client import session
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.testing import until


@pytest.fixture
def spoken(context: Context) -> Iterator[Context]:
    """The verbs, spoken to this process."""
    session.use(transport=context)
    yield context
    jobs = context.platform.jobs
    with context.database.begin() as connection:
        left = [*store.queued(connection), *(row.id for row in store.begun(connection))]
    for job_id in left:
        jobs.cancel(context.user, job_id)
    until(lambda: jobs.monitor.look_now() == 0, "the jobs to end")
    session.use()
