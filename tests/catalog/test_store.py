"""Datasets, versions as deltas, facets, selections, what changed."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_blueno.api import catalog, ingest
from jupyter_blueno.api.context import Context, User
from jupyter_blueno.catalog import store
from jupyter_blueno.catalog.model import Dataset, Facets, SamplePage, Selection
from jupyter_blueno.catalog.samples import parse_ordinals
from jupyter_blueno.database.revisions import current_revision, next_revision
from jupyter_blueno.errors import AlreadyExists, InvalidInput, NotFound
from jupyter_blueno.ingest.model import (
    AddBatch,
    Batch,
    BeginVersion,
    FinishVersion,
    RegisterSample,
    ReserveOrdinals,
)

ROWS = [  # name, split, label
    ("cat_1.png", "train", "cat"),
    ("cat_2.png", "train", "cat"),
    ("dog_10%.png", "train", "dog"),
    ("dog_9.png", "test", "dog"),
    ("Füchsin.png", "test", None),
    ("naught.png", None, "10"),
    ("nine.png", None, "9"),
]


def fill(context: Context, name: str = "d", rows: list[Any] = ROWS) -> Dataset:
    version = ingest.begin_version(context, BeginVersion(name))
    first = ingest.reserve_ordinals(context, ReserveOrdinals(version.dataset_id, len(rows))).first_ordinal
    names, splits, labels = ([row[i] for row in rows] for i in range(3))
    batch = Batch(first, names, "file://x.npy", split=splits, label=labels, kind="image2d", bytes=10)
    ingest.add_batch(context, AddBatch(version.version_id, batch))
    return ingest.finish_version(context, FinishVersion(version.version_id))


def register(context: Context, dataset: Dataset, name: str, **more: Any) -> int:
    ask = RegisterSample(dataset.id, name, f"file://data/{name}", validate=False, **more)
    return catalog.register_sample(context, ask).ordinal


def names(context: Context, dataset: Dataset, version: int | None = None) -> list[str]:
    return [one.name for one in catalog.list_samples(context, SamplePage(dataset.id, version)).samples]


def counts(facets: Facets) -> tuple[int, list[Any], list[Any]]:
    return facets.total, *(
        [(one.value, one.count) for one in side] for side in (facets.splits, facets.labels)
    )


def test_creating_listing_deleting_restoring(context: Context) -> None:
    made = catalog.create_dataset(context, catalog.CreateDataset("Zebra", "Stripes", {"a": [1]}))
    assert (made.version.state, made.version.number, made.owner, made.info) == (
        "open",
        1,
        "alice",
        {"a": [1]},
    )
    with pytest.raises(AlreadyExists) as caught:
        catalog.create_dataset(context, catalog.CreateDataset("Zebra"))
    assert caught.value.code == "dataset_exists"
    catalog.create_dataset(context, catalog.CreateDataset("ant 100%"))
    found = catalog.list_datasets(context, catalog.ListDatasets()).datasets
    assert [one.name for one in found] == ["ant 100%", "Zebra"]
    for search, expected in (("STRIPES", ["Zebra"]), ("0%", ["ant 100%"]), ("_", []), ("zeb", ["Zebra"])):
        listed = catalog.list_datasets(context, catalog.ListDatasets(search)).datasets
        assert [one.name for one in listed] == expected
    ref = catalog.DatasetRef(made.id)
    assert catalog.delete_dataset(context, ref).done is True
    assert catalog.delete_dataset(context, ref).done is False
    with pytest.raises(NotFound):
        catalog.get_dataset(context, ref)
    other = catalog.create_dataset(context, catalog.CreateDataset("Zebra"))
    with pytest.raises(AlreadyExists):
        catalog.restore_dataset(context, ref)
    catalog.delete_dataset(context, catalog.DatasetRef(other.id))
    assert catalog.restore_dataset(context, ref).name == "Zebra"
    assert catalog.get_dataset(context, ref).info == {"a": [1]}


def test_one_statement_lists_all_datasets(context: Context) -> None:
    for number in range(5):
        fill(context, f"d{number}")
    statements = []
    sa.event.listen(context.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    listed = catalog.list_datasets(context, catalog.ListDatasets()).datasets
    assert len(statements) == 1
    assert [(one.version.sample_count, one.label_count, one.kinds) for one in listed] == [
        (7, 4, ["image2d"])
    ] * 5
    assert all("cells" not in one.version.summary for one in listed)


def test_another_team_sees_nothing(context: Context) -> None:
    dataset = fill(context)
    other = Context(context.platform, User("eve", "other"))
    assert catalog.list_datasets(other, catalog.ListDatasets()).datasets == []
    for call in (
        lambda: catalog.get_dataset(other, catalog.DatasetRef(dataset.id)),
        lambda: catalog.delete_dataset(other, catalog.DatasetRef(dataset.id)),
        lambda: catalog.get_facets(other, Selection(dataset.id)),
        lambda: catalog.get_ordinals(other, Selection(dataset.id)),
        lambda: catalog.list_samples(other, SamplePage(dataset.id)),
        lambda: catalog.get_samples(other, catalog.SamplesAt(dataset.id, "0")),
        lambda: catalog.delete_sample(other, catalog.DeleteSample(dataset.id, 0)),
        lambda: register(other, dataset, "x"),
    ):
        with pytest.raises(NotFound):
            call()


def test_facets_count_under_the_filter_of_the_other(context: Context) -> None:
    dataset = fill(context)
    assert counts(catalog.get_facets(context, Selection(dataset.id))) == (
        7,
        [("train", 3), ("test", 2), (None, 2)],
        [("9", 1), ("10", 1), ("cat", 2), ("dog", 2), (None, 1)],
    )
    assert counts(catalog.get_facets(context, Selection(dataset.id, split=["test"], label=["dog"]))) == (
        1,
        [("test", 1), ("train", 1)],
        [("dog", 1), (None, 1)],
    )
    assert counts(catalog.get_facets(context, Selection(dataset.id, split=["", "test"], text="I"))) == (
        2,
        [("test", 1), (None, 1)],
        [("9", 1), (None, 1)],
    )
    nothing = catalog.get_facets(context, Selection(dataset.id, text="no such thing"))
    assert counts(nothing) == (0, [], [])


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"split": ["train"]}, [0, 1, 2]),
        ({"split": ["train", "test"], "label": ["dog"]}, [2, 3]),
        ({"split": [""]}, [5, 6]),
        ({"label": ["", "9"]}, [4, 6]),
        ({"text": "CAT"}, [0, 1]),
        ({"text": "do"}, [2, 3]),
        ({"text": "0%"}, [2]),
        ({"text": "_"}, [0, 1, 2, 3]),
        ({"text": "10"}, [2, 5]),
        ({"text": "FÜCHS"}, [4]),
        ({"text": "füchs"}, [4]),
        ({"text": "\\"}, []),
        ({"text": "ü.*"}, []),
        ({"text": "'; DROP TABLE sample; --"}, []),
        ({"split": ["no"]}, []),
    ],
)
def test_selections(context: Context, filter: dict[str, Any], expected: list[int]) -> None:
    dataset = fill(context)
    found = catalog.get_ordinals(context, Selection(dataset.id, **filter))
    assert found.total == len(expected)
    assert (found.ordinals if found.ordinals is not None else list(range(found.total))) == expected
    page = catalog.list_samples(context, SamplePage(dataset.id, **filter))
    assert [one.ordinal for one in page.samples] == expected
    assert catalog.get_facets(context, Selection(dataset.id, **filter)).total == len(expected)


def test_dense_selections_are_not_spelled_out(context: Context) -> None:
    dataset = fill(context)
    assert catalog.get_ordinals(context, Selection(dataset.id)).ordinals is None
    assert catalog.get_ordinals(context, Selection(dataset.id, label=["cat"])).ordinals is None
    catalog.delete_sample(context, catalog.DeleteSample(dataset.id, 3))
    assert catalog.get_ordinals(context, Selection(dataset.id)).ordinals == [0, 1, 2, 4, 5, 6]
    assert catalog.get_ordinals(context, Selection(dataset.id, version=1)).ordinals is None


def test_pages_meet_without_gaps(context: Context) -> None:
    dataset = fill(context)
    seen, after = [], -1
    while after is not None:
        page = catalog.list_samples(context, SamplePage(dataset.id, after=after, limit=3))
        seen += [one.ordinal for one in page.samples]
        after = page.next
    assert seen == list(range(7))
    assert [
        one.name for one in catalog.list_samples(context, SamplePage(dataset.id, name="nine.png")).samples
    ] == ["nine.png"]
    assert catalog.list_samples(context, SamplePage(dataset.id, after=2**80)).samples == []
    for limit in (0, -1, 1001):
        with pytest.raises(InvalidInput):
            catalog.list_samples(context, SamplePage(dataset.id, limit=limit))


def test_history_is_a_delta(context: Context) -> None:
    dataset = fill(context)
    added = register(context, dataset, "new", label="cat", split="test")
    assert catalog.delete_sample(context, catalog.DeleteSample(dataset.id, 0)).done
    assert not catalog.delete_sample(context, catalog.DeleteSample(dataset.id, 0)).done
    now = catalog.get_dataset(context, catalog.DatasetRef(dataset.id))
    assert (now.version.number, now.version.state, now.version.sample_count) == (2, "open", 7)
    first = [row[0] for row in ROWS]
    assert names(context, dataset, 1) == first
    assert names(context, dataset) == names(context, dataset, 2) == [*first[1:], "new"]
    assert catalog.get_facets(context, Selection(dataset.id, version=1)).total == 7
    assert [
        one.name for one in catalog.get_samples(context, catalog.SamplesAt(dataset.id, "0,7")).samples
    ] == [
        "cat_1.png",
        "new",
    ]
    assert catalog.delete_sample(context, catalog.DeleteSample(dataset.id, added)).done
    assert catalog.get_samples(context, catalog.SamplesAt(dataset.id, f"{added}")).samples == []
    assert (
        register(context, dataset, "cat_1.png") == added + 1
    )  # the name is free, the ordinal is not used again
    assert names(context, dataset, 1) == first
    with pytest.raises(NotFound):
        names(context, dataset, 3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "delete"]),
            st.integers(0, 12),
            st.sampled_from([None, "a", "b"]),
            st.sampled_from([None, "train"]),
        ),
        max_size=20,
    )
)
def test_kept_counts_are_those_of_the_rows(context: Context, steps: list[tuple[str, int, Any, Any]]) -> None:
    dataset = fill(context, rows=[("r0", "train", "a"), ("r1", None, "b")])
    try:
        for step, (what, number, label, split) in enumerate(steps):
            if what == "add":
                register(context, dataset, f"n{step}", label=label, split=split)
            else:
                catalog.delete_sample(context, catalog.DeleteSample(dataset.id, number))
        listed = catalog.list_samples(context, SamplePage(dataset.id)).samples
        now = catalog.get_dataset(context, catalog.DatasetRef(dataset.id))
        facets = catalog.get_facets(context, Selection(dataset.id))
        assert now.version.sample_count == len(listed) == facets.total
        assert {one.value: one.count for one in facets.labels} == Counter(one.label for one in listed)
        assert {one.value: one.count for one in facets.splits} == Counter(one.split for one in listed)
        assert now.label_count == len({one.label for one in listed} - {None})
        assert set(now.preview) <= {one.ordinal for one in listed}
        assert len(now.preview) >= min(1, len(listed))
        assert names(context, dataset, 1) == ["r0", "r1"]
    finally:
        catalog.delete_dataset(context, catalog.DatasetRef(dataset.id))


def test_more_labels_than_are_kept(context: Context) -> None:
    dataset = fill(context, rows=[(f"n{i}", None, f"label {i}") for i in range(2100)])
    assert dataset.label_count == 2100
    facets = catalog.get_facets(context, Selection(dataset.id, label=["label 7"]))
    assert (facets.total, len(facets.labels)) == (1, 2100)
    assert catalog.get_ordinals(context, Selection(dataset.id, text="LABEL 2099")).ordinals == [2099]
    register(context, dataset, "more", label="another")
    assert catalog.get_dataset(context, catalog.DatasetRef(dataset.id)).label_count == 2101


def test_one_sample_registered_by_many_at_once(context: Context) -> None:
    dataset = fill(context)
    start, ended = threading.Barrier(6), Counter[str]()

    def run(number: int) -> None:
        start.wait()
        try:
            register(context, dataset, "same", label=str(number))
            ended["done"] += 1
        except AlreadyExists as error:
            ended[error.code] += 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(run, range(6)))
    assert ended == {"done": 1, "sample_exists": 5}
    now = catalog.get_dataset(context, catalog.DatasetRef(dataset.id))
    assert (now.version.number, now.version.sample_count) == (2, 8)


def test_changes_are_seen_once_and_in_order(context: Context) -> None:
    dataset = fill(context)
    with context.database.begin() as connection:
        now = current_revision(connection)
    assert store.changed(context.database, context.user, now) == ([], [])
    register(context, dataset, "x")
    (changed,), gone = store.changed(context.database, context.user, now)
    assert (changed.id, gone) == (dataset.id, [])
    assert changed.revision > now
    catalog.delete_dataset(context, catalog.DatasetRef(dataset.id))
    assert store.changed(context.database, context.user, changed.revision) == ([], [dataset.id])


def test_a_late_commit_is_not_overtaken(context: Context) -> None:
    """Whoever took a revision and has not committed yet holds back those who ask for the newest."""
    taken, asked = threading.Event(), threading.Event()
    seen: list[int] = []

    def ask() -> None:
        taken.wait(10)
        with context.database.begin() as connection:
            asked.set()
            seen.append(current_revision(connection))

    other = threading.Thread(target=ask)
    other.start()
    with context.database.begin() as connection:
        mine = next_revision(connection)
        taken.set()
        asked.wait(10)
        assert seen == []
    other.join(10)
    assert seen == [mine]


def test_ordinals_as_text() -> None:
    assert parse_ordinals("0-2,7, 5-6,6") == [0, 1, 2, 5, 6, 7]
    assert parse_ordinals("") == []
    assert parse_ordinals("9999999999") == []
    assert len(parse_ordinals("0-999")) == 1000
    for text in (
        "0-1000",
        "0-9999999999",
        "a",
        "1-",
        "-1",
        "5-3",
        "1.5",
        "٣",
        "0-999,2000",
        ",".join(map(str, range(1002))),
    ):
        with pytest.raises(InvalidInput):
            parse_ordinals(text)


@pytest.mark.parametrize("dataset_id", [0, -1, 2**31, 2**63, 10**30])
def test_ids_that_cannot_be(context: Context, dataset_id: int) -> None:
    for call in (
        lambda: catalog.get_dataset(context, catalog.DatasetRef(dataset_id)),
        lambda: catalog.delete_dataset(context, catalog.DatasetRef(dataset_id)),
        lambda: catalog.list_samples(context, SamplePage(dataset_id)),
        lambda: catalog.get_facets(context, Selection(dataset_id)),
    ):
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize("field", ["split", "label", "text"])
def test_nul_in_a_filter_is_refused(context: Context, field: str) -> None:
    dataset = fill(context)
    value: Any = "a\x00b" if field == "text" else ["a\x00b"]
    for call in (catalog.get_ordinals, catalog.get_facets) if field == "text" else (catalog.get_ordinals,):
        with pytest.raises(InvalidInput):
            call(context, Selection(dataset.id, **{field: value}))
    with pytest.raises(InvalidInput):
        catalog.list_samples(context, SamplePage(dataset.id, name="a\x00b"))
    with pytest.raises(InvalidInput):
        catalog.list_datasets(context, catalog.ListDatasets(search="\x00"))
