"""Work that is kept to be started later, and started again: snapshots that jobs are copies of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from jupyter_blueno.errors import NotFound
from jupyter_blueno.jobs import intent, store
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Change, Job, JobSpec, Person
from jupyter_blueno.jobs.sending import batch, interpreters, parameters, request, snapshot

if TYPE_CHECKING:
    from jupyter_blueno.jobs.manager import JobManager
    from jupyter_blueno.jobs.sending.staging import Staging


def submit(manager: JobManager, user: Person, old: JobFolder, job_id: str, name: str, spec: JobSpec) -> Job:
    """Start a job with the snapshot that lies in `old`; the same request again is the same job.

    `spec` was checked by whoever changed it.

    Raises
    ------
    Conflict
        If the id belongs to another request.
    Unavailable
        If it cannot be kept now, as on a full disk.
    """
    digest = request.digest(name, spec)
    with manager.database.begin() as connection:
        known = store.row(connection, job_id)
    if known is not None:
        return manager.same(user, known, digest)
    laid = lay_out(manager.staging, old, job_id, name, spec)
    return laid.launched(lambda intents: batch.launch(manager, user, intents))[0]


def lay_out(staging: Staging, old: JobFolder, job_id: str, name: str, spec: JobSpec) -> batch.LaidOut:
    """Make the folder of a job with the snapshot that lies in `old`."""
    request.check_id(job_id)
    digest = request.digest(name, spec)
    fresh = staging.lay_out_kept(old, job_id, name, spec, digest)
    new = [(job_id, name, spec)] if fresh else []
    return batch.LaidOut(staging, [intent.of(job_id, name, spec, digest)], new)


def changed(staging: Staging, record: snapshot.SpecFile, change: Change) -> tuple[str, JobSpec]:
    """Name and spec of kept work with other values, checked where they are others.

    Raises
    ------
    InvalidInput
        If the work does not take them.
    """
    name = request.check_name(change.name or record.name)
    spec = parameters.changed(record.spec, change.values, change.command_line)
    spec = msgspec.structs.replace(spec, parent=change.parent)
    if change.python is not None or change.requirements is not None:
        if change.python and staging.here and not interpreters.is_version(change.python):
            interpreters.find(change.python)
        wanted = spec.requirements if change.requirements is None else change.requirements
        spec = msgspec.structs.replace(spec, python=change.python or spec.python, requirements=wanted)
    if change.resources is not None:
        spec = msgspec.structs.replace(spec, resources=change.resources)
    if spec != record.spec:
        staging.check_spec(spec)
    return name, spec


def of(folder: JobFolder) -> snapshot.SpecFile:
    """What a job was asked to run.

    Raises
    ------
    NotFound
    """
    record = snapshot.asked(folder)
    if record is None:
        raise NotFound("What that job ran is no longer on disk.", code="job_code_missing")
    return record


def again(staging: Staging, old: JobFolder, change: Change) -> tuple[str, JobSpec]:
    """Name and spec of a job that is to run again, with other values where `change` gives some."""
    name, spec = changed(staging, of(old), change)
    return name, snapshot.resumed(spec, old) if change.resume else spec


def settled(staging: Staging, spec: JobSpec) -> JobSpec:
    """The same work where it stands now: whoever starts it later stands in another folder."""
    folder = request.working_folder(staging.config, spec)
    python = spec.python if spec.kind == "command" else spec.python or interpreters.find(None)
    return msgspec.structs.replace(spec, folder=os.path.abspath(folder), python=python)
