"""Flows: jobs that need what others return."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.flows.model import BeginFlow, Flow, FlowSpec, Part
from jupyter_blueno.jobs.model import Job


class FlowRef(Struct, frozen=True, forbid_unknown_fields=True):
    """`flow_id` may be the first characters of an id, or a name (the newest of it)."""

    flow_id: str


class ResumeFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` (32 hexadecimal digits) is that of the new flow: a repeated request is the same one."""

    flow_id: str
    id: str


class StepRef(Struct, frozen=True, forbid_unknown_fields=True):
    flow_id: str
    step: str


class PartList(Struct, frozen=True):
    parts: list[Part]


@operation("POST", "/flows", resource="jobs", action="execute", status=201, local=True)
def start_flow(context: Context, ask: FlowSpec) -> Job:
    """Start a flow; each of its steps becomes a job when what it needs is there."""
    from jupyter_blueno.flows import making

    begun, laid = making.lay_out(context.platform.staging, context.user, ask)
    return laid.launched(lambda _: context.ask(begin_flow, begun))


@operation("POST", "/flows/begin", resource="jobs", action="execute", status=201)
def begin_flow(context: Context, ask: BeginFlow) -> Job:
    """Begin a flow whose steps are laid out; nothing that they name is read."""
    from jupyter_blueno.api.accounting import check_storage
    from jupyter_blueno.flows import graph, making
    from jupyter_blueno.jobs import intent

    intent.check(ask.conductor, "flow")
    graph.check_parts(ask.parts)
    check_storage(context)
    return making.begin(context.platform.jobs, context.user, ask)


@operation("GET", "/flows/{flow_id}", resource="jobs", action="read")
def get_flow(context: Context, ask: FlowRef) -> Flow:
    """Return a flow and how its steps stand."""
    from jupyter_blueno.flows import seeing

    return seeing.see(context.platform.jobs, context.user, ask.flow_id)


@operation("GET", "/flows/{flow_id}/parts", resource="jobs", action="read")
def list_flow_parts(context: Context, ask: StepRef) -> PartList:
    """Return the jobs of one step: their values, their metrics, how they stand."""
    from jupyter_blueno.flows import seeing

    return PartList(seeing.parts_of(context.platform.jobs, context.user, ask.flow_id, ask.step))


@operation("POST", "/flows/{flow_id}/advance", resource="jobs", action="execute")
def advance_flow(context: Context, ask: FlowRef) -> Flow:
    """Start what can start by now. The flow's own job asks for it; asked once more, nothing is done twice."""
    from jupyter_blueno.flows import going, seeing

    jobs = context.platform.jobs
    going.advance(jobs, context.user, jobs.owned(context.user, ask.flow_id))
    return seeing.see(jobs, context.user, ask.flow_id)


@operation("POST", "/flows/{flow_id}/resume", resource="jobs", action="execute", status=201)
def resume_flow(context: Context, ask: ResumeFlow) -> Job:
    """Run a flow that ended again, as a new one: what succeeded is taken over."""
    from jupyter_blueno.flows import making

    return making.resume(context.platform.jobs, context.user, ask.flow_id, ask.id)
