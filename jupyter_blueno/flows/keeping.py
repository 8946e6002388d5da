"""A flow that is kept, to be started later, and again: by a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from jupyter_blueno.errors import NotFound
from jupyter_blueno.flows import keys, making
from jupyter_blueno.flows.model import FlowSpec
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Person
from jupyter_blueno.jobs.sending import request, snapshot
from jupyter_blueno.jobs.sending.staging import Staging

KEPT = "flow.json"


def prepared(staging: Staging, user: Person, ask: FlowSpec) -> tuple[JobSpec, Callable[[JobFolder], None]]:
    """Check a flow; what stands for it as a job, and what puts all of it into a folder.

    Raises
    ------
    InvalidInput
        If it cannot run.
    """
    making.check(staging, ask)
    # The id is the request's: the same flow asked for twice is kept once.
    job = making.conductor(user, keys.digest_of(msgspec.structs.replace(ask, id="")), ask.origin)
    digest = request.digest(ask.name, job)

    def lay_out(folder: JobFolder) -> None:
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.write_down(JobFolder(fresh), ask.name, digest, job, {})
                JobFolder(fresh).write(KEPT, ask, private=True)  # values of variables are in it
                making.keep_steps(staging, ask, fresh / "steps")

    return job, lay_out


def start(
    manager: JobManager,
    user: Person,
    folder: JobFolder,
    job_id: str,
    name: str,
    environment: Mapping[str, str],
) -> None:
    """Start the flow that is kept in a folder; the same id again is the same flow.

    Its steps get `environment`, but those whose results are taken from other runs: they would differ by it.

    Raises
    ------
    NotFound
        If it is not there.
    """
    ask = folder.read(KEPT, FlowSpec)
    if ask is None:
        raise NotFound("The flow is no longer on disk; schedule it again.", code="schedule_code_missing")
    steps = []
    for step in ask.steps:
        values = step.spec.environment if step.cache else {**step.spec.environment, **environment}
        spec = msgspec.structs.replace(step.spec, environment=values)
        steps.append(msgspec.structs.replace(step, spec=spec))
    again = msgspec.structs.replace(ask, id=job_id, name=name, steps=steps)
    begun, laid = making.lay_out(manager.staging, user, again, folder.path / "steps")
    laid.launched(lambda _: making.begin(manager, user, begun))
