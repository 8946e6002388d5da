"""A sweep is made: its plan checked, its work kept, the job that conducts laid out."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

import msgspec

from jupyter_blueno.catalog.checks import check_json_items
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import intent
from jupyter_blueno.jobs.model import Change, JobSpec, Person, Resources
from jupyter_blueno.jobs.sending import batch, kept, request
from jupyter_blueno.sweeps import rules, space, work
from jupyter_blueno.sweeps.model import BeginSweep, Outline, Plan, StartSweep

if TYPE_CHECKING:
    from jupyter_blueno.jobs.folder import JobFolder
    from jupyter_blueno.jobs.sending.outlook import Preview
    from jupyter_blueno.jobs.sending.staging import Staging

CONDUCTOR = "jupyter_blueno.conductors.sweep"
RETRIES = 5  # of a conductor that is killed: it goes on where it was


class Request(msgspec.Struct, frozen=True):
    """What a conductor is told: its job's `source`."""

    sweep_id: str
    owner: str
    team: str
    first: int = 0  # the number of the first trial that it makes


def lay_out(staging: Staging, user: Person, ask: StartSweep) -> tuple[BeginSweep, batch.LaidOut]:
    """Keep the work of a sweep; what is said of it.

    Raises
    ------
    InvalidInput
        If the plan makes no sense, or the work does not take the values; nothing was kept.
    """
    request.check_id(ask.id)
    name, spec = checked(staging, ask.name, ask.work, ask.plan)
    staging.take(work.folder_of(staging.config, ask.id), name, spec)
    digest = hashlib.sha256(msgspec.json.encode(ask, order="sorted")).hexdigest()
    return _conducted(staging, user, ask.id, name, spec, ask.plan, digest)


def lay_out_job(
    staging: Staging, user: Person, old: JobFolder, change: Change, plan: Plan
) -> tuple[BeginSweep, batch.LaidOut]:
    """The same of what a job ran, with its snapshot.

    Raises
    ------
    InvalidInput
    """
    sweep_id = change.id or os.urandom(16).hex()
    request.check_id(sweep_id)
    name, spec = checked_job(staging, old, change, plan)
    staging.take_over(old, work.folder_of(staging.config, sweep_id), name, spec)
    digest = hashlib.sha256(msgspec.json.encode((name, spec, plan), order="sorted")).hexdigest()
    return _conducted(staging, user, sweep_id, name, spec, plan, digest)


def checked(staging: Staging, name: str, spec: JobSpec, plan: Plan) -> tuple[str, JobSpec]:
    """Name and work of a sweep that may begin.

    Raises
    ------
    InvalidInput
    """
    name = request.check_name(name)
    check_plan(plan)
    spec = kept.settled(staging, spec)
    work.check(spec, plan.space)
    return name, spec


def checked_job(staging: Staging, old: JobFolder, change: Change, plan: Plan) -> tuple[str, JobSpec]:
    """The same of what a job ran; raises as `checked`."""
    name, spec = kept.changed(staging, kept.of(old), msgspec.structs.replace(change, parent=None))
    return checked(staging, name, spec, plan)


def outline(plan: Plan, trial: Preview) -> Outline:
    """What a sweep would do whose first trial this is."""
    return Outline(rules.most_trials(plan), space.size(plan.space), plan, trial)


def check_plan(plan: Plan) -> None:
    """Refuse a plan that makes no sense.

    Raises
    ------
    InvalidInput
    """
    rules.check(plan)
    check_json_items([msgspec.to_builtins(plan)], "The sweep's plan")


def check(ask: BeginSweep) -> None:
    """Refuse what is said of a sweep where it cannot be.

    Raises
    ------
    InvalidInput
    """
    intent.check(ask.conductor, "sweep")
    request.check_digest(ask.digest)
    check_plan(ask.plan)
    if ask.kind not in work.KINDS:
        raise InvalidInput(f"A sweep runs no {ask.kind}.", code="job_spec")


def conductor(
    staging: Staging, user: Person, sweep_id: str, job_id: str, name: str, spec: JobSpec, first: int
) -> batch.LaidOut:
    """Lay out the job that makes the trials of a sweep, from number `first` on."""
    asked = Request(sweep_id, user.name, user.team, first)
    job = JobSpec(
        kind="sweep",
        command=[sys.executable, "-P", "-m", CONDUCTOR],
        source=msgspec.json.encode(asked).decode(),
        folder=spec.folder,
        resources=Resources(retries=RETRIES),
        origin=spec.origin,
    )
    return batch.lay_out(staging, [(job_id, name, job)])


def _conducted(
    staging: Staging, user: Person, sweep_id: str, name: str, spec: JobSpec, plan: Plan, digest: str
) -> tuple[BeginSweep, batch.LaidOut]:
    laid = conductor(staging, user, sweep_id, sweep_id, name, spec, 0)
    return BeginSweep(laid.intents[0], spec.kind, spec.resources, plan, digest), laid
