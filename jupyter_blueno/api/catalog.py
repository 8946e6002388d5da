"""Datasets and samples."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, Done, operation
from jupyter_blueno.catalog.model import Dataset, Facets, Sample, SamplePage, Selection, Visibility
from jupyter_blueno.ingest.model import InsertSample, RegisterSample, Removed, Reserved


class ListDatasets(Struct, frozen=True, forbid_unknown_fields=True):
    search: str = ""
    name: str | None = None  # exactly this one


class DatasetList(Struct, frozen=True):
    datasets: list[Dataset]


class CreateDataset(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    visibility: Visibility = "team"


class DatasetRef(Struct, frozen=True, forbid_unknown_fields=True):
    dataset_id: int


class Ordinals(Struct, frozen=True):
    """The selected samples in order; `ordinals` is None when they are 0 … total-1."""

    total: int
    ordinals: list[int] | None = None


class SamplesAt(Struct, frozen=True, forbid_unknown_fields=True):
    """`ordinals` as text: ``0-99,120,130-131``; at most 1,000 of them."""

    dataset_id: int
    ordinals: str


class SampleList(Struct, frozen=True):
    samples: list[Sample]
    next: int | None = None  # `after` of the following page; None at the end


class DeleteSample(Struct, frozen=True, forbid_unknown_fields=True):
    dataset_id: int
    ordinal: int
    purge: bool = False


class StoreData(Struct, frozen=True, forbid_unknown_fields=True):
    """`content` is the request's body."""

    data_url: str
    content: bytes = b""


class DataRef(Struct, frozen=True, forbid_unknown_fields=True):
    data_url: str


@operation("GET", "/datasets", resource="datasets", action="read")
def list_datasets(context: Context, ask: ListDatasets) -> DatasetList:
    """List datasets with their newest versions, by name."""
    from jupyter_blueno.api import launch
    from jupyter_blueno.catalog import store

    found = store.list_datasets(context.database, context.user, ask.search, ask.name)
    return DatasetList(launch.followed(context, found))


@operation("POST", "/datasets", resource="datasets", action="write", status=201)
def create_dataset(context: Context, ask: CreateDataset) -> Dataset:
    """Make an empty dataset with an open version."""
    from jupyter_blueno.catalog import store

    return store.create_dataset(
        context.database, context.user,
        ask.name, ask.description, ask.info, ask.visibility,
    )  # fmt: skip


@operation("GET", "/datasets/{dataset_id}", resource="datasets", action="read")
def get_dataset(context: Context, ask: DatasetRef) -> Dataset:
    """Return one dataset."""
    from jupyter_blueno.api import launch
    from jupyter_blueno.catalog import store

    found = store.get_dataset(context.database, context.user, ask.dataset_id)
    return launch.followed(context, [found])[0]


@operation("DELETE", "/datasets/{dataset_id}", resource="datasets", action="write")
def delete_dataset(context: Context, ask: DatasetRef) -> Done:
    """Move a dataset to the trash; its files stay where they are."""
    from jupyter_blueno.catalog import store

    return Done(store.delete_dataset(context.database, context.user, ask.dataset_id))


@operation("POST", "/datasets/{dataset_id}/restore", resource="datasets", action="write")
def restore_dataset(context: Context, ask: DatasetRef) -> Dataset:
    """Take a dataset back out of the trash."""
    from jupyter_blueno.catalog import store

    return store.restore_dataset(context.database, context.user, ask.dataset_id)


@operation("GET", "/datasets/{dataset_id}/facets", resource="datasets", action="read")
def get_facets(context: Context, ask: Selection) -> Facets:
    """Count samples by split and label under a filter."""
    from jupyter_blueno.catalog import store

    return store.facets(context.database, context.user, ask)


