"""Whether a part need not run: it ended well in the flow that is resumed, or the same came out before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_blueno.flows import keys, store
from jupyter_blueno.flows.making import folder_of
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import given
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Person
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.jobs.sending import environment, environments, interpreters, snapshot


def look(
    manager: JobManager, user: Person, part: Any, by_step: dict[str, list[Any]]
) -> tuple[str | None, str | None]:
    """The key of what comes out of a part, if it is pure; and the job whose result may be taken, if any."""
    key = _key(manager, part, by_step) if part.cache else None
    # What came before it and was run anew may have left other files behind.
    same = all(one.reused for need in part.needs for one in by_step[need])
    if part.earlier is not None and same and has_result(manager, part.earlier, part.kind):
        return key, part.earlier
    if key is None:
        return None, None
    with manager.database.begin() as connection:
        found = store.results(connection, user.name, user.team, key)
    for job_id in found:
        if has_result(manager, job_id, part.kind) and _is_current(manager, job_id):
            return key, job_id
    return key, None


def has_result(manager: JobManager, job_id: str, kind: str) -> bool:
    """Whether what a job returned can be read."""
    place = result_of(manager, job_id)
    return place.suffix == ".pickle" if kind == "function" else place.exists()


def result_of(manager: JobManager, job_id: str) -> Path:
    """Where it lies; see `given.path_of`."""
    return Path(given.path_of(str(manager.config.home_path / "jobs"), job_id))


def _key(manager: JobManager, part: Any, by_step: dict[str, list[Any]]) -> str | None:
    record = snapshot.asked(folder_of(manager.config, part.flow_id, part.position, part.number))
    if record is None:
        return None
    handed = {}
    for need in part.takes:
        jobs = [one.job_id for one in by_step[need]]
        handed[need] = [_content_of(manager, job_id) or job_id for job_id in jobs]
    packages = _packages(manager, record.spec)
    return None if packages is None else keys.result_of(part.work, packages, handed)


def _content_of(manager: JobManager, job_id: str) -> str | None:
    place = result_of(manager, job_id)
    return keys.content_of(place, lambda: JobFolder.of(manager.config, job_id).open(place.name))


def _packages(manager: JobManager, spec: JobSpec) -> list[str] | None:
    """What is installed where it runs; of an environment that is built, its requirements say it already.

    None where that cannot be looked at: then nothing is known to be the same.
    """
    if environments.is_built(spec):
        return []
    if not manager.staging.looks:
        return None
    cache = manager.config.folder("cache", "packages")
    python = interpreters.place(spec.python)
    return [os.path.realpath(python), *environment.packages(python, cache)[1]]


def _is_current(manager: JobManager, job_id: str) -> bool:
    """Whether the datasets that a job read have no newer version."""
    read = JobRecord(JobFolder.of(manager.config, job_id)).used()
    if not read:
        return True
    with manager.database.begin() as connection:
        newest = store.newest_versions(connection, {one.dataset_id for one in read})
    return all(newest.get(one.dataset_id) == one.version for one in read)
