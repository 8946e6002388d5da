"""Versions: begun, filled, finished; a finished one is continued by the next.

A version's row also keeps what a list or a facet wants to know of its samples,
so that nothing is counted when it is read: `summary` holds

- ``cells``: ``[split, label, kind, count]`` for each combination that occurs,
  missing when there are more than `CELL_LIMIT` of them;
- ``kinds``, ``label_count``, ``preview``: as in `Dataset`;
- ``shape``, ``dtype``, ``spacing``: those that all samples share, of a finished version;
- ``problem_count``: how many samples could not be read.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.catalog.checks import LARGEST_ID, LARGEST_ORDINAL, check_text
from jupyter_blueno.catalog.model import Problem, Progress, User
from jupyter_blueno.catalog.samples import Cell, count_cells, in_newest
from jupyter_blueno.catalog.store import locked_dataset
from jupyter_blueno.database import tables
from jupyter_blueno.errors import Conflict, InvalidInput, NotFound, TooLarge

CELL_LIMIT = 2000
KEPT_PROBLEMS = 1000
PREVIEW = 4

_sample = tables.sample.c
_version = tables.version.c


def newest_version(connection: sa.Connection, dataset_id: int) -> sa.Row[Any]:
    """The row of a dataset's newest version; lock the dataset first."""
    query = sa.select(tables.version).where(_version.dataset_id == dataset_id)
    return connection.execute(query.order_by(_version.number.desc()).limit(1)).one()


def open_version(connection: sa.Connection, dataset_id: int, owner: str) -> sa.Row[Any]:
    """The version that takes single changes: the open one, or a new one after a ready one.

    The dataset's row must be locked.

    Raises
    ------
    Conflict
        ``version_preparing`` or ``version_failed``.
    """
    newest = newest_version(connection, dataset_id)
    if newest.state == "open":
        return newest
    if newest.state == "preparing":
        raise Conflict("The dataset is being prepared; wait until it is ready.", code="version_preparing")
    if newest.state == "failed":
        raise Conflict(
            f"The dataset could not be prepared ({newest.reason}); make it again or delete it.",
            code="version_failed",
        )
    following = {
        "dataset_id": dataset_id,
        "number": newest.number + 1,
        "state": "open",
        "owner": owner,
        "sample_count": newest.sample_count,
        "bytes": newest.bytes,
        "parents": [newest.id],
        "summary": newest.summary,
    }
    inserted = sa.insert(tables.version).values(following).returning(tables.version)
    return connection.execute(inserted).one()


def insert_preparing(
    connection: sa.Connection, dataset_id: int, number: int, owner: str, count: int | None, job_id: str | None
) -> int:
    """Insert a version that an ingest fills; returns its id."""
    values = {
        "dataset_id": dataset_id,
        "number": number,
        "state": "preparing",
        "owner": owner,
        "progress": msgspec.to_builtins(Progress(0, count)),
        "job_id": None if job_id is None else check_text(job_id, "The job's id", 255),
    }
    return int(connection.scalar(sa.insert(tables.version).values(values).returning(_version.id)) or 0)


def locked_version(connection: sa.Connection, user: User, version_id: int) -> sa.Row[Any]:
    """The row of a version, with its dataset's row locked.

    Raises
    ------
    NotFound
        ``version_not_found``; also when its dataset was deleted.
    """
    row = None
    if 0 < version_id <= LARGEST_ID:
        query = sa.select(tables.version).where(_version.id == version_id)
        row = connection.execute(query).first()
        if row is not None:
            try:
                locked_dataset(connection, user, row.dataset_id)
            except NotFound:
                row = None
            else:  # it may have changed until the lock was ours
                row = connection.execute(query).first()
    if row is None:
        raise NotFound(
            f"There is no version {version_id}; its dataset may have been deleted.", code="version_not_found"
        )
    return row


def reserve(connection: sa.Connection, dataset: sa.Row[Any], count: int) -> int:
    """Take the next `count` ordinals of a locked dataset; returns the first.

    Raises
    ------
    InvalidInput
        ``invalid_count``.
    TooLarge
        A dataset cannot number more than 2,147,483,647 samples.
    """
    if count < 1:
        raise InvalidInput(f"At least one ordinal can be reserved, not {count}.", code="invalid_count")
    first = int(dataset.next_ordinal)
    if first + count > LARGEST_ORDINAL:
        raise TooLarge(f"A dataset holds at most {LARGEST_ORDINAL:,} samples; make a second one.")
    connection.execute(
        sa.update(tables.dataset).where(tables.dataset.c.id == dataset.id).values(next_ordinal=first + count)
    )
    return first


def grow(
    connection: sa.Connection,
    version: sa.Row[Any],
    count: int,
    size: int,
    first_ordinals: list[int],
    kinds: set[str],
    progress: Progress | None,
) -> None:
    """Count a batch that was added to a version being prepared."""
    summary = version.summary
    summary["kinds"] = sorted({*summary.get("kinds", []), *kinds})
    summary["preview"] = [*summary.get("preview", []), *first_ordinals][:PREVIEW]
    done = version.sample_count + count
    now = progress or Progress(done, (version.progress or {}).get("total"))
    connection.execute(
        sa.update(tables.version)
        .where(_version.id == version.id)
        .values(
            sample_count=done,
            bytes=version.bytes + size,
            summary=summary,
            progress=msgspec.to_builtins(now),
        )
    )


