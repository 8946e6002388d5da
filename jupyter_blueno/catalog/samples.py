"""Samples: found by filter, by key, by ordinal; counted by facet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from jupyter_blueno.catalog import columns
from jupyter_blueno.catalog.access import seen_dataset, visible_to
from jupyter_blueno.catalog.checks import LARGEST_ID, LARGEST_ORDINAL, check_text
from jupyter_blueno.catalog.model import Facets, FacetValue, Filter, Sample, SamplePage, Selection, User
from jupyter_blueno.catalog.text import contains
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import InvalidInput, NotFound

PAGE_LIMIT = 1000
FEW = 5000  # samples: of so many, values are looked up one by one

_sample = tables.sample.c
_COLUMNS = [
    *(c for c in tables.sample.c if c.name not in {"added_in", "removed_in", "checksum"}),
    sa.func.encode(_sample.checksum, "hex").label("checksum"),
]


class Cell(NamedTuple):
    """How many samples of a version share split, label and kind."""

    split: str | None
    label: str | None
    kind: str | None
    total: int


def facets(database: Database, user: User, ask: Selection) -> Facets:
    """Count by split and label, each under the filter of the other.

    Without a text the counts that were kept with the version answer; a text is
    looked for in all names.
    """
    with database.begin() as connection:
        version = _read_version(connection, user, ask.dataset_id, ask.version)
        kept = version.summary.get("cells")
        if kept is not None and not ask.text and not ask.having:
            cells = [Cell(*cell) for cell in kept]
        else:
            others = Filter(text=ask.text, having=ask.having)
            within = _in_version(ask.dataset_id, ask.version)
            within += _having(connection, ask.dataset_id, others, version)
            cells = count_cells(connection, within)
    splits: Counter[str | None] = Counter()
    labels: Counter[str | None] = Counter()
    total = 0
    for cell in cells:
        of_split = not ask.split or (cell.split or "") in ask.split
        of_label = not ask.label or (cell.label or "") in ask.label
        if of_label:
            splits[cell.split] += cell.total
        if of_split:
            labels[cell.label] += cell.total
        if of_split and of_label:
            total += cell.total
    by_count = sorted(splits.items(), key=lambda one: (one[0] is None, -one[1], one[0] or ""))
    by_value = sorted(labels.items(), key=lambda one: (one[0] is None, _natural(one[0] or "")))
    return Facets(
        total,
        [FacetValue(value, count) for value, count in by_count],
        [FacetValue(value, count) for value, count in by_value],
    )


def ordinals(database: Database, user: User, ask: Selection) -> tuple[int, list[int] | None]:
    """How many samples are selected and which, in order; None when they are 0, 1 … total-1."""
    with database.begin() as connection:
        version = _read_version(connection, user, ask.dataset_id, ask.version)
        total, numbers = _selected(connection, ask, version)
        if not ask.having and not ask.sort:
            return total, numbers
        # Columns are read from their indexes alone, as lists: to join them with a million samples is slow.
        conditions = [columns.meeting(connection, ask.dataset_id, text) for text in ask.having]
        found = combined(total, numbers, conditions, None)
        if ask.sort:
            among = found if len(found) <= FEW else None
            order = columns.in_order(connection, ask.dataset_id, ask.sort, among)
            return len(found), combined(len(found), found, [], order)
    dense = not found or found[-1] == len(found) - 1
    return len(found), None if dense else found


def _selected(connection: sa.Connection, ask: Selection, version: Any) -> tuple[int, list[int] | None]:
    """What split, label and text select, ascending; None as in `ordinals`."""
    within = _in_version(ask.dataset_id, ask.version)
    having = _having(connection, ask.dataset_id, Filter(ask.split, ask.label, ask.text), version)
    if not having:
        # Ordinals differ: as many as the largest one says means all of them.
        largest = connection.scalar(
            sa.select(_sample.ordinal).where(*within).order_by(_sample.ordinal.desc()).limit(1)
        )
        if version.sample_count == (-1 if largest is None else largest) + 1:
            return int(version.sample_count), None
    # One text is much faster to carry over than a million rows.
    found = connection.scalar(
        sa.select(sa.func.string_agg(sa.cast(_sample.ordinal, sa.Text), ",")).where(*within, *having)
    )
    numbers = msgspec.json.decode(f"[{found or ''}]", type=list[int])
    numbers.sort()
    dense = not numbers or numbers[-1] == len(numbers) - 1
    return len(numbers), None if dense else numbers


def combined(
    total: int, numbers: list[int] | None, conditions: list[tuple[list[int], bool]], order: list[int] | None
) -> list[int]:
    """Those of `numbers` (None: 0, 1 … total-1) that meet all conditions, by `order`.

    Those that it does not have come last. A condition is a list of ordinals, and
    whether those or all others are meant.
    """
    import numpy as np

    chosen = np.arange(total) if numbers is None else np.asarray(numbers, int)
    lists = [np.asarray(one, int) for one, _ in conditions] + [np.asarray(order or (), int)]
    size = 1 + max((int(one.max()) for one in (chosen, *lists) if one.size), default=-1)
    there = np.zeros(size, bool)
    there[chosen] = True
    for one, (_, wanted) in zip(lists[:-1], conditions, strict=True):
        met = np.zeros(size, bool)
        met[one] = True
        there &= met if wanted else ~met
    if order is None:
        return np.flatnonzero(there).tolist()
    first = lists[-1][there[lists[-1]]]
    there[first] = False
    return [*first.tolist(), *np.flatnonzero(there).tolist()]


def list_samples(database: Database, user: User, ask: SamplePage) -> tuple[list[Sample], int | None]:
    """A page of samples, and `after` of the next one (None at the end)."""
    if not 1 <= ask.limit <= PAGE_LIMIT:
        raise InvalidInput(f"A page has 1 to {PAGE_LIMIT:,} samples, not {ask.limit}.", code="invalid_limit")
    with database.begin() as connection:
        version = _read_version(connection, user, ask.dataset_id, ask.version)
        after = min(max(ask.after, -1), LARGEST_ORDINAL)
        clauses = [
            *_in_version(ask.dataset_id, ask.version),
            *_having(connection, ask.dataset_id, _filter(ask), version),
            _sample.ordinal > after,
        ]
        if ask.name is not None:
            clauses.append(_sample.name == check_text(ask.name, "The sample's name"))
        query = sa.select(*_COLUMNS).where(*clauses).order_by(_sample.ordinal).limit(ask.limit + 1)
        rows = connection.execute(query).all()
        samples = _as_samples(connection, ask.dataset_id, rows[: ask.limit])
    return samples, samples[-1].ordinal if len(rows) > ask.limit else None


def samples_at(database: Database, user: User, dataset_id: int, wanted: str) -> list[Sample]:
    """The samples of some ordinals (``0-99,120``), also those that later versions removed."""
    numbers = parse_ordinals(wanted)
    with database.begin() as connection:
        _read_version(connection, user, dataset_id, None)
        query = (
            sa.select(*_COLUMNS)
            .where(
                _sample.dataset_id == dataset_id, _sample.ordinal == sa.any_(sa.literal(numbers, _INTEGERS))
            )
            .order_by(_sample.ordinal)
        )
        return _as_samples(connection, dataset_id, connection.execute(query).all())


def get_sample(database: Database, user: User, dataset_id: int, ordinal: int) -> Sample:
    """One sample, also one that a later version removed.

    Raises
    ------
    NotFound
        ``dataset_not_found`` or ``sample_not_found``.
    """
    found = samples_at(database, user, dataset_id, str(ordinal)) if ordinal >= 0 else []
    return found_one(found, dataset_id, ordinal)


def found_one(found: Sequence[Sample], dataset_id: int, ordinal: int) -> Sample:
    """The sample that was found.

    Raises
    ------
    NotFound
        ``sample_not_found``: none was.
    """
    if not found:
        raise NotFound(
            f"Dataset {dataset_id} has no sample {ordinal}; it may have been deleted.",
            code="sample_not_found",
        )
    return found[0]


def parse_ordinals(text: str, limit: int = PAGE_LIMIT) -> list[int]:
    """The numbers that ``0-99,120,130-131`` means, ascending, each once.

    Raises
    ------
    InvalidInput
        ``invalid_ordinals``: it is not of this form, or means more than `limit`.
    """
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", part.strip())
        if match is None:
            raise InvalidInput("Ordinals are written like '0-99,120,130-131'.", code="invalid_ordinals")
        first = int(match[1])
        last = int(match[2] or first)
        if last < first:
            raise InvalidInput(f"{first}-{last} ends before it begins.", code="invalid_ordinals")
        if last - first >= limit or len(numbers) > limit:
            break
        numbers.update(range(first, min(last, LARGEST_ORDINAL) + 1))
    else:
        if len(numbers) <= limit:
            return sorted(numbers)
    raise InvalidInput(f"Ask for at most {limit:,} samples at once.", code="invalid_ordinals")


def count_cells(connection: sa.Connection, clauses: Iterable[sa.ColumnElement[bool]]) -> list[Cell]:
    """Count the samples that meet `clauses` by split, label and kind."""
    by = (_sample.split, _sample.label, _sample.kind)
    rows = connection.execute(sa.select(*by, sa.func.count()).where(*clauses).group_by(*by)).all()
    return [Cell(*row) for row in rows]


def in_newest(dataset_id: int) -> list[sa.ColumnElement[bool]]:
    """What the samples of the newest version have in common."""
    return [_sample.dataset_id == dataset_id, _sample.removed_in.is_(None)]


# -- selections --------------------------------------------------------------

_INTEGERS = ARRAY(sa.Integer)


def _in_version(dataset_id: int, number: int | None) -> list[sa.ColumnElement[bool]]:
    if number is None:
        return in_newest(dataset_id)
    return [
        _sample.dataset_id == dataset_id,
        _sample.added_in <= number,
        sa.or_(_sample.removed_in.is_(None), _sample.removed_in > number),
    ]


def _filter(ask: Selection | SamplePage) -> Filter:
    return Filter(ask.split, ask.label, ask.text, ask.having)


def _having(
    connection: sa.Connection, dataset_id: int, chosen: Filter, version: Any
) -> list[sa.ColumnElement[bool]]:
    clauses = columns.conditions(connection, dataset_id, chosen.having)
    for column, values, what in (
        (_sample.split, chosen.split, "A split"),
        (_sample.label, chosen.label, "A label"),
    ):
        if values:
            named = [check_text(value, what) for value in values if value]
            either = [column.in_(named)] if named else []
            if len(named) < len(values):
                either.append(column.is_(None))
            clauses.append(sa.or_(*either))
    if chosen.text:
        check_text(chosen.text, "The search text", 1000)
        clauses.append(sa.or_(contains(_sample.name, chosen.text), _label_contains(chosen.text, version)))
    return clauses


def _label_contains(text: str, version: Any) -> sa.ColumnElement[bool]:
    kept = version.summary.get("cells")
    if kept is None:
        return contains(_sample.label, text)
    # Few labels, many samples: look into each label once.
    folded = text.lower()
    labels = {label for _, label, _, _ in kept if label is not None and folded in label.lower()}
    return _sample.label.in_(labels) if labels else sa.false()


def _read_version(connection: sa.Connection, user: User, dataset_id: int, number: int | None) -> Any:
    """Count and summary of a version (None: the newest) that the user may see."""
    row: Any = None
    if 0 < dataset_id <= LARGEST_ID and (number is None or 0 < number <= LARGEST_ORDINAL):
        query = (
            sa.select(tables.version.c.number, tables.version.c.sample_count, tables.version.c.summary)
            .join(tables.dataset)
            .where(
                tables.dataset.c.id == dataset_id,
                visible_to(user),
                tables.dataset.c.deleted_at.is_(None),
            )
            .order_by(tables.version.c.number.desc())
            .limit(1)
        )
        if number is not None:
            query = query.where(tables.version.c.number == number)
        row = connection.execute(query).first()
    if row is None:
        seen_dataset(connection, user, dataset_id)
        raise NotFound(
            f"There is no version {number} of dataset {dataset_id}; it may have been deleted.",
            code="dataset_not_found",
        )
    return row


def _as_samples(connection: sa.Connection, dataset_id: int, rows: Sequence[sa.Row[Any]]) -> list[Sample]:
    results = columns.of_samples(connection, dataset_id, [row.ordinal for row in rows])
    none: dict[str, float | str] = {}
    # Keywords rather than msgspec.convert: the rows are right by the table's types.
    return [Sample(**row._mapping, results=results.get(row.ordinal, none)) for row in rows]


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which ``9`` comes before ``10``."""
    parts = re.split(r"([0-9]{1,18})", text)
    return [(0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p.casefold()) for p in parts if p]
