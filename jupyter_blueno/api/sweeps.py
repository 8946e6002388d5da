"""Sweeps: the same work as many jobs with many values."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.jobs.model import Change, JobSpec
from jupyter_blueno.sweeps.model import (
    BeginSweep,
    ChangeStop,
    Outline,
    Plan,
    StartSweep,
    Sweep,
    Trial,
    Verdict,
)


class SweepRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A sweep by the id of a job that conducts or conducted it, the beginning of that id, or its name."""

    sweep_id: str


class SweepJob(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Values by name are the same for all trials; `id` is that of the sweep, made by the client."""

    job_id: str
    plan: Plan


class DescribeSweep(Struct, frozen=True, forbid_unknown_fields=True):
    """A sweep that has not been started."""

    name: str
    work: JobSpec
    plan: Plan


class ChangeSweep(ChangeStop, frozen=True, forbid_unknown_fields=True, kw_only=True):
    sweep_id: str


class ResumeSweep(ChangeStop, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`id` is that of the new job, made by the client: a repeated request is the same one."""

    sweep_id: str
    id: str


class TrialRange(Struct, frozen=True, forbid_unknown_fields=True):
    """Trials that changed after the revision `since`."""

    sweep_id: str
    since: int = 0


class TrialList(Struct, frozen=True):
    """By number. Asked `since` this `revision`, the next answer has only what changed."""

    trials: list[Trial]
    revision: int


class BeginTrial(Struct, frozen=True, forbid_unknown_fields=True):
    """`parent` is the job that conducts the sweep."""

    sweep_id: str
    parent: str
    number: int
    parameters: dict[str, Any]


class SettleTrial(Struct, frozen=True, forbid_unknown_fields=True):
    """How a trial ended; `curve` are points of the objective, as pairs of step and value."""

    sweep_id: str
    number: int
    state: Verdict
    value: float | None = None
    curve: list[tuple[float, float]] = []
    reason: str | None = None


@operation("POST", "/sweeps", resource="jobs", action="execute", status=201, local=True)
def start_sweep(context: Context, ask: StartSweep) -> Sweep:
    """Start a sweep: a job that submits the trials as jobs, and chooses their values."""
    from jupyter_blueno.sweeps import making

    begun, laid = making.lay_out(context.platform.staging, context.user, ask)
    return laid.launched(lambda _: context.ask(begin_sweep, begun))


@operation("POST", "/jobs/{job_id}/sweep", resource="jobs", action="execute", status=201, local=True)
def sweep_job(context: Context, ask: SweepJob) -> Sweep:
    """Start a sweep of what a job ran: of the same snapshot, with many values."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.sweeps import making

    _, old, _ = staging.asked(context, ask.job_id)
    begun, laid = making.lay_out_job(context.platform.staging, context.user, old, ask, ask.plan)
    return laid.launched(lambda _: context.ask(begin_sweep, begun))


@operation("POST", "/work/sweep", resource="jobs", action="read", local=True)
def preview_sweep(context: Context, ask: DescribeSweep) -> Outline:
    """Say how many trials there would be and what the first one would send, and start nothing."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.sweeps import making, work

    name, spec = making.checked(context.platform.staging, ask.name, ask.work, ask.plan)
    trial = staging.previewed(context, name, work.first(spec, ask.plan.space))
    return making.outline(ask.plan, trial)


@operation("POST", "/jobs/{job_id}/sweep/preview", resource="jobs", action="read", local=True)
def preview_sweep_of_job(context: Context, ask: SweepJob) -> Outline:
    """Say what a sweep of what a job ran would do, and start nothing."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.sweeps import making, work

    _, old, _ = staging.asked(context, ask.job_id)
    name, spec = making.checked_job(context.platform.staging, old, ask, ask.plan)
    trial = staging.previewed(context, name, work.first(spec, ask.plan.space), old)
    return making.outline(ask.plan, trial)


@operation("POST", "/sweeps/begin", resource="jobs", action="execute", status=201)
def begin_sweep(context: Context, ask: BeginSweep) -> Sweep:
    """Begin a sweep whose work is kept; nothing that it names is read."""
    from jupyter_blueno.api.accounting import check_storage
    from jupyter_blueno.sweeps import making

    making.check(ask)
    check_storage(context)
    return context.platform.sweeps.begin(context.user, ask)


@operation("GET", "/sweeps/{sweep_id}", resource="jobs", action="read")
def get_sweep(context: Context, ask: SweepRef) -> Sweep:
    """Return a sweep with its best trial."""
    return context.platform.sweeps.get(context.user, ask.sweep_id)


@operation("PATCH", "/sweeps/{sweep_id}", resource="jobs", action="execute")
def change_sweep(context: Context, ask: ChangeSweep) -> Sweep:
    """Change how many trials there are to be, in all or at once, also while it runs."""
    return context.platform.sweeps.change(context.user, ask.sweep_id, ask)


@operation("POST", "/sweeps/{sweep_id}/resume", resource="jobs", action="execute", status=201)
def resume_sweep(context: Context, ask: ResumeSweep) -> Sweep:
    """Go on with a sweep that is over, knowing all its trials, by a new job."""
    return context.platform.sweeps.resume(context.user, ask.sweep_id, ask.id, ask)


@operation("GET", "/sweeps/{sweep_id}/trials", resource="jobs", action="read")
def list_trials(context: Context, ask: TrialRange) -> TrialList:
    """List the trials of a sweep."""
    return TrialList(*context.platform.sweeps.trials(context.user, ask.sweep_id, ask.since))


@operation("POST", "/sweeps/{sweep_id}/trials", resource="jobs", action="execute", status=201)
def begin_trial(context: Context, ask: BeginTrial) -> Trial:
    """Submit a trial (for the job that conducts); the same number again is the same trial."""
    return context.platform.sweeps.begin_trial(
        context.user, ask.sweep_id, ask.parent, ask.number, ask.parameters
    )


@operation("PATCH", "/sweeps/{sweep_id}/trials/{number}", resource="jobs", action="execute")
def settle_trial(context: Context, ask: SettleTrial) -> Trial:
    """Say how a trial ended (for the job that conducts); the first word counts."""
    return context.platform.sweeps.settle(
        context.user, ask.sweep_id, ask.number, ask.state, ask.value, ask.curve, ask.reason
    )
