"""Many jobs in one request: a thousand cost little more than the folders they need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import BluenoError, DatabaseUnavailable, InvalidInput, TooLarge
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Job, JobSpec, Person
from jupyter_blueno.jobs.monitor import claim_of
from jupyter_blueno.jobs.sending import request, runnable

if TYPE_CHECKING:
    from jupyter_blueno.jobs.manager import JobManager

MOST = 1000  # jobs in one request


def submit_many(manager: JobManager, user: Person, asked: Sequence[tuple[str, str, JobSpec]]) -> list[Job]:
    """Start jobs, each given as an id, a name and what to run; the same request again is the same jobs.

    All are checked before any is kept, and on disk before any is started: with
    one sync, one statement and one ring of the queue's bell.

    Raises
    ------
    InvalidInput
        If one of them cannot run; none was started.
    TooLarge
        If there are more than a thousand.
    """
    if len(asked) > MOST:
        raise TooLarge(
            f"One request takes {MOST} jobs; send the others in another one.", code="too_many_jobs"
        )
    ids = [job_id for job_id, _, _ in asked]
    if len(set(ids)) < len(ids):
        raise InvalidInput("Two of the jobs have one id; each needs its own.", code="job_id")
    named = []
    for job_id, name, spec in asked:
        request.check_id(job_id)
        name = request.check_name(name)
        named.append((job_id, name, spec, request.digest(name, spec)))
    with manager.database.begin() as connection:
        known = store.known(connection, ids)
    new = [one for one in named if one[0] not in known]
    for _, _, spec, _ in new:
        runnable.check(manager, spec)
    try:
        for job_id, name, spec, digest in new:
            manager.lay_out(job_id, name, spec, digest, durable=False)
    except BluenoError:
        _forget(manager, new)
        raise
    if new:
        os.sync()
    try:
        with manager.database.begin() as connection:
            rows = [manager.row(user, *one) for one in new]
            made = {job.id: job for job in store.insert_many(connection, rows)}
    except DatabaseUnavailable:
        raise  # the rows may have been kept all the same, see `JobManager.launch`
    except BluenoError:
        _forget(manager, new)
        raise
    _start(manager, made, [one for one in new if one[0] in made])
    return [
        made[job_id] if job_id in made else manager.submit(user, job_id, name, spec)
        for job_id, name, spec, _ in named
    ]


def _forget(manager: JobManager, new: list[tuple[str, str, JobSpec, str]]) -> None:
    for job_id, *_ in new:
        shutil.rmtree(JobFolder.of(manager.config, job_id).path, ignore_errors=True)


def _start(manager: JobManager, made: dict[str, Job], new: list[tuple[str, str, JobSpec, str]]) -> None:
    work = []
    for job_id, _, spec, _ in new:
        environment = manager.monitor.environment(job_id, spec.kind, spec.resources)
        work.append((job_id, JobFolder.of(manager.config, job_id), claim_of(made[job_id]), environment))
    manager.backend.start_many(work)
    manager.monitor.look()

    def place(one: tuple[str, str, JobSpec, str]) -> Any:
        spec = one[2]
        return spec.python or "", bool(spec.requirements), spec.folder or "", spec.origin.notebook or ""

    for _, same in groupby(sorted(new, key=place), key=place):
        jobs = list(same)
        manager.remember([JobFolder.of(manager.config, job_id) for job_id, *_ in jobs], jobs[0][2])
