"""What would be sent, where it would run and when it would start: nothing is kept or started."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import environments, parameters, plan, request, snapshot
from jupyter_blueno.jobs.sending.outlook import Outlook, Preview, SentFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_blueno.jobs.sending.staging import Staging


def of(
    staging: Staging,
    name: str,
    spec: JobSpec,
    outlook: Callable[[], Outlook],
    kept: JobFolder | None = None,
) -> Preview:
    """Check work as if it was submitted, and tell what would come of it.

    `outlook` says when such work would start. What was `kept` of an earlier job is
    taken as it is; it was checked when it was changed.

    Raises
    ------
    InvalidInput
        What submitting would raise.
    TooLarge
    """
    name = request.check_name(name)
    request.digest(name, spec)
    if kept is None:
        staging.check(spec)
    place = plan.look(staging.config, spec)
    built = None
    if place.build is not None:
        built = os.path.exists(os.path.join(place.build["folder"], environments.WHOLE))
    ahead = outlook()
    return Preview(
        name=name,
        kind=spec.kind,
        folder=place.cwd,
        python=plan.python_of(staging.config, spec),
        built=built,
        requirements=spec.requirements,
        files=_files(staging, spec, place) if kept is None else _listed(kept, spec),
        payload=len(spec.payload or "") * 3 // 4,
        parameters=parameters.parameters_of(spec),
        variables=sorted([*spec.environment, *spec.secrets]),
        resources=spec.resources,
        room=ahead.room,
        before=ahead.before,
        starts=ahead.starts,
    )


def _files(staging: Staging, spec: JobSpec, place: plan.Place) -> list[SentFile]:
    """The files of the snapshot, by making one."""
    folder = JobFolder(staging.config.folder("cache", f"preview-{secrets.token_hex(8)}"))
    try:
        folder.code.mkdir()
        with snapshot.kept_or_said():
            staging.take_code(spec, folder, place)
        return _listed(folder, spec)
    finally:
        content = snapshot.contents(folder)
        shutil.rmtree(folder.path, ignore_errors=True)
        staging.objects.drop(content)


def _listed(folder: JobFolder, spec: JobSpec) -> list[SentFile]:
    paths = sorted(path for path in folder.code.rglob("*") if path.is_file())
    found = [SentFile(str(path.relative_to(folder.code)), path.stat().st_size) for path in paths]
    if spec.kind == "notebook":  # which is no file of the code
        name = os.path.basename(spec.origin.notebook or "notebook.ipynb")
        found.append(SentFile(name, len((spec.source or "").encode())))
    return found
