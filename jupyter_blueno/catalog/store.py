"""Datasets: made, listed, deleted; and what changed since a revision.

Every write ends with `touch`, which the long poll sees.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from jupyter_blueno.catalog.access import VISIBLE, locked_dataset, missing, seen_by
from jupyter_blueno.catalog.changes import touch
from jupyter_blueno.catalog.checks import LARGEST_ID, check_json, check_name, check_text
from jupyter_blueno.catalog.model import Dataset, Problem, Progress, User, Version, Visibility
from jupyter_blueno.catalog.samples import facets, list_samples, ordinals, samples_at
from jupyter_blueno.catalog.text import contains
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import AlreadyExists, NotFound

__all__ = [
    "changed",
    "create_dataset",
    "delete_dataset",
    "facets",
    "find_dataset",
    "get_dataset",
    "list_datasets",
    "list_samples",
    "locked_dataset",
    "ordinals",
    "restore_dataset",
    "samples_at",
    "touch",
]

LISTED_PROBLEMS = 20  # of each dataset in a list; `get_dataset` gives all that are kept

_dataset = tables.dataset.c
_version = tables.version.c


def list_datasets(database: Database, user: User, search: str = "", name: str | None = None) -> list[Dataset]:
    """The datasets that the user may see, by name: those whose name or description contains `search`."""
    query = _listed()
    if name is not None:
        query = query.where(_dataset.name == check_text(name, "The dataset's name"))
    if search:
        check_text(search, "The search text")
        query = query.where(sa.or_(contains(_dataset.name, search), contains(_dataset.description, search)))
    with database.begin() as connection:
        rows = connection.execute(query, seen_by(user)).all()
    return [_as_dataset(row) for row in rows]


def get_dataset(database: Database, user: User, dataset_id: int) -> Dataset:
    """One dataset.

    Raises
    ------
    NotFound
        ``dataset_not_found``: the user may see none of this id, or it is in the trash.
    """
    with database.begin() as connection:
        return read_dataset(connection, user, dataset_id)


def find_dataset(database: Database, user: User, name: str) -> Dataset:
    """The dataset of exactly this name; raises `NotFound`."""
    found = list_datasets(database, user, name=name)
    if not found:
        raise NotFound(f"There is no dataset called '{shorten(name)}'.", code="dataset_not_found")
    return found[0]


def create_dataset(
    database: Database,
    user: User,
    name: str,
    description: str | None = None,
    info: dict[str, Any] | None = None,
    visibility: Visibility = "team",
) -> Dataset:
    """Make an empty dataset with an open version.

    Raises
    ------
    AlreadyExists
        ``dataset_exists``: the team has one of this name.
    """
    with database.begin() as connection:
        dataset_id = insert_dataset(connection, user, name, description, info or {}, visibility)
        connection.execute(
            sa.insert(tables.version).values(dataset_id=dataset_id, number=1, state="open", owner=user.name)
        )
        touch(connection, dataset_id)
        return read_dataset(connection, user, dataset_id)


def delete_dataset(database: Database, user: User, dataset_id: int) -> bool:
    """Move a dataset to the trash; False if it is there already."""
    with database.begin() as connection:
        row = locked_dataset(connection, user, dataset_id, deleted=True)
        if row.deleted_at is not None:
            return False
        connection.execute(
            sa.update(tables.dataset)
            .where(_dataset.id == dataset_id)
            .values(deleted_at=sa.func.clock_timestamp())
        )
        touch(connection, dataset_id)
    return True


def restore_dataset(database: Database, user: User, dataset_id: int) -> Dataset:
    """Take a dataset out of the trash.

    Raises
    ------
    AlreadyExists
        ``dataset_exists``: another one has got its name meanwhile.
    """
    with database.begin() as connection:
        row = locked_dataset(connection, user, dataset_id, deleted=True)
        if row.deleted_at is not None:
            try:
                with connection.begin_nested():
                    connection.execute(
                        sa.update(tables.dataset).where(_dataset.id == dataset_id).values(deleted_at=None)
                    )
            except sa.exc.IntegrityError:
                raise _taken(row.name) from None
            touch(connection, dataset_id)
        return read_dataset(connection, user, dataset_id)


def changed(database: Database, user: User, since: int) -> tuple[list[Dataset], list[int]]:
    """Datasets written after revision `since`, and the ids of those deleted after it."""
    listed, deleted = _changed()
    newer = {"since": min(max(since, -1), LARGEST_ID), **seen_by(user)}
    with database.autocommit() as connection:
        rows = connection.execute(listed, newer).all()
        gone = connection.scalars(deleted, newer).all()
    return [_as_dataset(row) for row in rows], list(gone)


@functools.cache
def _changed() -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Statements of `changed`: each Lab asks all the time, and building them takes longer than asking."""
    newer = _dataset.revision > sa.bindparam("since", type_=sa.BigInteger)
    listed = _query(LISTED_PROBLEMS).where(newer, _dataset.deleted_at.is_(None))
    deleted = sa.select(_dataset.id).where(newer, VISIBLE, _dataset.deleted_at.is_not(None))
    return listed.order_by(_dataset.revision), deleted


