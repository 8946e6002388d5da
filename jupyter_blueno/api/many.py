"""What is done to several jobs at once; one that cannot be is named, and keeps none of the others."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobRef, cancel_job, delete_job
from jupyter_blueno.api.operation import operation
from jupyter_blueno.errors import BluenoError, TooLarge

MOST = 1000


class ManyJobs(Struct, frozen=True, forbid_unknown_fields=True):
    """At most 1000, as `JobRef` has them."""

    jobs: list[str]


class Exempt(Struct, frozen=True):
    """One to which it was not done, and why."""

    job: str
    code: str
    reason: str


class Handled(Struct, frozen=True):
    """Those to which it was done, and the others."""

    done: list[str]
    exempt: list[Exempt]


@operation("POST", "/work/cancel", resource="jobs", action="execute")
def cancel_jobs(context: Context, ask: ManyJobs) -> Handled:
    """Ask jobs to stop; those that are over stay as they ended."""
    return _each(ask, lambda job: cancel_job(context, JobRef(job)))


@operation("POST", "/work/delete", resource="jobs", action="execute")
def delete_jobs(context: Context, ask: ManyJobs) -> Handled:
    """Take jobs that are over off the list; their folders are removed."""
    return _each(ask, lambda job: delete_job(context, JobRef(job)))


def _each(ask: ManyJobs, act: Callable[[str], object]) -> Handled:
    if len(ask.jobs) > MOST:
        raise TooLarge(f"At most {MOST:,} jobs in one request; these are {len(ask.jobs):,}.")
    done: list[str] = []
    exempt: list[Exempt] = []
    for job in dict.fromkeys(ask.jobs):
        try:
            act(job)
            done.append(job)
        except BluenoError as error:
            exempt.append(Exempt(job, error.code, error.message))
    return Handled(done, exempt)
