"""What would be sent, where it would run and when it would start: nothing is kept or started."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.engine.order import lane_of
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Claim, JobSpec, Person
from jupyter_blueno.jobs.sending import environments, parameters, plan, request, runnable, snapshot
from jupyter_blueno.jobs.sending.outlook import Preview, SentFile

if TYPE_CHECKING:
    from jupyter_blueno.jobs.manager import JobManager


def of(manager: JobManager, user: Person, name: str, spec: JobSpec, kept: JobFolder | None = None) -> Preview:
    """Check work as if it was submitted, and tell what would come of it.

    What was `kept` of an earlier job is taken as it is; it was checked when it was changed.

    Raises
    ------
    InvalidInput
        What submitting would raise.
    TooLarge
    """
    name = request.check_name(name)
    request.digest(name, spec)
    if kept is None:
        runnable.check(manager, spec)
    job_id = secrets.token_hex(16)
    content = plan.of(manager.config, job_id, spec)
    python = plan.python_of(manager.config, spec)
    base = content["build"]["base"] if content["build"] else python
    built = None
    if content["build"] is not None:
        built = os.path.exists(os.path.join(content["build"]["folder"], environments.WHOLE))
    claim = Claim(user.name, name, spec.kind, spec.resources, time.time())
    with manager.database.begin() as connection:
        before = store.count_before(connection, spec.resources.priority, lane_of(spec.kind))
    return Preview(
        name=name,
        kind=spec.kind,
        folder=content["cwd"],
        python=python,
        built=built,
        requirements=spec.requirements,
        files=_files(manager, spec, content["cwd"], base) if kept is None else _listed(kept, spec),
        payload=len(spec.payload or "") * 3 // 4,
        parameters=parameters.parameters_of(spec),
        variables=sorted(spec.environment),
        resources=spec.resources,
        room=manager.backend.room(),
        before=before,
        starts=manager.backend.why([(claim, before)])[0],
    )


def _files(manager: JobManager, spec: JobSpec, cwd: str, python: str) -> list[SentFile]:
    """The files of the snapshot, by making one."""
    folder = JobFolder(manager.config.folder("cache", f"preview-{secrets.token_hex(8)}"))
    try:
        folder.code.mkdir()
        with snapshot.kept_or_said():
            snapshot.take(spec, folder, cwd, python, manager.objects)
        return _listed(folder, spec)
    finally:
        content = snapshot.contents(folder)
        shutil.rmtree(folder.path, ignore_errors=True)
        manager.objects.drop(content)


def _listed(folder: JobFolder, spec: JobSpec) -> list[SentFile]:
    paths = sorted(path for path in folder.code.rglob("*") if path.is_file())
    found = [SentFile(str(path.relative_to(folder.code)), path.stat().st_size) for path in paths]
    if spec.kind == "notebook":  # which is no file of the code
        name = os.path.basename(spec.origin.notebook or "notebook.ipynb")
        found.append(SentFile(name, len((spec.source or "").encode())))
    return found
