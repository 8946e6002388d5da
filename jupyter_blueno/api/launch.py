"""An ingest as a background job, from request to the end of the job, however it ends."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING

import msgspec

from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.errors import AlreadyExists, Conflict, InvalidInput
from jupyter_blueno.ingest.model import BeginVersion, FinishVersion, PublicSource, Source, StartIngest

if TYPE_CHECKING:
    from jupyter_blueno.jobs.model import Job

ARGUMENT_LIMIT = 100_000  # bytes of a job's command line that the system surely takes


def start(context: Context, ask: StartIngest) -> Dataset:
    """Check the source, begin a version, and submit the job that fills it.

    Raises
    ------
    BluenoError
        If it cannot work; nothing was begun then.
    """
    from jupyter_blueno.catalog import store
    from jupyter_blueno.catalog.checks import check_name
    from jupyter_blueno.ingest import filling, work
    from jupyter_blueno.ingest.run import reason_of
    from jupyter_blueno.jobs import manager
    from jupyter_blueno.jobs.model import JobSpec

    team, owner = context.user.team, context.user.name
    name = check_name(ask.name)
    found = store.list_datasets(context.database, team, "", name)
    if found and ask.job_id is not None and found[0].version.job_id == ask.job_id:
        return found[0]  # asked for twice
    checked = work.check(context.config, ask.source)
    job_id = ask.job_id or uuid.uuid4().hex
    begin = BeginVersion(name, None, ask.description, _origin(checked.source), job_id, checked.root)
    opened = filling.begin(context.database, context.config, team, owner, begin)
    request = msgspec.json.encode(work.Request(owner, team, checked.source, opened)).decode()
    try:
        if len(request.encode()) > ARGUMENT_LIMIT:
            raise InvalidInput("There are too many paths. Put the volumes into one folder and give that.")
        command = [sys.executable, "-m", "jupyter_blueno.ingest", request]
        spec = JobSpec(kind="ingest", command=command)
        manager.of(context).submit(context.user, job_id, f"ingest {name}", spec)
    except BaseException as error:
        filling.finish(context.database, team, FinishVersion(opened.version_id, reason_of(error)))
        raise
    return store.get_dataset(context.database, team, opened.dataset_id)


def _origin(source: Source) -> dict[str, str]:
    return {"public_set": source.builder} if isinstance(source, PublicSource) else {}


def job_ended(context: Context, job: Job) -> None:
    """Mark the version that a job was to fill as failed, if the job left it ``preparing``.

    An ingest finishes its version itself; one that was killed could not.
    """
    import sqlalchemy as sa

    from jupyter_blueno.database import tables
    from jupyter_blueno.ingest import filling

    version = tables.version.c
    query = sa.select(version.id).where(version.job_id == job.id, version.state == "preparing")
    with context.database.begin() as connection:
        left = list(connection.scalars(query))
    reason = f"Its job ended before it was finished: {job.reason or job.state.lower()}"
    for version_id in left:
        try:
            filling.finish(context.database, job.team, FinishVersion(version_id, reason))
        except Conflict:  # the run itself was faster
            continue


def prepare_demo(context: Context, progress: object = None) -> list[str]:
    """Make the demo datasets that are not there yet; a second call does nothing.

    Parameters
    ----------
    progress : callable, optional
        Called with the name of a dataset and a `Progress`.

    Returns
    -------
    list of str
        The names of those that were made now.

    Raises
    ------
    MissingDependency
        If the packages that hold the data are not installed; says which line does it.
    """
    from jupyter_blueno.catalog import store
    from jupyter_blueno.ingest.destination import CatalogDestination
    from jupyter_blueno.ingest.sources import demo

    team, owner = context.user.team, context.user.name
    destination = CatalogDestination(context.database, context.config, team, owner)
    there = {one.name for one in store.list_datasets(context.database, team) if one.version.state != "failed"}
    made = []
    for name, make in demo.SETS.items():
        if name in there:
            continue
        report = None if not callable(progress) else lambda now, name=name: progress(name, now)
        try:
            make(destination, report)
        except AlreadyExists:  # a second process was faster
            continue
        made.append(name)
    return made
