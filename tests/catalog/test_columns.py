"""Values of samples that somebody computed: written, shown with samples, filtered by, sorted by."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jupyter_blueno.api import catalog, columns
from jupyter_blueno.api.context import Context, User
from jupyter_blueno.catalog import columns as store_of_columns
from jupyter_blueno.catalog import samples as samples_of
from jupyter_blueno.catalog.model import SamplePage, Selection
from jupyter_blueno.errors import InvalidInput, NotFound, TooLarge
from tests.catalog.test_store import fill

INFINITE = float("inf")


def write(context: Context, dataset_id: int, ordinals: list[int], **values: list[Any]) -> int:
    return columns.write_results(context, columns.WriteResults(dataset_id, ordinals, values)).count


def found(context: Context, dataset_id: int, *conditions: str, sort: str = "") -> list[int]:
    ask = Selection(dataset_id, having=list(conditions), sort=sort)
    answer = catalog.get_ordinals(context, ask)
    numbers = list(range(answer.total)) if answer.ordinals is None else answer.ordinals
    if not sort:
        page = catalog.list_samples(context, SamplePage(dataset_id, having=list(conditions)))
        assert [one.ordinal for one in page.samples] == numbers
    assert catalog.get_facets(context, Selection(dataset_id, having=list(conditions))).total == len(numbers)
    return numbers


def test_values_come_with_their_samples(context: Context) -> None:
    dataset = fill(context)
    assert write(context, dataset.id, [0, 1, 4], dice=[0.5, 1, 0.25], seen=["cat", None, "fox"]) == 6
    samples = catalog.get_samples(context, catalog.SamplesAt(dataset.id, "0-6")).samples
    assert [one.results for one in samples[:5]] == [
        {"dice": 0.5, "seen": "cat"},
        {"dice": 1.0},
        {},
        {},
        {"dice": 0.25, "seen": "fox"},
    ]
    dice, seen = columns.list_columns(context, catalog.DatasetRef(dataset.id)).columns
    assert (dice.name, dice.type, dice.count, dice.least, dice.most) == ("dice", "number", 3, 0.25, 1.0)
    assert (seen.name, seen.type, seen.count, seen.least, seen.owner) == ("seen", "text", 2, None, "alice")


def test_a_value_is_changed_and_taken_away(context: Context) -> None:
    dataset = fill(context)
    write(context, dataset.id, [0, 1, 2, 3], dice=[0.1, 0.2, 0.3, 0.4])
    before = catalog.get_dataset(context, catalog.DatasetRef(dataset.id)).revision
    write(context, dataset.id, [0, 1, 2], dice=[0.9, None, INFINITE])
    assert catalog.get_dataset(context, catalog.DatasetRef(dataset.id)).revision > before
    assert found(context, dataset.id, "dice>0") == [0, 3]
    assert found(context, dataset.id, "dice=0.9") == [0]
    assert columns.delete_column(context, columns.ColumnRef(dataset.id, "dice")).done
    assert not columns.delete_column(context, columns.ColumnRef(dataset.id, "dice")).done
    assert catalog.get_samples(context, catalog.SamplesAt(dataset.id, "0")).samples[0].results == {}


def test_texts_are_kept_as_they_are(context: Context) -> None:
    dataset = fill(context)
    texts = ['a "quoted" one', "back\\slash\\", "{1,2}", "NULL", "two\nlines", "", "ü 日本 😀"]
    write(context, dataset.id, list(range(7)), seen=texts)
    samples = catalog.get_samples(context, catalog.SamplesAt(dataset.id, "0-6")).samples
    assert [one.results["seen"] for one in samples] == texts


@pytest.mark.parametrize("few", [0, 5000])
def test_conditions_select_and_columns_sort(
    context: Context, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(samples_of, "FEW", few)
    dataset = fill(context)
    write(context, dataset.id, [0, 1, 2, 4, 6], dice=[0.5, 0.9, 0.1, 0.5, 0.7])
    write(context, dataset.id, [0, 1], seen=["cat", "it's a dog"])
    assert found(context, dataset.id, "dice<0.6") == [0, 2, 4]
    assert found(context, dataset.id, "dice >= 0.5", "dice<0.9") == [0, 4, 6]
    assert found(context, dataset.id, "seen=it's a dog") == [1]
    assert found(context, dataset.id, "seen != cat") == [1, 2, 3, 4, 5, 6]
    assert found(context, dataset.id, "seen != cat", "dice>0.2", sort="dice") == [4, 6, 1]
    assert found(context, dataset.id, sort="dice") == [2, 0, 4, 6, 1, 3, 5]
    assert found(context, dataset.id, sort="-dice") == [1, 6, 0, 4, 2, 3, 5]
    assert found(context, dataset.id, "dice<0.6", sort="-dice") == [0, 4, 2]
    assert found(context, dataset.id, sort="seen")[:2] == [0, 1]
    counted = catalog.get_facets(context, Selection(dataset.id, having=["dice<0.6"]))
    assert {one.value: one.count for one in counted.labels} == {"cat": 1, "dog": 1, None: 1}


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("dise<1", "unknown_column", "There is dice"),
        ("dice", "invalid_condition", "write it like"),
        ("dice<", "invalid_condition", "write it like"),
        ("dice<a'; DROP TABLE sample", "invalid_condition", "is not one"),
        ("<1", "invalid_condition", "write it like"),
    ],
)
def test_a_condition_that_says_nothing(context: Context, condition: str, code: str, said: str) -> None:
    dataset = fill(context)
    write(context, dataset.id, [0], dice=[0.5])
    with pytest.raises(InvalidInput, match=said) as caught:
        catalog.get_ordinals(context, Selection(dataset.id, having=[condition]))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("ordinals", "values", "said"),
    [
        ([0, 0], {"dice": [1.0, 2.0]}, "named once"),
        ([0], {"dice": [1.0, 2.0]}, "2 values for 1 samples"),
        ([0, 1], {"dice": [1.0, "a"]}, "numbers and texts"),
        ([0], {"1st": [1.0]}, "begins with a letter"),
        ([0], {"seen": [1.0]}, "has texts, these are numbers"),
        ([-1], {"dice": [1.0]}, "named once"),
    ],
)
def test_what_is_no_column_is_refused(
    context: Context, ordinals: list[int], values: dict[str, list[Any]], said: str
) -> None:
    dataset = fill(context)
    write(context, dataset.id, [0], seen=["a"])
    with pytest.raises(InvalidInput, match=said):
        write(context, dataset.id, ordinals, **values)
    assert len(columns.list_columns(context, catalog.DatasetRef(dataset.id)).columns) == 1


def test_strangers_see_and_write_nothing(context: Context) -> None:
    dataset = fill(context)
    write(context, dataset.id, [0], dice=[0.5])
    stranger = Context(context.platform, User("eve", "others"))
    for ask in (
        lambda: columns.list_columns(stranger, catalog.DatasetRef(dataset.id)),
        lambda: write(stranger, dataset.id, [0], dice=[1.0]),
        lambda: columns.delete_column(stranger, columns.ColumnRef(dataset.id, "dice")),
    ):
        with pytest.raises(NotFound):
            ask()


def test_two_who_write_at_once_wait_for_each_other(context: Context) -> None:
    """Each writes the same samples, in the other order, and makes columns: no deadlock, none too many."""
    dataset = fill(context, rows=[(f"s{n:03}", "train", None) for n in range(400)])
    forward = list(range(400))
    rounds = 6
    barrier = threading.Barrier(2)

    def work(name: str, ordinals: list[int], value: float) -> None:
        for n in range(rounds):
            barrier.wait(30)
            write(context, dataset.id, ordinals, dice=[value] * 400, **{f"{name}-{n}": [value] * 400})

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(work, "a", forward, 1.0), pool.submit(work, "b", forward[::-1], 2.0)]
        for one in done:
            one.result(60)
    listed = columns.list_columns(context, catalog.DatasetRef(dataset.id)).columns
    assert len(listed) == 1 + 2 * rounds
    dice = {
        one.results["dice"]
        for one in catalog.get_samples(context, catalog.SamplesAt(dataset.id, "0-399")).samples
    }
    assert len(dice) == 1, "half of one and half of the other"


def test_what_two_make_at_once_stays_under_the_limit(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_of_columns, "MOST_COLUMNS", 5)
    dataset = fill(context)

    def make(n: int) -> bool:
        try:
            write(context, dataset.id, [0], **{f"c{n}": [n]})
        except TooLarge:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(16)))
    assert sum(made) == 5
    assert len(columns.list_columns(context, catalog.DatasetRef(dataset.id)).columns) == 5
