"""Background jobs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, Done, operation
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.comparison import Comparison
from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.model import (
    CONDUCTORS,
    Change,
    Code,
    Form,
    Job,
    JobKind,
    JobPage,
    JobSpec,
    Output,
    Resources,
    UsedDataset,
    Workbench,
)
from jupyter_blueno.jobs.readings import Checkpoint, Curves
from jupyter_blueno.jobs.sending.outlook import Outlook, Preview

if TYPE_CHECKING:
    from jupyter_blueno.jobs.record import JobRecord


class SubmitJob(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` (32 hexadecimal digits) is made by the client: a repeated request is the same job."""

    id: str
    name: str
    spec: JobSpec


class SubmitJobs(Struct, frozen=True, forbid_unknown_fields=True):
    """At most 1000."""

    jobs: list[SubmitJob]


class LaunchJobs(Struct, frozen=True, forbid_unknown_fields=True):
    """At most 1000, laid out below the data folder by whoever asks."""

    jobs: list[Intent]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """What a job that is only thought of would need."""

    name: str
    kind: JobKind
    resources: Resources = Resources()


class UsedDatasets(Struct, frozen=True):
    datasets: list[UsedDataset]


class JobList(Struct, frozen=True):
    jobs: list[Job]
    next: str | None = None


class JobRef(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` may be the first characters of an id, or a name (the newest of it)."""

    job_id: str


class RerunJob(Change, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`values` are parameters by name. `id` makes a repeated request the same job."""

    job_id: str


class CompareJobs(Struct, frozen=True, forbid_unknown_fields=True):
    """Two to eight, as `JobRef` has them."""

    jobs: list[str] = []


class DescribeWork(Struct, frozen=True, forbid_unknown_fields=True):
    """Work that has not been submitted yet."""

    name: str
    spec: JobSpec


class CellText(Struct, frozen=True, forbid_unknown_fields=True):
    source: str  # as in a notebook, with magics


class UsedNames(Struct, frozen=True):
    """Names that a cell reads and gives no value to, in the order of its text."""

    names: list[str]


class ChangeJob(Struct, frozen=True, forbid_unknown_fields=True):
    """`priority` from -10 to 10; of jobs that wait, the higher one starts first.

    A running job that is `paused` stands still, and keeps what it holds.
    """

    job_id: str
    priority: int | None = None
    paused: bool | None = None


class OutputRange(Struct, frozen=True, forbid_unknown_fields=True):
    job_id: str
    after: int = -1


class OutputList(Struct, frozen=True):
    outputs: list[Output]


class CurveRange(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `limit` points of each curve; with what an answer said in `after`, only newer ones."""

    job_id: str
    after: str = ""
    limit: int = 1000


class CheckpointList(Struct, frozen=True):
    """The newest first."""

    checkpoints: list[Checkpoint]


class JobFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file that the job's record holds: its result, its executed notebook."""

    job_id: str
    name: Literal["result", "notebook", "log"]


@operation("GET", "/jobs", resource="jobs", action="read")
def list_jobs(context: Context, ask: JobPage) -> JobList:
    """List jobs, newest first."""
    jobs, following = context.platform.jobs.list_jobs(context.user, ask)
    return JobList(jobs, following)


@operation("POST", "/jobs", resource="jobs", action="execute", status=201, local=True)
def submit_job(context: Context, ask: SubmitJob) -> Job:
    """Start a job in the background; where there is no room now, it waits for its turn."""
    from jupyter_blueno.api import staging

    return staging.submit(context, [(ask.id, ask.name, ask.spec)])[0]


@operation("POST", "/work/preview", resource="jobs", action="read", local=True)
def preview_work(context: Context, ask: DescribeWork) -> Preview:
    """Say what would be sent and when it would start, and start nothing."""
    from jupyter_blueno.api import staging

    return staging.previewed(context, ask.name, ask.spec)


@operation("POST", "/work/batch", resource="jobs", action="execute", status=201, local=True)
def submit_jobs(context: Context, ask: SubmitJobs) -> JobList:
    """Start many jobs at once; if one of them cannot run, none is started."""
    from jupyter_blueno.api import staging

    return JobList(staging.submit(context, [(one.id, one.name, one.spec) for one in ask.jobs]))


@operation("POST", "/work/launch", resource="jobs", action="execute", status=201)
def launch_jobs(context: Context, ask: LaunchJobs) -> JobList:
    """Start jobs whose folders are laid out; nothing that they name is read."""
    from jupyter_blueno.api.accounting import check_storage
    from jupyter_blueno.jobs import intent
    from jupyter_blueno.jobs.sending import batch

    for one in ask.jobs:
        intent.check(one)
    if not all(one.parent for one in ask.jobs):  # parts of what runs already are not stopped halfway
        check_storage(context)
    return JobList(batch.launch(context.platform.jobs, context.user, ask.jobs))


@operation("POST", "/work/outlook", resource="jobs", action="read")
def get_outlook(context: Context, ask: Wanted) -> Outlook:
    """Say what there is to hand out to jobs, and when such a one would start."""
    return context.platform.jobs.outlook(context.user, ask.name, ask.kind, ask.resources)


@operation("GET", "/jobs/{job_id}", resource="jobs", action="read")
def get_job(context: Context, ask: JobRef) -> Job:
    """Return one job."""
    return context.platform.jobs.get(context.user, ask.job_id)


@operation("PATCH", "/jobs/{job_id}", resource="jobs", action="execute")
def change_job(context: Context, ask: ChangeJob) -> Job:
    """Change the priority of a job that waits; pause a job that runs, or let it go on."""
    jobs = context.platform.jobs
    if ask.priority is not None:
        jobs.prioritise(context.user, ask.job_id, ask.priority)
    if ask.paused is not None:
        jobs.pause(context.user, ask.job_id, ask.paused)
    return jobs.get(context.user, ask.job_id)


@operation("POST", "/jobs/{job_id}/cancel", resource="jobs", action="execute")
def cancel_job(context: Context, ask: JobRef) -> Job:
    """Ask a job to stop: first kindly, then with force; its whole process group."""
    return context.platform.jobs.cancel(context.user, ask.job_id)


@operation("POST", "/jobs/{job_id}/rerun", resource="jobs", action="execute", status=201, local=True)
def rerun_job(context: Context, ask: RerunJob) -> Job:
    """Run the same snapshot again as a new job, with other values where some are given."""
    from jupyter_blueno.api import staging

    job = context.ask(get_job, JobRef(ask.job_id))
    if job.kind in CONDUCTORS:
        return context.ask(repeat_job, msgspec.structs.replace(ask, job_id=job.id))
    return staging.rerun(context, job, ask)


@operation("POST", "/jobs/{job_id}/rerun/preview", resource="jobs", action="read", local=True)
def preview_rerun(context: Context, ask: RerunJob) -> Preview:
    """Say what running a job again would send and when it would start, and start nothing."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.jobs.sending import kept

    job, folder, record = staging.asked(context, ask.job_id)
    if job.kind in CONDUCTORS:
        raise InvalidInput(
            f"A {job.kind} runs again as it was; there is nothing to preview.", code="no_dry_run"
        )
    name, spec = kept.changed(context.platform.staging, record, ask)
    return staging.previewed(context, name, spec, folder)


@operation("POST", "/jobs/{job_id}/repeat", resource="jobs", action="execute", status=201)
def repeat_job(context: Context, ask: RerunJob) -> Job:
    """Run a sweep or flow again from its beginning."""
    jobs = context.platform.jobs
    job = jobs.get(context.user, ask.job_id)
    if job.kind == "sweep":
        return context.platform.sweeps.again(context.user, job.id, ask)
    from jupyter_blueno.flows import making

    return making.resume(jobs, context.user, job.id, ask.id or uuid.uuid4().hex, anew=True)


@operation("GET", "/jobs/{job_id}/form", resource="jobs", action="read", local=True)
def get_job_form(context: Context, ask: JobRef) -> Form:
    """Return what may be changed of a job to run it again."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.jobs.sending.parameters import form_of

    _, _, record = staging.asked(context, ask.job_id)
    return form_of(record.name, record.spec)


@operation("POST", "/work/names", resource="jobs", action="read", local=True)
def names_of_cell(context: Context, ask: CellText) -> UsedNames:
    """What a cell needs of its kernel; none where it is not Python."""
    from jupyter_blueno.jobs.sending.names import of_cell

    return UsedNames(of_cell(ask.source))


@operation("POST", "/work/form", resource="jobs", action="read", local=True)
def describe_work(context: Context, ask: DescribeWork) -> Form:
    """Return what may be changed of work before it is submitted: a notebook's parameters."""
    from jupyter_blueno.jobs.sending.parameters import form_of
    from jupyter_blueno.jobs.sending.request import check_spec

    check_spec(ask.spec)
    return form_of(ask.name, ask.spec)


@operation("DELETE", "/jobs/{job_id}", resource="jobs", action="execute")
def delete_job(context: Context, ask: JobRef) -> Done:
    """Take a finished job off the list; its folder is removed."""
    job = context.platform.jobs.get(context.user, ask.job_id)
    done = context.platform.jobs.delete(context.user, job.id)
    if job.kind == "sweep":
        context.platform.sweeps.job_deleted(context.user, job.id)
    return Done(done)


@operation("GET", "/compare", resource="jobs", action="read", local=True)
def compare_jobs(context: Context, ask: CompareJobs) -> Comparison:
    """Put jobs side by side: parameters, metrics, datasets, code, environment; what differs comes first."""
    from jupyter_blueno.jobs import comparison

    jobs = [context.ask(get_job, JobRef(ref)) for ref in dict.fromkeys(ask.jobs)]
    return comparison.compare(context.config, jobs)


@operation("GET", "/jobs/{job_id}/outputs", resource="jobs", action="read", local=True)
def list_outputs(context: Context, ask: OutputRange) -> OutputList:
    """Return what the job showed and returned, after a given output."""
    return OutputList(record_of(context, ask.job_id).outputs(ask.after))


@operation("GET", "/jobs/{job_id}/metrics", resource="jobs", action="read", local=True)
def get_metrics(context: Context, ask: CurveRange) -> Curves:
    """Return the metrics that the job logged, as curves."""
    return record_of(context, ask.job_id).curves("metrics", ask.after, ask.limit)


@operation("GET", "/jobs/{job_id}/usage", resource="jobs", action="read", local=True)
def get_usage(context: Context, ask: CurveRange) -> Curves:
    """Return what the job used, as curves over the seconds since it started.

    ``cpu`` (cores), ``memory`` (bytes), ``disk_read`` and ``disk_write`` (bytes
    per second), ``processes``; with GPUs of its own ``gpu`` (how many were busy)
    and ``gpu_memory`` (bytes).
    """
    return record_of(context, ask.job_id).curves("usage", ask.after, ask.limit)


@operation("GET", "/jobs/{job_id}/checkpoints", resource="jobs", action="read", local=True)
def list_checkpoints(context: Context, ask: JobRef) -> CheckpointList:
    """Return what the job kept to go on from."""
    return CheckpointList(record_of(context, ask.job_id).checkpoints())


@operation("GET", "/jobs/{job_id}/datasets", resource="jobs", action="read", local=True)
def list_used_datasets(context: Context, ask: JobRef) -> UsedDatasets:
    """Return the datasets that the job read, with version and filter."""
    return UsedDatasets(record_of(context, ask.job_id).used())


@operation("GET", "/jobs/{job_id}/code", resource="jobs", action="read", local=True)
def get_code(context: Context, ask: JobRef) -> Code:
    """Return the code that ran, with its modules, packages and commit."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.jobs.sending import snapshot

    job = context.ask(get_job, JobRef(ask.job_id))
    if job.kind == "sweep":
        return snapshot.read(staging.work_of_sweep(context, job.id))
    if job.kind == "flow":
        from jupyter_blueno.flows import seeing

        return seeing.code_of(context.config, job.id)
    return record_of(context, job.id).code()


@operation("GET", "/jobs/{job_id}/workbench", resource="jobs", action="read", local=True)
def get_workbench(context: Context, ask: JobRef) -> Workbench:
    """Return a notebook that takes up where the job was: its Python, folder, environment, code and data."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.jobs import workbench
    from jupyter_blueno.jobs.sending import plan

    job, folder, record = staging.asked(context, ask.job_id)
    return workbench.of(job, folder.path, record.spec, plan.python_of(context.config, record.spec))


@operation("GET", "/jobs/{job_id}/files/{name}", resource="jobs", action="read", local=True)
def get_job_file(context: Context, ask: JobFile) -> Content:
    """Return a file of the job's record, whole."""
    body, media_type = record_of(context, ask.job_id).file(ask.name)
    return Content(body, media_type)


def record_of(context: Context, ref: str) -> JobRecord:
    """What a job left in its folder; who may read it is known to whoever has its row."""
    from jupyter_blueno.jobs.folder import JobFolder
    from jupyter_blueno.jobs.record import JobRecord

    if context.service is None:
        return context.platform.jobs.record(context.user, ref)
    job_id = context.platform.found.get((context.user, ref), lambda: context.ask(get_job, JobRef(ref)).id)
    return JobRecord(JobFolder.of(context.config, job_id))
