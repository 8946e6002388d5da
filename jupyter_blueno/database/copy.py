"""Many rows at once, by PostgreSQL's COPY."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

CHUNK = 1 << 20  # bytes handed to the driver at once


class Each(NamedTuple):
    """A column with a value of its own in every row."""

    values: Sequence[Any]


def copy_columns(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Any]) -> None:
    """Insert rows by COPY, inside the connection's transaction.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    table : sqlalchemy.Table
    columns : mapping of str
        By name: `Each` (all of one length, at least one of them), or the value
        that all rows share. Values are str, int, float, bool, bytes, None, lists
        (arrays of numbers) and dicts (JSON); no text holds NUL.
    """
    # Shared values are written once, into the pattern of the line.
    pattern, varying = [], []
    for value in columns.values():
        if isinstance(value, Each):
            pattern.append("%s")
            varying.append(_column(value.values))
        else:
            pattern.append(_field(value).replace("%", "%%"))
    line = "\t".join(pattern)
    body = "\n".join([line % row for row in zip(*varying, strict=True)])
    if not body:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table.name}" ({names}) FROM STDIN'
    connection.connection.cursor().copy_expert(statement, io.BytesIO(body.encode()), CHUNK)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _column(values: Sequence[Any]) -> Iterable[Any]:
    """The fields of a column; a column of plain texts or numbers is left as it is."""
    if isinstance(values, range):
        return values
    try:
        joined = "".join(values)
    except TypeError:
        return map(_field, values)
    if any(letter in joined for letter in "\\\t\n\r"):
        return [value.translate(_ESCAPES) for value in values]
    return values


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode().translate(_ESCAPES)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)
