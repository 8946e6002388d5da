"""Background jobs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, Done, operation
from jupyter_blueno.jobs.model import Code, Job, JobSpec, Output


class SubmitJob(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` (32 hexadecimal digits) is made by the client: a repeated request is the same job."""

    id: str
    name: str
    spec: JobSpec


class JobPage(Struct, frozen=True, forbid_unknown_fields=True):
    """Newest first, by key: jobs older than the job `before`."""

    search: str = ""
    state: list[str] = []
    notebook: str | None = None
    before: str | None = None
    limit: int = 100


class JobList(Struct, frozen=True):
    jobs: list[Job]
    next: str | None = None


class JobRef(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` may be the first characters of an id, or a name (the newest of it)."""

    job_id: str


class LogRange(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes from `offset`; a negative offset counts from the end. At most 4 MB."""

    job_id: str
    offset: int = 0
    limit: int = 262_144


class OutputRange(Struct, frozen=True, forbid_unknown_fields=True):
    job_id: str
    after: int = -1


class OutputList(Struct, frozen=True):
    outputs: list[Output]


class JobFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file that the job's record holds: its result, its executed notebook."""

    job_id: str
    name: Literal["result", "notebook", "log"]


@operation("GET", "/jobs", resource="jobs", action="read")
def list_jobs(context: Context, ask: JobPage) -> JobList:
    """List jobs, newest first."""
    from jupyter_blueno.jobs import manager

    jobs, following = manager.of(context).list_jobs(context.user, ask)
    return JobList(jobs, following)


@operation("POST", "/jobs", resource="jobs", action="execute", status=201)
def submit_job(context: Context, ask: SubmitJob) -> Job:
    """Start a job in the background."""
    from jupyter_blueno.jobs import manager

    return manager.of(context).submit(context.user, ask.id, ask.name, ask.spec)


@operation("GET", "/jobs/{job_id}", resource="jobs", action="read")
def get_job(context: Context, ask: JobRef) -> Job:
    """Return one job."""
    from jupyter_blueno.jobs import manager

    return manager.of(context).get(context.user, ask.job_id)


@operation("POST", "/jobs/{job_id}/cancel", resource="jobs", action="execute")
def cancel_job(context: Context, ask: JobRef) -> Job:
    """Ask a job to stop: first kindly, then with force; its whole process group."""
    from jupyter_blueno.jobs import manager

    return manager.of(context).cancel(context.user, ask.job_id)


@operation("POST", "/jobs/{job_id}/rerun", resource="jobs", action="execute", status=201)
def rerun_job(context: Context, ask: JobRef) -> Job:
    """Run the same snapshot again, as a new job."""
    from jupyter_blueno.jobs import manager

    return manager.of(context).rerun(context.user, ask.job_id)


@operation("DELETE", "/jobs/{job_id}", resource="jobs", action="execute")
def delete_job(context: Context, ask: JobRef) -> Done:
    """Take a finished job off the list; its folder is removed."""
    from jupyter_blueno.jobs import manager

    return Done(manager.of(context).delete(context.user, ask.job_id))


@operation("GET", "/jobs/{job_id}/log", resource="jobs", action="read")
def get_log(context: Context, ask: LogRange) -> Content:
    """Return a range of the log. Headers: ``X-Blueno-Offset``, ``X-Blueno-Size``."""
    from jupyter_blueno.jobs import manager

    text, offset, size = manager.of(context).log(context.user, ask.job_id, ask.offset, ask.limit)
    headers = {"X-Blueno-Offset": str(offset), "X-Blueno-Size": str(size)}
    return Content(text, "text/plain; charset=utf-8", headers)


@operation("GET", "/jobs/{job_id}/outputs", resource="jobs", action="read")
def list_outputs(context: Context, ask: OutputRange) -> OutputList:
    """Return what the job showed and returned, after a given output."""
    from jupyter_blueno.jobs import manager

    return OutputList(manager.of(context).outputs(context.user, ask.job_id, ask.after))


@operation("GET", "/jobs/{job_id}/code", resource="jobs", action="read")
def get_code(context: Context, ask: JobRef) -> Code:
    """Return the code that ran, with its modules, packages and commit."""
    from jupyter_blueno.jobs import manager

    return manager.of(context).code(context.user, ask.job_id)


@operation("GET", "/jobs/{job_id}/files/{name}", resource="jobs", action="read")
def get_job_file(context: Context, ask: JobFile) -> Content:
    """Return a file of the job's record, whole."""
    from jupyter_blueno.jobs import manager

    body, media_type = manager.of(context).file(context.user, ask.job_id, ask.name)
    return Content(body, media_type)
