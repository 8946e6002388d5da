"""Arguments that cannot be: a sentence says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.api import catalog
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.ingest.sources.arrays import ingest_arrays

PICTURES = np.zeros((3, 8, 8), np.uint8)


class Stubborn:
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "labels",
    [
        5, "abc", [1, 2], [[1], [2], [3]], np.zeros((3, 2)), ["\0"] * 3, ["x" * 10_000] * 3, ["\ud800"] * 3,
        print, [{}, {}, {}], [object()] * 3, [1, 2, 1j], [(1, 2)] * 3, [np.zeros(2)] * 3,
        np.array(["2020-01-01"] * 3, "datetime64[D]"),
    ],
    ids=lambda labels: str(labels)[:20],
)  # fmt: skip
def test_labels(context: Context, labels: Any) -> None:
    refused(context, lambda to: ingest_arrays(to, "labelled", PICTURES, labels=labels))


@pytest.mark.parametrize(
    "arrays",
    [
        None, 5, print, [], Stubborn(), [Stubborn()], np.zeros(0), np.zeros((0, 8, 8)), np.zeros((3, 0, 8)),
        np.zeros((3, 8, 8), object), np.zeros((3, 8, 8), complex), np.zeros((3, 8, 8), "U3"),
        [PICTURES[0], None],
        [1, 2], np.zeros((2,) * 9),
    ],
    ids=lambda arrays: str(type(arrays)),
)  # fmt: skip
def test_arrays(context: Context, arrays: Any) -> None:
    refused(context, lambda to: ingest_arrays(to, "arrays", arrays))


@pytest.mark.parametrize(
    "name", ["", " ", "a\0", "x" * 10_000, 5, None, b"x"], ids=lambda name: str(name)[:9]
)
def test_names(context: Context, name: Any) -> None:
    refused(context, lambda to: ingest_arrays(to, name, PICTURES))


def refused(context: Context, ingest: Callable[[OperationsDestination], Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        ingest(OperationsDestination.in_process(context))
    assert caught.value.message.endswith("."), caught.value
    left = catalog.list_datasets(context, catalog.ListDatasets()).datasets
    assert [one for one in left if one.version.state != "failed" or one.version.sample_count] == []
