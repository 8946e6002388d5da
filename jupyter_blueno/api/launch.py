"""An ingest as a background job, from request to the end of the job, however it ends."""

from __future__ import annotations

import sys
import uuid

import msgspec

from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.ingest.model import BeginVersion, FinishVersion, PublicSource, Source, StartIngest


def start(context: Context, ask: StartIngest) -> Dataset:
    """Check the source, begin a version, and submit the job that fills it.

    Raises
    ------
    BluenoError
        If it cannot work; nothing was begun then.
    """
    from jupyter_blueno.api import staging
    from jupyter_blueno.api.catalog import DatasetRef, ListDatasets, get_dataset, list_datasets
    from jupyter_blueno.api.ingest import begin_version, finish_version
    from jupyter_blueno.catalog.checks import check_name
    from jupyter_blueno.ingest import work
    from jupyter_blueno.ingest.run import reason_of
    from jupyter_blueno.jobs.model import JobSpec
    from jupyter_blueno.jobs.sending.request import NAME_LIMIT, check_id

    name = check_name(ask.name)
    found = context.ask(list_datasets, ListDatasets(name=name)).datasets
    if found and ask.job_id is not None and found[0].version.job_id == ask.job_id:
        return found[0]  # asked for twice
    job_id = ask.job_id or uuid.uuid4().hex
    check_id(job_id)
    checked = work.check(context.config, ask.source)
    begin = BeginVersion(name, None, ask.description, _origin(checked.source), job_id, checked.root)
    opened = begin_version(context, begin)
    request = msgspec.json.format(msgspec.json.encode(work.Request(context.user, checked.source, opened)))
    try:
        command = [sys.executable, "-P", "-m", "jupyter_blueno.conductors.ingest"]
        spec = JobSpec(kind="ingest", command=command, source=request.decode())
        on_a_line = "".join(sign if sign.isprintable() else "�" for sign in f"ingest {name}")
        staging.submit(context, [(job_id, on_a_line[:NAME_LIMIT], spec)])
    except BaseException as error:
        context.ask(finish_version, FinishVersion(opened.version_id, reason_of(error)))
        raise
    return context.ask(get_dataset, DatasetRef(opened.dataset_id))


def _origin(source: Source) -> dict[str, str]:
    return {"public_set": source.builder} if isinstance(source, PublicSource) else {}


def followed(context: Context, datasets: list[Dataset]) -> list[Dataset]:
    """The same datasets, after a look at the jobs of those being prepared."""
    preparing = [one for one in datasets if one.version.state == "preparing"]
    if not preparing:
        return datasets
    from jupyter_blueno.catalog import store
    from jupyter_blueno.ingest import abandoned

    monitor = context.platform.jobs.monitor
    if not monitor.running:  # a server's monitor does it by itself
        for one in preparing:
            if one.version.job_id is not None:
                monitor.reconcile(one.version.job_id)
    if not abandoned.settle(context.database):
        return datasets
    ids = {one.id for one in preparing}
    return [
        store.get_dataset(context.database, context.user, one.id) if one.id in ids else one
        for one in datasets
    ]
