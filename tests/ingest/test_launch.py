"""Ingests as background jobs, through the operations."""

from __future__ import annotations

import os
import time
import uuid
from datetime import timedelta

import psutil
import pytest

from jupyter_blueno.api.catalog import (
    DatasetRef,
    ListDatasets,
    get_dataset,
    list_datasets,
    list_samples,
)
from jupyter_blueno.api.ingest import begin_version, start_ingest
from jupyter_blueno.api.jobs import JobRef, cancel_job, get_job
from jupyter_blueno.catalog.model import SamplePage
from jupyter_blueno.errors import AlreadyExists, BluenoError, NotFound
from jupyter_blueno.ingest import abandoned
from jupyter_blueno.ingest.model import BeginVersion, FileSource, FolderSource, StartIngest
from jupyter_blueno.jobs.model import TERMINAL
from tests.ingest.conftest import write_picture

PATIENCE = 90  # seconds; other tests may run beside


@pytest.fixture
def pictures(context):
    root = context.config.folder("pictures")
    for n in range(12):
        write_picture(root / "train" / ("cat" if n % 2 else "dog") / f"{n}.png", value=20 * n)
    return root


@pytest.fixture
def many(context):
    """A folder that takes a while: one photo under 20,000 names."""
    root = context.config.folder("many")
    photo = write_picture(root / "0.jpg", size=(800, 600))
    for n in range(1, 20_000):
        os.link(photo, root / f"{n}.jpg")
    return root


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def over(context, dataset):
    def look():
        now = get_dataset(context, DatasetRef(dataset.id))
        return now if now.version.state != "preparing" else None

    return wait_for(look)


def test_a_folder_becomes_a_dataset_in_the_background(context, pictures):
    begun = start_ingest(context, StartIngest("pets", FolderSource(str(pictures)), "my pets"))
    assert begun.version.state == "preparing"
    done = over(context, begun)
    assert (done.version.state, done.version.sample_count, done.label_count) == ("ready", 12, 2)
    assert done.description == "my pets"
    job = wait_for(lambda: (one := get_job(context, JobRef(begun.version.job_id))).state in TERMINAL and one)
    assert (job.kind, job.state, job.name) == ("ingest", "SUCCEEDED", "ingest pets")
    assert (job.progress.done, job.progress.total) == (12, 12)
    samples = list_samples(context, SamplePage(done.id)).samples
    assert {one.split for one in samples} == {"train"}


def test_more_paths_than_a_command_line_takes(context):
    folder = context.config.folder("x" * 100)
    first = write_picture(folder / "0.png")
    paths = [str(first)]
    for n in range(1, 1500):
        os.link(first, folder / f"{n}.png")
        paths.append(str(folder / f"{n}.png"))
    labels = [str(n % 3) for n in range(1500)]
    done = over(context, start_ingest(context, StartIngest("many", FileSource(paths, labels=labels))))
    assert (done.version.state, done.version.sample_count, done.label_count) == ("ready", 1500, 3)


def test_the_same_request_is_the_same_ingest(context, pictures):
    ask = StartIngest("pets", FolderSource(str(pictures)), job_id=uuid.uuid4().hex)
    first = start_ingest(context, ask)
    assert start_ingest(context, ask).version.id == first.version.id
    over(context, first)
    assert start_ingest(context, ask).version.id == first.version.id
    with pytest.raises(AlreadyExists):
        start_ingest(context, StartIngest("pets", FolderSource(str(pictures))))


def test_nothing_is_begun_for_what_is_refused(context):
    with pytest.raises(NotFound):
        start_ingest(context, StartIngest("pets", FolderSource("missing")))
    with pytest.raises(BluenoError):
        start_ingest(context, StartIngest("n" * 10_000, FolderSource(".")))
    assert list_datasets(context, ListDatasets()).datasets == []


def half_way(context, dataset):
    def look():
        progress = get_dataset(context, DatasetRef(dataset.id)).version.progress
        return progress is not None and progress.done > 0

    wait_for(look)


def test_a_cancelled_ingest_says_so(context, many):
    begun = start_ingest(context, StartIngest("many", FolderSource(str(many))))
    half_way(context, begun)
    cancel_job(context, JobRef(begun.version.job_id))
    done = over(context, begun)
    assert (done.version.state, done.version.reason) == ("failed", "It was cancelled.")
    assert (done.version.sample_count, done.preview) == (0, [])
    assert list_samples(context, SamplePage(done.id)).samples == []
    job = wait_for(lambda: (one := get_job(context, JobRef(begun.version.job_id))).state in TERMINAL and one)
    assert job.state == "CANCELLED"


@pytest.mark.parametrize("followed", [True, False])
def test_an_ingest_that_was_killed_is_not_preparing_for_ever(context, many, followed):
    if followed:
        context.platform.jobs.start_monitor()
    begun = start_ingest(context, StartIngest("many", FolderSource(str(many))))
    half_way(context, begun)
    for process in psutil.process_iter(["cmdline", "environ"]):
        ours = (process.info["environ"] or {}).get("BLUENO_JOB_ID") == begun.version.job_id
        if ours and "jupyter_blueno.conductors.ingest" in (process.info["cmdline"] or []):
            process.kill()
    done = over(context, begun)
    assert done.version.state == "failed"
    assert "Its job ended before it was finished" in done.version.reason
    again = start_ingest(context, StartIngest("many", FolderSource(str(many))))
    assert again.version.state == "preparing"
    cancel_job(context, JobRef(again.version.job_id))
    over(context, again)


def test_a_version_that_nobody_fills_is_given_up(context, monkeypatch):
    begin_version(context, BeginVersion("left"))
    begin_version(context, BeginVersion("lost", job_id="0" * 32))
    assert abandoned.settle(context.database) == 0
    monkeypatch.setattr(abandoned, "SILENCE", timedelta(0))
    monkeypatch.setattr(abandoned, "UNSUBMITTED", timedelta(0))
    assert abandoned.settle(context.database) == 2
    found = list_datasets(context, ListDatasets()).datasets
    assert [(one.name, one.version.state) for one in found] == [("left", "failed"), ("lost", "failed")]
