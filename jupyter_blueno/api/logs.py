"""What jobs print, and the workers that print it."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobRef, record_of
from jupyter_blueno.api.operation import Content, operation
from jupyter_blueno.jobs.readings import Worker


class LogRange(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes from `offset`; a negative offset counts from the end. At most 4 MB.

    Of several workers it is the log of the one with the rank `worker`.
    """

    job_id: str
    offset: int = 0
    limit: int = 262_144
    worker: int = 0


class WorkerList(Struct, frozen=True):
    """By rank; empty where one process does the work."""

    workers: list[Worker]


@operation("GET", "/jobs/{job_id}/log", resource="jobs", action="read", local=True)
def get_log(context: Context, ask: LogRange) -> Content:
    """Return a range of the log. Headers: ``X-Blueno-Offset``, ``X-Blueno-Size``."""
    text, offset, size = record_of(context, ask.job_id).log(ask.offset, ask.limit, ask.worker)
    headers = {"X-Blueno-Offset": str(offset), "X-Blueno-Size": str(size)}
    return Content(text, "text/plain; charset=utf-8", headers)


@operation("GET", "/jobs/{job_id}/workers", resource="jobs", action="read", local=True)
def list_workers(context: Context, ask: JobRef) -> WorkerList:
    """Return how each of a job's workers stands."""
    return WorkerList(record_of(context, ask.job_id).workers())
