"""Work is laid out where its files are; who keeps the rows is told of it, wherever that is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobRef, LaunchJobs, Wanted, get_job, get_outlook, launch_jobs
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Change, Job, JobSpec

if TYPE_CHECKING:
    from jupyter_blueno.jobs.sending.batch import LaidOut
    from jupyter_blueno.jobs.sending.outlook import Preview
    from jupyter_blueno.jobs.sending.snapshot import SpecFile


def submit(context: Context, asked: Sequence[tuple[str, str, JobSpec]]) -> list[Job]:
    """Start jobs, each given as an id, a name and what to run; if one cannot run, none is started."""
    from jupyter_blueno.jobs.sending import batch

    return launched(context, batch.lay_out(context.platform.staging, asked))


def rerun(context: Context, job: Job, change: Change) -> Job:
    """Run the snapshot of a job again, with other values where `change` gives some."""
    from jupyter_blueno.jobs.sending import kept

    staging = context.platform.staging
    old = JobFolder.of(context.config, job.id)
    name, spec = kept.again(staging, old, change)
    return launched(context, kept.lay_out(staging, old, change.id or os.urandom(16).hex(), name, spec))[0]


def launched(context: Context, laid: LaidOut) -> list[Job]:
    """Start what is laid out."""
    return laid.launched(lambda intents: context.ask(launch_jobs, LaunchJobs(intents)).jobs)


def previewed(context: Context, name: str, spec: JobSpec, kept: JobFolder | None = None) -> Preview:
    """What would come of some work, or of what was `kept` of an earlier job."""
    from jupyter_blueno.jobs.sending import preview

    wanted = Wanted(name, spec.kind, spec.resources)
    return preview.of(context.platform.staging, name, spec, lambda: context.ask(get_outlook, wanted), kept)


def asked(context: Context, ref: str) -> tuple[Job, JobFolder, SpecFile]:
    """A job, its folder, and what it was asked to run.

    Raises
    ------
    NotFound
    """
    from jupyter_blueno.jobs.sending import kept

    job = context.ask(get_job, JobRef(ref))
    folder = JobFolder.of(context.config, job.id)
    return job, folder, kept.of(folder)


def work_of_sweep(context: Context, ref: str) -> JobFolder:
    """What the trials of a sweep run."""
    from jupyter_blueno.api.sweeps import SweepRef, get_sweep
    from jupyter_blueno.sweeps import work

    return work.folder_of(context.config, context.ask(get_sweep, SweepRef(ref)).id)
