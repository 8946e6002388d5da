"""Work that is kept to be started later, and started again: snapshots that jobs are copies of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Change, Job, JobSpec, Person
from jupyter_blueno.jobs.sending import (
    environments,
    interpreters,
    parameters,
    plan,
    request,
    runnable,
    snapshot,
)

if TYPE_CHECKING:
    from jupyter_blueno.jobs.manager import JobManager


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
    content = plan.of(manager.config, job_id, spec)
    with snapshot.kept_or_said(), snapshot.folder_for(JobFolder.of(manager.config, job_id), digest) as fresh:
        if fresh is not None:
            snapshot.copy(old, JobFolder(fresh))
            snapshot.write_down(JobFolder(fresh), name, digest, spec, content)
    return manager.launch(user, job_id, name, spec, digest)


def changed(manager: JobManager, record: snapshot.SpecFile, change: Change) -> tuple[str, JobSpec]:
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
        if change.python and manager.backend.here and not interpreters.is_version(change.python):
            interpreters.find(change.python)
        wanted = spec.requirements if change.requirements is None else change.requirements
        spec = msgspec.structs.replace(spec, python=change.python or spec.python, requirements=wanted)
    if change.resources is not None:
        spec = msgspec.structs.replace(spec, resources=change.resources)
    if spec != record.spec:
        request.check_spec(spec)
        manager.backend.check(spec.resources)
    return name, spec


def take(manager: JobManager, folder: JobFolder, name: str, spec: JobSpec) -> None:
    """Keep work in a folder of its own: its text, modules and files as they are now.

    Raises
    ------
    InvalidInput
        If it cannot run.
    """
    digest = request.digest(name, spec)
    manager.backend.check(spec.resources)
    runnable.check_here(manager, spec)
    cwd = request.working_folder(manager.config, spec)
    build = environments.needed(spec, manager.config.home_path)
    python = build["base"] if build else interpreters.place(spec.python)
    with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
        if fresh is not None:
            snapshot.write_down(JobFolder(fresh), name, digest, spec, {})
            snapshot.take(spec, JobFolder(fresh), cwd, python, manager.objects)


def take_over(old: JobFolder, folder: JobFolder, name: str, spec: JobSpec) -> None:
    """Keep the snapshot of a job in a folder of its own: it stays when the job is deleted."""
    digest = request.digest(name, spec)
    with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
        if fresh is not None:
            snapshot.copy(old, JobFolder(fresh))
            snapshot.write_down(JobFolder(fresh), name, digest, spec, {})


def settled(manager: JobManager, spec: JobSpec) -> JobSpec:
    """The same work where it stands now: whoever starts it later stands in another folder."""
    folder = request.working_folder(manager.config, spec)
    python = spec.python if spec.kind == "command" else spec.python or interpreters.find(None)
    return msgspec.structs.replace(spec, folder=os.path.abspath(folder), python=python)