@operation("GET", "/datasets/{dataset_id}/ordinals", resource="datasets", action="read")
def get_ordinals(context: Context, ask: Selection) -> Ordinals:
    """Return which samples a filter selects: a gallery scrolls anywhere in them by key."""
    from jupyter_blueno.catalog import store

    total, ordinals = store.ordinals(context.database, context.user, ask)
    return Ordinals(total, ordinals)


@operation("GET", "/datasets/{dataset_id}/samples", resource="datasets", action="read")
def list_samples(context: Context, ask: SamplePage) -> SampleList:
    """Page through samples by key."""
    from jupyter_blueno.catalog import store

    samples, following = store.list_samples(context.database, context.user, ask)
    return SampleList(samples, following)


@operation("GET", "/datasets/{dataset_id}/samples-at", resource="datasets", action="read")
def get_samples(context: Context, ask: SamplesAt) -> SampleList:
    """Return the samples of given ordinals, in ordinal order; missing ones are left out."""
    from jupyter_blueno.catalog import store

    return SampleList(store.samples_at(context.database, context.user, ask.dataset_id, ask.ordinals))


@operation(
    "POST", "/datasets/{dataset_id}/samples", resource="datasets", action="write", status=201, local=True
)
def register_sample(context: Context, ask: RegisterSample) -> Sample:
    """Register data that lies at `data_url` as a sample of the open version."""
    from jupyter_blueno.api import serving
    from jupyter_blueno.ingest import register

    return register.register(
        context.config,
        ask,
        context.ask(get_dataset, DatasetRef(ask.dataset_id)).root,
        lambda path: serving.inspect(context, path),
        lambda: context.ask(reserve_sample, ask).first_ordinal,
        lambda ordinal, found: context.ask(insert_sample, InsertSample(ask.dataset_id, ask, ordinal, found)),
    )


@operation("POST", "/datasets/{dataset_id}/reserve-sample", resource="datasets", action="write")
def reserve_sample(context: Context, ask: RegisterSample) -> Reserved:
    """Reserve an ordinal for a sample that could be registered now; its data is not looked at."""
    from jupyter_blueno.ingest import register

    return Reserved(register.reserve(context.database, context.config, context.user, ask))


@operation("POST", "/datasets/{dataset_id}/insert-sample", resource="datasets", action="write", status=201)
def insert_sample(context: Context, ask: InsertSample) -> Sample:
    """Add the row of a sample whose data was looked at."""
    from jupyter_blueno.ingest import register

    sample = msgspec.structs.replace(ask.sample, dataset_id=ask.dataset_id)
    return register.insert(context.database, context.config, context.user, sample, ask.ordinal, ask.found)


@operation(
    "DELETE", "/datasets/{dataset_id}/samples/{ordinal}", resource="datasets", action="write", local=True
)
def delete_sample(context: Context, ask: DeleteSample) -> Done:
    """Remove a sample from the open version; with `purge` its own data too."""
    from jupyter_blueno.ingest import register

    removed = context.ask(remove_sample, ask)
    if removed.unused is not None:
        register.purge(context.config, removed.unused)
    return Done(removed.done)


@operation("DELETE", "/datasets/{dataset_id}/rows/{ordinal}", resource="datasets", action="write")
def remove_sample(context: Context, ask: DeleteSample) -> Removed:
    """Take a sample out of the open version; its data stays."""
    from jupyter_blueno.ingest import register

    return register.delete_sample(
        context.database, context.config, context.user, ask.dataset_id, ask.ordinal, ask.purge
    )


@operation("PUT", "/data", resource="data", action="write", raw_body="content", local=True)
def store_data(context: Context, ask: StoreData) -> Done:
    """Write bytes to a data URL, atomically."""
    from jupyter_blueno.ingest import register

    return Done(register.store_data(context.config, ask.data_url, ask.content))


@operation("GET", "/data", resource="data", action="read", local=True)
def load_data(context: Context, ask: DataRef) -> Content:
    """Return the bytes at a data URL."""
    from jupyter_blueno.ingest import register

    return Content(register.load_data(context.config, ask.data_url))
