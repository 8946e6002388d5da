"""Amounts in requests as people write them, ``{"memory": "8 GB"}``: read before the contract is looked at."""

from __future__ import annotations

import functools
from typing import Any, get_args

import msgspec

from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.sending import amounts


def read(kind: type[msgspec.Struct], body: Any) -> Any:
    """A body that is to become a `kind`, with numbers wherever it has `Resources`.

    Raises
    ------
    InvalidInput
    """
    for path in _places(kind):
        body = _read_at(path, body)
    return body


@functools.cache
def _places(kind: Any, above: tuple[Any, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """Where a struct has resources: names of fields, one in the other."""
    if kind is Resources:
        return ((),)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in above:
        return tuple(
            (field.encode_name, *rest)
            for field in msgspec.structs.fields(kind)
            for rest in _places(field.type, (*above, kind))
        )
    return tuple(
        place for part in get_args(kind) for place in _places(part, above)
    )  # a list, an optional one


def _read_at(path: tuple[str, ...], given: Any) -> Any:
    if isinstance(given, list):
        return [_read_at(path, one) for one in given]
    if not isinstance(given, dict):
        return given
    if not path:
        return amounts.in_numbers(given)
    name, *rest = path
    return {**given, name: _read_at(tuple(rest), given[name])} if name in given else given