def finish(
    connection: sa.Connection, version: sa.Row[Any], reason: str | None, problems: list[Problem]
) -> None:
    """Make a version ready, or failed when there is a reason; count its samples."""
    totals = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_sample.bytes), 0)).where(
            *in_newest(version.dataset_id)
        )
    ).one()
    if reason is None and totals[0] == 0:
        reason = "There was nothing to add."
        if problems:
            reason = f"None of the {len(problems):,} samples could be read; the first: {problems[0].message}"
    summary = summarize(connection, version.dataset_id)
    if problems:
        summary["problem_count"] = len(problems)
    connection.execute(
        sa.update(tables.version)
        .where(_version.id == version.id)
        .values(
            state="ready" if reason is None else "failed",
            reason=reason,
            sample_count=totals[0],
            bytes=totals[1],
            summary=summary,
            problems=msgspec.to_builtins(problems[:KEPT_PROBLEMS]),
            progress=None,
            finished_at=sa.func.clock_timestamp(),
        )
    )


def summarize(connection: sa.Connection, dataset_id: int) -> dict[str, Any]:
    """Count the samples of the newest version anew."""
    within = in_newest(dataset_id)
    cells = count_cells(connection, within)
    figures = (sa.func.min, sa.func.max, sa.func.count)
    shared = connection.execute(
        sa.select(*(figure(_sample[name]) for name in _SHARED for figure in figures)).where(*within)
    ).one()
    summary = _of_cells(cells)
    total = sum(cell.total for cell in cells)
    for position, name in enumerate(_SHARED):
        least, most, having = shared[3 * position : 3 * position + 3]
        if having == total and least is not None and least == most:
            summary[name] = least
    summary["preview"] = _preview(connection, dataset_id, [cell.label for cell in cells])
    return summary


_SHARED = ("shape", "dtype", "spacing")


def adjust(connection: sa.Connection, version: sa.Row[Any], sample: sa.Row[Any], by: int) -> None:
    """Count one sample that was added to (`by` = 1) or removed from (-1) an open version."""
    summary = dict(version.summary)
    for name in _SHARED:
        summary.pop(name, None)
    kept = summary.get("cells", [] if version.sample_count == 0 else None)
    if kept is not None:
        totals = {(split, label, kind): total for split, label, kind, total in kept}
        key = (sample.split, sample.label, sample.kind)
        totals[key] = totals.get(key, 0) + by
        summary.pop("cells", None)
        summary |= _of_cells([Cell(*key, total) for key, total in totals.items() if total > 0])
    if "cells" not in summary:
        summary |= _of_distinct(connection, version.dataset_id)
    preview = summary.get("preview", [])
    if by > 0 and len(preview) < PREVIEW:
        summary["preview"] = [*preview, sample.ordinal]
    elif by < 0 and sample.ordinal in preview:
        summary["preview"] = _preview(connection, version.dataset_id, [])
    connection.execute(
        sa.update(tables.version)
        .where(_version.id == version.id)
        .values(
            sample_count=_version.sample_count + by,
            bytes=_version.bytes + by * (sample.bytes or 0),
            summary=summary,
        )
    )


def _of_cells(cells: list[Cell]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "kinds": sorted({cell.kind for cell in cells if cell.kind is not None}),
        "label_count": len({cell.label for cell in cells if cell.label is not None}),
    }
    if len(cells) <= CELL_LIMIT:
        summary["cells"] = [list(cell) for cell in cells]
    return summary


def _of_distinct(connection: sa.Connection, dataset_id: int) -> dict[str, Any]:
    row = connection.execute(
        sa.select(
            sa.func.count(sa.distinct(_sample.label)), sa.func.array_agg(sa.distinct(_sample.kind))
        ).where(*in_newest(dataset_id))
    ).one()
    return {"label_count": row[0], "kinds": sorted(kind for kind in row[1] or () if kind)}


def _preview(connection: sa.Connection, dataset_id: int, labels: list[str | None]) -> list[int]:
    """Up to four ordinals: of different labels as far as there are, then the first ones."""
    within = in_newest(dataset_id)
    chosen: list[int] = []
    for label in sorted({label for label in labels if label is not None})[:PREVIEW]:
        first = sa.select(_sample.ordinal).where(*within, _sample.label == label)
        ordinal = connection.scalar(first.order_by(_sample.ordinal).limit(1))
        if ordinal is not None:
            chosen.append(ordinal)
    leading = sa.select(_sample.ordinal).where(*within).order_by(_sample.ordinal).limit(2 * PREVIEW)
    for ordinal in connection.scalars(leading):
        if len(chosen) < PREVIEW and ordinal not in chosen:
            chosen.append(ordinal)
    return sorted(chosen)
