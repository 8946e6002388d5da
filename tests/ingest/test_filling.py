"""A version filled from outside: begun, filled by COPY, finished, begun again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_blueno.api import catalog, ingest
from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import Problem, Progress, Sample, SamplePage, Selection
from jupyter_blueno.errors import AlreadyExists, BluenoError, Conflict, InvalidInput, NotFound, OutsideRoots
from jupyter_blueno.ingest.model import (
    AddBatch,
    Batch,
    BeginVersion,
    FinishVersion,
    OpenVersion,
    RegisterSample,
    ReserveOrdinals,
)

# Everything that PostgreSQL can hold: no NUL, no half surrogate pairs.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
awkward = st.sampled_from(
    ["\\N", "\\.", "\t", "\n", "\r\n", "\\", "\\\\t", "'", '"', "{}", "☃🧠", "%s", "%", "a\\\tb"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def begin(context: Context, name: str = "d", **more: Any) -> OpenVersion:
    return ingest.begin_version(context, BeginVersion(name, **more))


def add(context: Context, version: OpenVersion, names: list[str], **more: Any) -> int:
    """Reserve ordinals, add samples of these names, and return the first ordinal."""
    first = ingest.reserve_ordinals(context, ReserveOrdinals(version.dataset_id, len(names))).first_ordinal
    values = {"data_url": "file://x.npy", **more}
    ingest.add_batch(context, AddBatch(version.version_id, Batch(first, names, **values)))
    return first


def samples(context: Context, dataset_id: int) -> list[Sample]:
    return catalog.list_samples(context, SamplePage(dataset_id, limit=1000)).samples


def refused(kind: type[BluenoError], code: str, do: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        do()
    assert caught.value.code == code


def test_filling(context: Context) -> None:
    version = begin(context, "digits", count=3, description="Some", info={"a": 1}, job_id="j1")
    assert Path(version.folder).is_dir()
    assert Path(version.thumbnails).is_dir()
    preparing = catalog.get_dataset(context, catalog.DatasetRef(version.dataset_id))
    assert preparing.version.state == "preparing"
    assert preparing.version.progress == Progress(0, 3)
    assert preparing.version.job_id == "j1"
    add(
        context,
        version,
        ["a", "b"],
        kind="image2d",
        label=["0", "1"],
        split="train",
        bytes=[1, 2],
        shape=[2, 3],
    )
    half = catalog.get_dataset(context, catalog.DatasetRef(version.dataset_id))
    assert half.version.progress == Progress(2, 3)
    assert (half.version.sample_count, half.version.bytes, half.preview) == (2, 3, [0, 1])
    add(context, version, ["c"], kind="image2d", label="1", split="test", bytes=4, shape=[2, 3])
    ready = ingest.finish_version(context, FinishVersion(version.version_id))
    assert ready.version.state == "ready"
    assert ready.version.progress is None
    assert ready.version.finished_at is not None
    assert (ready.version.sample_count, ready.version.bytes) == (3, 7)
    assert (ready.kinds, ready.label_count, ready.preview) == (["image2d"], 2, [0, 1, 2])
    assert ready.version.summary["shape"] == [2, 3]
    assert ready.revision > half.revision > preparing.revision
    again = ingest.finish_version(context, FinishVersion(version.version_id))
    assert again == ready
    refused(Conflict, "version_finished", lambda: add(context, version, ["d"]))
    refused(
        Conflict,
        "version_finished",
        lambda: ingest.finish_version(context, FinishVersion(version.version_id, "no")),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_copy_carries_any_text(context: Context, data: st.DataObject) -> None:
    names = data.draw(st.lists((texts | awkward).filter(str.strip), min_size=1, max_size=6, unique=True))
    column = st.lists(st.none() | texts | awkward, min_size=len(names), max_size=len(names))
    labels, splits = data.draw(column), data.draw(column)
    attributes = data.draw(
        st.lists(st.dictionaries(texts, json_values, max_size=3), min_size=len(names), max_size=len(names))
    )
    keys = data.draw(st.lists(texts, min_size=len(names), max_size=len(names)))
    url = "file://a" + data.draw(texts | awkward)
    version = begin(context, "copied")
    try:
        add(
            context,
            version,
            names,
            label=labels,
            split=splits,
            attributes=attributes,
            keys=keys,
            data_url=url,
        )
        found = samples(context, version.dataset_id)
        assert [one.name for one in found] == names
        assert [one.label for one in found] == [label or None for label in labels]
        assert [one.split for one in found] == [split or None for split in splits]
        assert [one.attributes for one in found] == [
            msgspec.json.decode(msgspec.json.encode(a)) for a in attributes
        ]
        assert [one.data_key for one in found] == keys
        assert {one.data_url for one in found} == {url}
    finally:
        catalog.delete_dataset(context, catalog.DatasetRef(version.dataset_id))


def test_columns_of_every_sort(context: Context) -> None:
    version = begin(context)
    add(
        context,
        version,
        ["v", "w"],
        kind=["volume3d", "image2d"],
        shapes=[[4, 5, 6], None],
        dtype=["<i2", "|u1"],
        spacings=[[1.0, 0.5, 1e-3], None],
        data_url=["file://v.nii", "file://w.png"],
    )
    v, w = samples(context, version.dataset_id)
    assert (v.kind, v.shape, v.dtype, v.spacing) == ("volume3d", [4, 5, 6], "<i2", [1.0, 0.5, 1e-3])
    assert (w.kind, w.shape, w.dtype, w.spacing) == ("image2d", None, "|u1", None)
    ready = ingest.finish_version(context, FinishVersion(version.version_id))
    assert ready.kinds == ["image2d", "volume3d"]
    assert "spacing" not in ready.version.summary


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("empty_batch", {"names": []}),
        ("column_length", {"label": ["a"]}),
        ("column_length", {"attributes": [{}]}),
        ("name_empty", {"names": ["", "b"]}),
        ("text_too_long", {"names": ["a" * 513, "b"]}),
        ("invalid_character", {"names": ["a\x00", "b"]}),
        ("invalid_character", {"names": ["a\ud800", "b"]}),
        ("invalid_character", {"label": ["a", "b\x00"]}),
        ("invalid_character", {"keys": ["a", "b\x00"]}),
        ("invalid_character", {"dtype": "\x00"}),
        ("invalid_character", {"data_url": "file://\x00"}),
        ("invalid_character", {"attributes": [{"a": "\x00"}, {}]}),
        ("ordinals_not_reserved", {"first_ordinal": 1}),
        ("ordinals_not_reserved", {"first_ordinal": -1}),
        ("ordinals_not_reserved", {"first_ordinal": 2**70}),
    ],
)
def test_a_wrong_batch_adds_nothing(context: Context, code: str, change: dict[str, Any]) -> None:
    version = begin(context)
    ingest.reserve_ordinals(context, ReserveOrdinals(version.dataset_id, 2))
    batch = Batch(**{"first_ordinal": 0, "names": ["a", "b"], "data_url": "file://x", **change})
    refused(InvalidInput, code, lambda: ingest.add_batch(context, AddBatch(version.version_id, batch)))
    assert samples(context, version.dataset_id) == []


def test_what_looks_like_nul_in_json_is_none(context: Context) -> None:
    version = begin(context)
    add(context, version, ["a"], attributes=[{"path": "C:\\u0000"}])
    assert samples(context, version.dataset_id)[0].attributes == {"path": "C:\\u0000"}


def test_names_and_ordinals_are_taken_once(context: Context) -> None:
    version = begin(context)
    refused(AlreadyExists, "sample_exists", lambda: add(context, version, ["a", "b", "a"]))
    first = add(context, version, ["a", "b"])
    refused(AlreadyExists, "sample_exists", lambda: add(context, version, ["c", "b"]))
    batch = Batch(first, ["e", "f"], "file://x")
    refused(Conflict, "ordinal_taken", lambda: ingest.add_batch(context, AddBatch(version.version_id, batch)))
    assert [one.name for one in samples(context, version.dataset_id)] == ["a", "b"]


def test_reserving_by_many_at_once(context: Context) -> None:
    version = begin(context)
    with ThreadPoolExecutor(6) as threads:
        asks = [ReserveOrdinals(version.dataset_id, 7)] * 40
        firsts = [
            one.first_ordinal for one in threads.map(lambda ask: ingest.reserve_ordinals(context, ask), asks)
        ]
    assert sorted(firsts) == list(range(0, 280, 7))
    for count in (0, -1):
        ask = ReserveOrdinals(version.dataset_id, count)
        refused(InvalidInput, "invalid_count", lambda ask=ask: ingest.reserve_ordinals(context, ask))
    with pytest.raises(BluenoError):
        ingest.reserve_ordinals(context, ReserveOrdinals(version.dataset_id, 2**31))


def test_adding_by_many_at_once(context: Context) -> None:
    version = begin(context, count=800)
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(lambda k: add(context, version, [f"{k}-{i}" for i in range(100)], bytes=2), range(8))
        )
    ready = ingest.finish_version(context, FinishVersion(version.version_id))
    assert (ready.version.sample_count, ready.version.bytes) == (800, 1600)
    assert [one.ordinal for one in samples(context, version.dataset_id)] == list(range(800))


def test_one_name_begun_by_two(context: Context) -> None:
    start, ended = threading.Barrier(6), []

    def run(_: int) -> None:
        start.wait()
        try:
            ended.append(begin(context, "same").version_id)
        except AlreadyExists as error:
            ended.append(error.code)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(run, range(6)))
    assert ended.count("dataset_exists") == 5


def test_a_name_that_is_taken(context: Context) -> None:
    version = begin(context, "taken", job_id="j")
    refused(AlreadyExists, "dataset_exists", lambda: begin(context, "taken"))
    refused(AlreadyExists, "dataset_exists", lambda: begin(context, "taken", job_id="other"))
    assert begin(context, "taken", job_id="j") == version  # the same request again
    add(context, version, ["a"])
    ingest.finish_version(context, FinishVersion(version.version_id))
    refused(AlreadyExists, "dataset_exists", lambda: begin(context, "taken", job_id="j"))


def test_an_empty_dataset_is_filled(context: Context) -> None:
    made = catalog.create_dataset(context, catalog.CreateDataset("empty", "Words", {"a": 1}))
    version = begin(context, "empty", info={"b": 2})
    assert version.dataset_id == made.id
    add(context, version, ["a"])
    ready = ingest.finish_version(context, FinishVersion(version.version_id))
    assert (ready.description, ready.info, ready.version.number) == ("Words", {"a": 1, "b": 2}, 1)


def test_a_failed_one_is_begun_again_from_nothing(context: Context) -> None:
    first = begin(context, "flaky")
    add(context, first, ["a", "b"])
    (Path(first.thumbnails) / "pack").write_bytes(b"tiles")
    failed = ingest.finish_version(context, FinishVersion(first.version_id, "The disk is full.\x00"))
    assert (failed.version.state, failed.version.reason) == ("failed", "The disk is full.�")
    assert [one.name for one in catalog.list_datasets(context, catalog.ListDatasets()).datasets] == ["flaky"]
    refused(
        Conflict,
        "version_failed",
        lambda: catalog.register_sample(
            context, RegisterSample(first.dataset_id, "x", "file://x", validate=False)
        ),
    )
    second = begin(context, "flaky")
    assert second.dataset_id == first.dataset_id
    assert list(Path(second.thumbnails).iterdir()) == []
    refused(NotFound, "version_not_found", lambda: add(context, first, ["late"]))
    catalog_after = samples(context, second.dataset_id)
    assert catalog_after == []
    add(context, second, ["a", "b"])
    ready = ingest.finish_version(context, FinishVersion(second.version_id))
    assert (ready.version.state, ready.version.sample_count, ready.version.reason) == ("ready", 2, None)


def test_some_problems_are_kept_all_problems_fail(context: Context) -> None:
    problems = [Problem(f"bad {i}.png", "unreadable_data", "It is cut off.\x00") for i in range(1200)]
    version = begin(context, "some")
    add(context, version, ["good"])
    ready = ingest.finish_version(context, FinishVersion(version.version_id, problems=problems))
    assert ready.version.state == "ready"
    assert ready.version.summary["problem_count"] == 1200
    assert ready.version.problems[0] == Problem("bad 0.png", "unreadable_data", "It is cut off.�")
    assert len(ready.version.problems) == 1000
    (listed,) = catalog.list_datasets(context, catalog.ListDatasets()).datasets
    assert len(listed.version.problems) == 20  # a list stays small
    version = begin(context, "all")
    failed = ingest.finish_version(context, FinishVersion(version.version_id, problems=problems))
    assert failed.version.state == "failed"
    assert "cut off" in (failed.version.reason or "")
    version = begin(context, "nothing")
    assert ingest.finish_version(context, FinishVersion(version.version_id)).version.state == "failed"


def test_a_deleted_dataset_takes_nothing(context: Context) -> None:
    version = begin(context)
    catalog.delete_dataset(context, catalog.DatasetRef(version.dataset_id))
    refused(NotFound, "dataset_not_found", lambda: add(context, version, ["a"]))
    finish = FinishVersion(version.version_id)
    refused(NotFound, "version_not_found", lambda: ingest.finish_version(context, finish))
    refused(NotFound, "version_not_found", lambda: ingest.finish_version(context, FinishVersion(2**70)))


def test_a_root_outside_is_refused(context: Context) -> None:
    with pytest.raises(OutsideRoots):
        begin(context, "outside", root="/etc")
    assert catalog.list_datasets(context, catalog.ListDatasets()).datasets == []


def test_many_samples_are_found_without_an_older_plan(context: Context) -> None:
    version = begin(context, count=20_000)
    count = 20_000
    labels = [f"l{i % 50}" for i in range(count)]
    add(context, version, [f"n{i}" for i in range(count)], label=labels)
    ingest.finish_version(context, FinishVersion(version.version_id))
    found = catalog.get_ordinals(context, Selection(version.dataset_id, label=["l7"]))
    assert found.ordinals == list(range(7, count, 50))
