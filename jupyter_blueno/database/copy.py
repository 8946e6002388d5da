"""Many rows at once: by PostgreSQL's COPY, or by one INSERT with a list for each column."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from jupyter_blueno.database import scope

CHUNK = 1 << 20  # bytes handed to the driver at once


class Each(NamedTuple):
    """A column with a value of its own in every row."""

    values: Sequence[Any]


def copy_columns(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Any]) -> None:
    """Insert rows, inside the connection's transaction.

    Where policies say whose rows are seen (`scope`), PostgreSQL takes no COPY.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    table : sqlalchemy.Table
    columns : mapping of str
        By name: `Each` (all of one length, at least one of them), or the value
        that all rows share. Values are str, int, float, bool, bytes, None, lists
        (arrays of numbers) and dicts (JSON); no text holds NUL.
    """
    if connection.get_execution_options().get(scope.OPTION):
        _insert(connection, table, columns)
        return
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


def _insert(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Any]) -> None:
    """The same by INSERT: each column is one text that PostgreSQL reads as a list of texts."""
    taken, lists, values = [], [], []
    for name, value in columns.items():
        kind = table.c[name].type.compile(connection.dialect)
        if isinstance(value, Each):
            taken.append(f'given."{name}"::{kind}')
            lists.append(name)
        else:
            taken.append(f"%s::{kind}")
            values.append(None if value is None else _text(value))
    names, given = (", ".join(f'"{one}"' for one in some) for some in (columns, lists))
    statement = (
        f'INSERT INTO "{table.name}" ({names}) SELECT {", ".join(taken)} '
        f"FROM unnest({', '.join(['%s::text[]'] * len(lists))}) AS given ({given})"
    )
    values += [_list(columns[name].values) for name in lists]
    cursor = connection.connection.cursor()
    cursor.execute(scope.with_team(connection, cursor, statement), values)


def _list(values: Sequence[Any]) -> str:
    """A list of texts as PostgreSQL writes it."""
    if isinstance(values, range):
        return "{" + ",".join(map(str, values)) + "}"
    try:
        joined = "".join(values)
    except TypeError:
        return "{" + ",".join("NULL" if one is None else _quoted(_text(one)) for one in values) + "}"
    if '"' in joined or "\\" in joined:
        return "{" + ",".join(map(_quoted, values)) + "}"
    return '{"' + '","'.join(values) + '"}' if values else "{}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


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
