"""What is private to one person does not exist for her team."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.api import catalog, images, ingest, status
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.catalog.model import Dataset, SamplePage, Selection
from jupyter_blueno.config import Config
from jupyter_blueno.errors import AlreadyExists, NotFound
from jupyter_blueno.ingest.model import (
    AddBatch,
    Batch,
    BeginVersion,
    FinishVersion,
    RegisterSample,
    ReserveOrdinals,
)


@pytest.fixture
def bob(context: Context) -> Context:
    """Somebody of alice's team."""
    return Context(context.platform, User("bob"))


@pytest.fixture(scope="module")
def reader(module_config: Config) -> Iterator[Context]:
    """alice, where nothing is changed."""
    platform = Platform(module_config)
    yield Context(platform, User("alice"))
    platform.close()


@pytest.fixture(scope="module")
def album(reader: Context) -> Dataset:
    """alice's, with one volume."""
    path = reader.config.folder("volumes") / "v.npy"
    np.save(path, np.arange(30, dtype=np.int16).reshape(2, 3, 5))
    made = catalog.create_dataset(reader, catalog.CreateDataset("album", visibility="private"))
    catalog.register_sample(reader, RegisterSample(made.id, "v", path.as_uri()))
    return made


@pytest.fixture
def diary(context: Context) -> Dataset:
    """alice's, with one sample."""
    made = catalog.create_dataset(context, catalog.CreateDataset("diary", visibility="private"))
    catalog.register_sample(context, RegisterSample(made.id, "v", "file://v.npy", validate=False))
    return made


Call = Callable[[Context, Dataset], Any]

READING: dict[str, Call] = {
    "get": lambda c, d: catalog.get_dataset(c, catalog.DatasetRef(d.id)),
    "facets": lambda c, d: catalog.get_facets(c, Selection(d.id)),
    "ordinals": lambda c, d: catalog.get_ordinals(c, Selection(d.id)),
    "samples": lambda c, d: catalog.list_samples(c, SamplePage(d.id)),
    "samples at": lambda c, d: catalog.get_samples(c, catalog.SamplesAt(d.id, "0")),
    "thumbnails": lambda c, d: images.get_thumbnails(c, images.Thumbnails(d.id, "0")),
    "picture": lambda c, d: images.get_picture(c, images.PictureRef(d.id, 0)),
    "volume": lambda c, d: images.get_volume(c, images.VolumeRef(d.id, 0)),
    "slice": lambda c, d: images.get_slice(c, images.SliceRef("axial", 0, d.id, 0)),
}
WRITING: dict[str, Call] = {
    "delete sample": lambda c, d: catalog.delete_sample(c, catalog.DeleteSample(d.id, 0)),
    "register": lambda c, d: catalog.register_sample(c, RegisterSample(d.id, "x", "file://x.npy", False)),
    "reserve": lambda c, d: ingest.reserve_ordinals(c, ReserveOrdinals(d.id, 1)),
    "delete": lambda c, d: catalog.delete_dataset(c, catalog.DatasetRef(d.id)),
    "restore": lambda c, d: catalog.restore_dataset(c, catalog.DatasetRef(d.id)),
}


@pytest.mark.parametrize("name", READING)
def test_a_colleague_does_not_find_it(reader: Context, album: Dataset, name: str) -> None:
    READING[name](reader, album)  # the owner does, also just before
    with pytest.raises(NotFound) as raised:
        READING[name](Context(reader.platform, User("bob")), album)
    assert raised.value.code == "dataset_not_found"
    assert "album" not in raised.value.message
    READING[name](reader, album)


@pytest.mark.parametrize("name", WRITING)
def test_a_colleague_does_not_change_it(context: Context, bob: Context, diary: Dataset, name: str) -> None:
    before = catalog.get_dataset(context, catalog.DatasetRef(diary.id))
    with pytest.raises(NotFound):
        WRITING[name](bob, diary)
    assert catalog.get_dataset(context, catalog.DatasetRef(diary.id)) == before
    WRITING[name](context, diary)


def test_it_is_in_no_list_and_in_no_change(context: Context, bob: Context) -> None:
    since = status.get_changes(bob, status.ChangesSince()).revision
    made = catalog.create_dataset(context, catalog.CreateDataset("diary", "secret", visibility="private"))
    shared = catalog.create_dataset(context, catalog.CreateDataset("shared"))
    for ask in (catalog.ListDatasets(), catalog.ListDatasets("secret"), catalog.ListDatasets(name="diary")):
        assert made.id not in [one.id for one in catalog.list_datasets(bob, ask).datasets]
        assert made.id in [one.id for one in catalog.list_datasets(context, ask).datasets]
    assert [one.id for one in status.get_changes(bob, status.ChangesSince(since)).datasets] == [shared.id]
    catalog.delete_dataset(context, catalog.DatasetRef(made.id))
    assert status.get_changes(bob, status.ChangesSince(since)).deleted_datasets == []
    assert status.get_changes(context, status.ChangesSince(since)).deleted_datasets == [made.id]


def test_nobody_else_fills_it(context: Context, bob: Context) -> None:
    """Not by its name while it is empty or has failed, nor by the id of its version."""
    catalog.create_dataset(context, catalog.CreateDataset("diary", visibility="private"))
    with pytest.raises(AlreadyExists):
        ingest.begin_version(bob, BeginVersion("diary"))
    opened = ingest.begin_version(context, BeginVersion("diary"))
    first = ingest.reserve_ordinals(context, ReserveOrdinals(opened.dataset_id, 1)).first_ordinal
    batch = AddBatch(opened.version_id, Batch(first, ["a"], "file://a.npy"))
    for call in (
        lambda who: ingest.add_batch(who, batch),
        lambda who: ingest.finish_version(who, FinishVersion(opened.version_id, "no")),
    ):
        with pytest.raises(NotFound):
            call(bob)
        call(context)
    with pytest.raises(AlreadyExists):
        ingest.begin_version(bob, BeginVersion("diary"))
    assert catalog.get_dataset(context, catalog.DatasetRef(opened.dataset_id)).visibility == "private"
