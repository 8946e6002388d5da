"""Plain values are read out of pickles; nothing that a pickle names is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.flows import values


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (0.5, 0.5),
        ("text", "text"),
        ((1, [None, True]), [1, [None, True]]),
        ({"a": 1.5}, {"a": 1.5}),
        (np.float64(0.25), 0.25),
        (np.float32(0.25), 0.25),
        (np.int64(-3), -3),
        (np.bool_(True), True),
        (Path("a") / "b", "a/b"),
    ],
)
def test_what_is_plain(value: Any, plain: Any) -> None:
    assert values.plain(pickle.dumps(value)) == plain


class Dangerous:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('it ran')",)


@pytest.mark.parametrize(
    "value", [np.zeros(3), {1: 2}, float("nan"), object(), Dangerous(), [Dangerous()], {1, 2}, b"bytes"]
)
def test_what_is_not(value: Any) -> None:
    with pytest.raises(values.NotPlain):
        values.plain(pickle.dumps(value))


def test_nor_what_is_no_pickle() -> None:
    with pytest.raises(values.NotPlain):
        values.plain(b"nonsense")
