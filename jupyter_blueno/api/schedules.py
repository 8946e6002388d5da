"""Jobs that start by themselves."""

from __future__ import annotations

from msgspec import Struct, field

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.flows.model import FlowSpec
from jupyter_blueno.jobs.model import Change, JobSpec
from jupyter_blueno.schedules.model import Firing, KeepSchedule, Schedule, Standby, Timing, Upcoming


class CreateSchedule(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` (32 hexadecimal digits) is made by the client: a repeated request is the same schedule.

    With `replace` it takes the place of the schedule of this name. A `fresh` one
    reads its notebook, which is a file, whenever it starts.
    """

    id: str
    name: str
    timing: Timing
    spec: JobSpec
    fresh: bool = False
    replace: bool = False


class ScheduleJob(Struct, frozen=True, forbid_unknown_fields=True):
    """Schedule what a job ran; `change` gives the schedule's name, and other values."""

    id: str
    job_id: str
    timing: Timing
    change: Change = field(default_factory=Change)
    replace: bool = False


class ScheduleFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """Schedule a flow; the id and name of `flow` are those of the schedule."""

    timing: Timing
    flow: FlowSpec
    replace: bool = False


class ScheduleList(Struct, frozen=True):
    schedules: list[Schedule]
    standby: Standby


class ScheduleRef(Struct, frozen=True, forbid_unknown_fields=True):
    """`schedule_id` may be the first characters of an id, or a name."""

    schedule_id: str


class ChangeSchedule(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays."""

    schedule_id: str
    timing: Timing | None = None
    paused: bool | None = None
    name: str | None = None


class RunSchedule(Struct, frozen=True, forbid_unknown_fields=True):
    """`key` (32 hexadecimal digits) makes a repeated request the same run."""

    schedule_id: str
    key: str


class FiringPage(Struct, frozen=True, forbid_unknown_fields=True):
    schedule_id: str
    limit: int = 100


class FiringList(Struct, frozen=True):
    firings: list[Firing]


class DescribeCron(Struct, frozen=True, forbid_unknown_fields=True):
    cron: str
    zone: str = "UTC"
    count: int = 5


@operation("GET", "/schedules", resource="jobs", action="read")
def list_schedules(context: Context, ask: Nothing) -> ScheduleList:
    """List the schedules, by name, and say who starts their jobs."""
    schedules = context.platform.schedules
    standby = schedules.standby(context.platform.fires_schedules)
    return ScheduleList(schedules.list_schedules(context.user), standby)


@operation("POST", "/schedules", resource="jobs", action="execute", status=201, local=True)
def create_schedule(context: Context, ask: CreateSchedule) -> Schedule:
    """Have work started at certain times, or when a dataset has a new version; as the work is now."""
    from jupyter_blueno.schedules import making

    replaces = _twin(context, ask.name) if ask.replace else None
    staging = context.platform.staging
    taken = making.take(staging, ask.id, ask.name, ask.timing, ask.spec, ask.fresh, replaces)
    return taken.kept(lambda said: context.ask(keep_schedule, said))


@operation("POST", "/schedules/of-job", resource="jobs", action="execute", status=201, local=True)
def schedule_job(context: Context, ask: ScheduleJob) -> Schedule:
    """Have what a job ran started again by itself."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.schedules import making

    _, old, record = staging.asked(context, ask.job_id)
    replaces = _twin(context, ask.change.name or record.name) if ask.replace else None
    taken = making.take_job(context.platform.staging, ask.id, old, ask.change, ask.timing, replaces)
    return taken.kept(lambda said: context.ask(keep_schedule, said))


def _twin(context: Context, name: str) -> str | None:
    """The schedule of this name."""
    listed = context.ask(list_schedules, Nothing()).schedules
    return next((one.id for one in listed if one.name == name.strip()), None)


@operation("POST", "/schedules/keep", resource="jobs", action="execute", status=201)
def keep_schedule(context: Context, ask: KeepSchedule) -> Schedule:
    """Write down a schedule whose work is kept; nothing that it names is read."""
    from jupyter_blueno.schedules import making

    making.check(ask)
    return context.platform.schedules.keep(context.user, ask)


@operation("POST", "/schedules/of-flow", resource="jobs", action="execute", status=201, local=True)
def schedule_flow(context: Context, ask: ScheduleFlow) -> Schedule:
    """Have a flow started by itself; its steps are what they are now."""
    from jupyter_blueno.flows import keeping
    from jupyter_blueno.schedules import making

    flow, staging = ask.flow, context.platform.staging
    replaces = _twin(context, flow.name) if ask.replace else None
    spec, lay_out = keeping.prepared(staging, context.user, flow)
    taken = making.take_made(staging, flow.id, flow.name, ask.timing, spec, lay_out, replaces)
    return taken.kept(lambda said: context.ask(keep_schedule, said))


@operation("GET", "/cron", resource="jobs", action="read")
def describe_cron(context: Context, ask: DescribeCron) -> Upcoming:
    """Say what a cron line means: in words, and the next times; or what is wrong with it."""
    return context.platform.schedules.upcoming(ask.cron, ask.zone, ask.count)


@operation("GET", "/schedules/{schedule_id}", resource="jobs", action="read")
def get_schedule(context: Context, ask: ScheduleRef) -> Schedule:
    """Return one schedule."""
    return context.platform.schedules.get(context.user, ask.schedule_id)


@operation("PATCH", "/schedules/{schedule_id}", resource="jobs", action="execute")
def change_schedule(context: Context, ask: ChangeSchedule) -> Schedule:
    """Change when a schedule starts its jobs, rename it, or let it pause."""
    return context.platform.schedules.change(
        context.user, ask.schedule_id, timing=ask.timing, paused=ask.paused, name=ask.name
    )


@operation("DELETE", "/schedules/{schedule_id}", resource="jobs", action="execute")
def delete_schedule(context: Context, ask: ScheduleRef) -> Done:
    """End a schedule; the jobs that it started stay."""
    return Done(context.platform.schedules.delete(context.user, ask.schedule_id))


@operation("POST", "/schedules/{schedule_id}/run", resource="jobs", action="execute", status=201)
def run_schedule(context: Context, ask: RunSchedule) -> Firing:
    """Start what a schedule runs, now."""
    return context.platform.schedules.run_now(context.user, ask.schedule_id, ask.key)


@operation("GET", "/schedules/{schedule_id}/firings", resource="jobs", action="read")
def list_firings(context: Context, ask: FiringPage) -> FiringList:
    """Return what came of a schedule's times, the newest first."""
    return FiringList(context.platform.schedules.firings(context.user, ask.schedule_id, ask.limit))
