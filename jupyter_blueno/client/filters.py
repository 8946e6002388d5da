"""What a filter is asked for in a notebook."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from jupyter_blueno import errors
from jupyter_blueno.catalog import model
from jupyter_blueno.client import dataset_display

Value = str | int | None
Given = Value | Sequence[Value]


def values(name: str, field: str, given: Given, have: Sequence[str]) -> list[str]:
    """The values of `field` that are asked for, as texts; ``""`` is "has none".

    Raises
    ------
    InvalidInput
        If the dataset does not `have` one; with the nearest, and what there is.
    """
    single = isinstance(given, (str, int)) or not hasattr(given, "__iter__")
    asked = ["" if one is None else str(one) for one in ([given] if single else given)]  # type: ignore[union-attr]
    for value in asked:
        if value not in have:
            near = difflib.get_close_matches(value, have, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            there = dataset_display.in_words(have) or "none at all"
            raise errors.InvalidInput(
                f"{name} has no {field} {value!r}. {hint}There is {there}.", code=f"unknown_{field}"
            )
    return asked


def counts(rows: Iterable[model.Sample]) -> dict[str, dict[str, int]]:
    """How many of these samples have which split and which label; ``""`` is none."""
    found: dict[str, dict[str, int]] = {"split": {}, "label": {}}
    for row in rows:
        for field, value in (("split", row.split), ("label", row.label)):
            found[field][value or ""] = found[field].get(value or "", 0) + 1
    return {field: dict(sorted(values.items())) for field, values in found.items()}
