"""Columns: a value of each sample that somebody computed, as a prediction or a Dice.

A column belongs to a dataset, over all its versions: a sample's ordinal is its
own for good. Values are numbers or texts; a column holds one of the two.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.catalog.access import locked_dataset, seen_dataset
from jupyter_blueno.catalog.changes import touch
from jupyter_blueno.catalog.checks import LARGEST_ORDINAL, VALUE_LIMIT, check_name, check_text
from jupyter_blueno.catalog.model import ColumnInfo, User
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import InvalidInput, TooLarge

NAME = re.compile(r"[^\W\d][\w.-]{0,62}")  # so that a condition can name it
MOST_COLUMNS = 100
MOST_VALUES = 100_000  # in one request

_column = tables.result_column.c
_value = tables.result_value.c
_CONDITION = re.compile(r"([^\W\d][\w.-]*?)\s*(<=|>=|!=|==|=|<|>)\s*(.*)", re.DOTALL)
_COMPARE = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "=": operator.eq, "==": operator.eq,
}  # fmt: skip


def list_columns(database: Database, user: User, dataset_id: int) -> list[ColumnInfo]:
    """The columns of a dataset, by name; how many values they have, and from where to where numbers go."""
    spread = (
        sa.select(sa.func.count(), sa.func.min(_value.number), sa.func.max(_value.number))
        .where(_value.column_id == _column.id)
        .lateral("spread")
    )
    with database.begin() as connection:
        seen_dataset(connection, user, dataset_id)
        found = connection.execute(
            sa.select(
                _column.name, _column.type, _column.owner, _column.job_id, _column.updated_at,
                *spread.c,
            )
            .select_from(sa.join(tables.result_column, spread, sa.true()))
            .where(_column.dataset_id == dataset_id)
            .order_by(_column.name)
        )  # fmt: skip
        return [ColumnInfo(*row) for row in found]


def write(
    database: Database,
    user: User,
    dataset_id: int,
    ordinals: Sequence[int],
    values: Mapping[str, Sequence[float | str | None]],
    job_id: str | None = None,
) -> int:
    """Write values of samples into columns, which are made where they are new; return how many were written.

    The same again changes nothing; a value that is None, or not finite, is taken away.

    Raises
    ------
    NotFound
    InvalidInput
        If a column has values of the other kind, or lists differ in length.
    TooLarge
    """
    _check(ordinals, values)
    with database.begin() as connection:
        locked_dataset(connection, user, dataset_id)
        for name, given in sorted(values.items()):
            _write_one(connection, user, dataset_id, name, ordinals, given, job_id)
        if values:
            touch(connection, dataset_id)
    return len(ordinals) * len(values)


def delete(database: Database, user: User, dataset_id: int, name: str) -> bool:
    """Remove a column; False if there is none."""
    with database.begin() as connection:
        locked_dataset(connection, user, dataset_id)
        gone = connection.execute(
            sa.delete(tables.result_column).where(_column.dataset_id == dataset_id, _column.name == name)
        ).rowcount
        if gone:
            touch(connection, dataset_id)
    return bool(gone)


# -- for queries of samples ---------------------------------------------------


def conditions(
    connection: sa.Connection, dataset_id: int, texts: Sequence[str]
) -> list[sa.ColumnElement[bool]]:
    """What ``confidence < 0.5`` means for a sample; one without a value meets no condition but ``!=``.

    Raises
    ------
    InvalidInput
        ``unknown_column`` or ``invalid_condition``.
    """
    if not texts:
        return []
    known = _known(connection, dataset_id)
    return [_condition(known, text) for text in texts]


def in_order(
    connection: sa.Connection, dataset_id: int, sort: str, among: Sequence[int] | None = None
) -> list[int]:
    """Ordinals (of those `among`) by the values of the column that ``name`` or ``-name`` (descending) means.

    Raises
    ------
    InvalidInput
        ``unknown_column``
    """
    column_id, kind = _find(_known(connection, dataset_id), sort.removeprefix("-"))
    value = _value.number if kind == "number" else _value.text
    by = value.desc() if sort.startswith("-") else value.asc()
    chosen = sa.select(_value.ordinal).where(_value.column_id == column_id, value.is_not(None))
    if among is not None:
        chosen = chosen.where(_value.ordinal == sa.any_(_integers(among)))
    return _listed(connection, chosen.order_by(by, _value.ordinal))


def meeting(connection: sa.Connection, dataset_id: int, text: str) -> tuple[list[int], bool]:
    """Ordinals of which a condition speaks, and whether it is met by these or, with ``!=``, by all others.

    Raises
    ------
    InvalidInput
        ``unknown_column`` or ``invalid_condition``.
    """
    column_id, sign, kind, operand = _read(_known(connection, dataset_id), text)
    held = _value.number if kind == "number" else _value.text
    met = _COMPARE["=" if sign == "!=" else sign](held, operand)
    return _listed(
        connection, sa.select(_value.ordinal).where(_value.column_id == column_id, met)
    ), sign != "!="


def _listed(connection: sa.Connection, chosen: sa.Select[tuple[int]]) -> list[int]:
    """Numbers as one text: much faster to carry over than rows."""
    within = chosen.subquery()
    text = connection.scalar(sa.select(sa.func.string_agg(sa.cast(within.c.ordinal, sa.Text), ",")))
    return msgspec.json.decode(f"[{text or ''}]", type=list[int])


def of_samples(
    connection: sa.Connection, dataset_id: int, ordinals: Sequence[int]
) -> dict[int, dict[str, float | str]]:
    """The values of some samples, by ordinal and name."""
    if not ordinals:
        return {}
    found = connection.execute(
        sa.select(_value.ordinal, _column.name, _value.number, _value.text)
        .join(tables.result_column, _column.id == _value.column_id)
        .where(_column.dataset_id == dataset_id, _value.ordinal == sa.any_(_integers(ordinals)))
        .order_by(_column.name)
    )
    values: dict[int, dict[str, float | str]] = {}
    for ordinal, name, number, text in found:
        values.setdefault(ordinal, {})[name] = text if number is None else number
    return values


# -- steps --------------------------------------------------------------------


def _check(ordinals: Sequence[int], values: Mapping[str, Sequence[float | str | None]]) -> None:
    if len(ordinals) > MOST_VALUES:
        raise TooLarge(f"Write the values of at most {MOST_VALUES:,} samples at once.")
    if any(not 0 <= one <= LARGEST_ORDINAL for one in ordinals) or len(set(ordinals)) < len(ordinals):
        raise InvalidInput("Each sample is named once, by its ordinal.", code="invalid_ordinals")
    for name, given in values.items():
        check_name(name, "A column's name")
        if NAME.fullmatch(name) is None:
            raise InvalidInput(
                f"A column cannot be called '{name[:80]}': it begins with a letter, then come digits, "
                "'_', '-' and '.' too; 63 in all.",
                code="invalid_column",
            )
        if len(given) != len(ordinals):
            raise InvalidInput(
                f"'{name}' has {len(given):,} values for {len(ordinals):,} samples.", code="invalid_values"
            )
        if len({isinstance(one, str) for one in given if one is not None}) > 1:
            raise InvalidInput(f"'{name}' has numbers and texts; give one of the two.", code="invalid_values")
        for one in given:
            if isinstance(one, str):
                check_text(one, f"A value of '{name}'", VALUE_LIMIT)


def _write_one(
    connection: sa.Connection,
    user: User,
    dataset_id: int,
    name: str,
    ordinals: Sequence[int],
    given: Sequence[float | str | None],
    job_id: str | None,
) -> None:
    from sqlalchemy.dialects.postgresql import insert

    there = {
        ordinal: one if isinstance(one, str) else float(one)
        for ordinal, one in zip(ordinals, given, strict=True)
        if isinstance(one, str) or (one is not None and math.isfinite(one))
    }
    texts = any(isinstance(one, str) for one in there.values())
    if not there:
        known = _known(connection, dataset_id).get(name)
        if known is None:
            return
        column_id = known[0]
    else:
        column_id = _column_for(connection, user, dataset_id, name, "text" if texts else "number", job_id)
    gone = [ordinal for ordinal in ordinals if ordinal not in there]
    if gone:
        connection.execute(
            sa.delete(tables.result_value).where(
                _value.column_id == column_id, _value.ordinal == sa.any_(_integers(gone))
            )
        )
    if not there:
        return
    kept = "text" if texts else "number"
    rows = sa.select(
        sa.literal(column_id),
        sa.func.unnest(_integers(list(there))),
        sa.func.unnest(_texts(there.values()) if texts else _array(map(repr, there.values()), sa.Double)),
    )
    statement = insert(tables.result_value).from_select(["column_id", "ordinal", kept], rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["column_id", "ordinal"], set_={kept: statement.excluded[kept]}
        )
    )


def _column_for(
    connection: sa.Connection, user: User, dataset_id: int, name: str, kind: str, job_id: str | None
) -> int:
    """The id of a column, which is made if it is new."""
    from sqlalchemy.dialects.postgresql import insert

    row = {"dataset_id": dataset_id, "name": name, "type": kind, "owner": user.name, "job_id": job_id}
    statement = insert(tables.result_column).values(row)
    found = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["dataset_id", "name"], set_={"updated_at": sa.func.now(), "job_id": job_id}
        ).returning(_column.id, _column.type)
    ).one()
    if found.type != kind:
        has, given = ("numbers", "texts") if kind == "text" else ("texts", "numbers")
        raise InvalidInput(
            f"The column '{name}' has {has}, these are {given}; use another name, or remove it first.",
            code="column_type",
        )
    count = connection.scalar(
        sa.select(sa.func.count()).select_from(tables.result_column).where(_column.dataset_id == dataset_id)
    )
    if (count or 0) > MOST_COLUMNS:
        raise TooLarge(f"A dataset has at most {MOST_COLUMNS} columns; remove one first.")
    return int(found.id)


def _known(connection: sa.Connection, dataset_id: int) -> dict[str, tuple[int, str]]:
    found = connection.execute(
        sa.select(_column.name, _column.id, _column.type).where(_column.dataset_id == dataset_id)
    )
    return {name: (column_id, kind) for name, column_id, kind in found}


def _find(known: dict[str, tuple[int, str]], name: str) -> tuple[int, str]:
    if name not in known:
        there = f"There is {', '.join(sorted(known))}." if known else "It has none yet."
        raise InvalidInput(f"The dataset has no column '{name[:80]}'. {there}", code="unknown_column")
    return known[name]


def _condition(known: dict[str, tuple[int, str]], text: str) -> sa.ColumnElement[bool]:
    column_id, sign, kind, operand = _read(known, text)
    values = sa.alias(tables.result_value)
    held = values.c.number if kind == "number" else values.c.text
    met = sa.exists().where(
        values.c.column_id == column_id,
        values.c.ordinal == tables.sample.c.ordinal,
        _COMPARE["=" if sign == "!=" else sign](held, operand),
    )
    return sa.not_(met) if sign == "!=" else met


def _read(known: dict[str, tuple[int, str]], text: str) -> tuple[int, str, str, float | str]:
    """A condition: the column's id, the sign, what the column holds, and what it is compared with."""
    check_text(text, "A condition", 1000)
    match = _CONDITION.fullmatch(text.strip())
    if match is None or not match[3]:
        raise InvalidInput(
            f"'{text[:80]}' is not a condition; write it like 'confidence<0.5'.", code="invalid_condition"
        )
    name, sign, wanted = match[1], match[2], match[3].strip().strip("\"'")
    column_id, kind = _find(known, name)
    if kind != "number":
        return column_id, sign, kind, wanted
    try:
        return column_id, sign, kind, float(wanted)
    except ValueError:
        raise InvalidInput(
            f"'{name}' has numbers; '{wanted[:40]}' is not one.", code="invalid_condition"
        ) from None


def _integers(numbers: Iterable[int]) -> Any:
    return _array(map(str, numbers), sa.Integer)


def _texts(values: Iterable[Any]) -> Any:
    quoted = (str(one).replace("\\", r"\\").replace('"', r"\"") for one in values)
    return _array((f'"{one}"' for one in quoted), sa.Text)


def _array(items: Iterable[str], kind: type[Any]) -> Any:
    """An array as one text: as an expression of its items, PostgreSQL would parse each by itself."""
    return sa.cast(sa.literal("{" + ",".join(items) + "}", sa.Text), sa.ARRAY(kind))