# -- for the other modules that write -------------------------------------


def insert_dataset(
    connection: sa.Connection,
    user: User,
    name: str,
    description: str | None,
    info: dict[str, Any],
    visibility: Visibility = "team",
    root: str | None = None,
) -> int:
    """Insert the row of a dataset and return its id; it has no version yet."""
    values = {
        "team": user.team,
        "owner": user.name,
        "name": check_name(name),
        "description": check_text(description, "The description") if description else None,
        "info": check_json(info, "The dataset's info"),
        "visibility": visibility,
        "root": root,
    }
    try:
        with connection.begin_nested():
            inserted = sa.insert(tables.dataset).values(values).returning(_dataset.id)
            return int(connection.scalar(inserted) or 0)
    except sa.exc.IntegrityError:
        raise _taken(name) from None


def read_dataset(connection: sa.Connection, user: User, dataset_id: int) -> Dataset:
    """One dataset, as this transaction sees it."""
    row = None
    if 0 < dataset_id <= LARGEST_ID:
        row = connection.execute(_one(), {"id": dataset_id, **seen_by(user)}).first()
    if row is None:
        raise missing(dataset_id)
    return _as_dataset(row)


def shorten(name: str, limit: int = 60) -> str:
    """A name for a message."""
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


# -- rows -------------------------------------------------------------------

_VERSION_FIELDS = [name for name in Version.__struct_fields__ if name not in {"problems", "summary"}]


@functools.cache
def _listed() -> sa.Select[Any]:
    by_name = (sa.func.lower(_dataset.name), _dataset.name)
    return _query(LISTED_PROBLEMS).where(_dataset.deleted_at.is_(None)).order_by(*by_name)


@functools.cache
def _one() -> sa.Select[Any]:
    wanted = _dataset.id == sa.bindparam("id", type_=sa.BigInteger)
    return _query().where(wanted, _dataset.deleted_at.is_(None))


@functools.cache
def _query(problems: int | None = None) -> sa.Select[Any]:
    """Datasets joined with their newest versions; at most so many `problems` of each."""
    kept: sa.ColumnElement[Any] = _version.problems
    if problems is not None:
        kept = sa.func.jsonb_path_query_array(kept, sa.cast(f"$[0 to {problems - 1}]", JSONPATH))
    newest = (
        sa.select(
            *(_version[name].label(f"v_{name}") for name in _VERSION_FIELDS),
            sa.type_coerce(kept, JSONB).label("v_problems"),
            # Counts by cell are for facets; nobody needs them in a list.
            sa.type_coerce(_version.summary.op("-")("cells"), JSONB).label("v_summary"),
        )
        .where(_version.dataset_id == _dataset.id)
        .order_by(_version.number.desc())
        .limit(1)
        .lateral("newest")
    )
    columns = [c for c in tables.dataset.c if c.name not in {"next_ordinal", "deleted_at"}]
    return sa.select(*columns, *newest.c).join(newest, sa.true()).where(VISIBLE)


def _as_dataset(row: sa.Row[Any]) -> Dataset:
    values = dict(row._mapping)
    newest = {name[2:]: values.pop(name) for name in list(values) if name.startswith("v_")}
    newest["problems"] = msgspec.convert(newest["problems"], list[Problem])
    newest["progress"] = msgspec.convert(newest["progress"], Progress | None)
    summary = newest["summary"]
    return Dataset(
        **values,
        version=Version(**newest),
        kinds=summary.get("kinds", []),
        label_count=summary.get("label_count", 0),
        preview=summary.get("preview", []),
    )


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"There is a dataset called '{shorten(name)}' already; choose another name or delete that one.",
        code="dataset_exists",
    )
