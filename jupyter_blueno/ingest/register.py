"""Single samples: registered where their data lies, stored, loaded, deleted."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.catalog import location, samples, store, versions
from jupyter_blueno.catalog.checks import (
    LARGEST_ORDINAL,
    check_json,
    check_sample_name,
    check_text,
    check_value,
)
from jupyter_blueno.catalog.model import Sample, User
from jupyter_blueno.config import Config
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import AlreadyExists, BluenoError, Conflict, InvalidInput
from jupyter_blueno.imaging.formats.base import Header
from jupyter_blueno.imaging.pack import ThumbnailPack, Tile
from jupyter_blueno.ingest.model import Described, RegisterSample, Removed

Inspect = Callable[[Path], tuple[Header, Tile] | None]

_sample = tables.sample.c


def register(
    config: Config,
    ask: RegisterSample,
    root: str | None,
    inspect: Inspect,
    reserve: Callable[[], int],
    insert: Callable[[int, Described], Sample],
) -> Sample:
    """Register data as a sample of the open version; nothing is changed if it fails.

    `root` is the folder of the dataset. `inspect` says what a file is and makes
    its thumbnail, or answers None. `reserve` and `insert` are those below,
    wherever the rows are.

    Raises
    ------
    NotFound
        ``data_not_found``
    """
    try:
        if ask.staged_url is None and ask.validate:
            location.must_exist(config, ask.data_url, root)
        found, tile = _looked_at(config, ask, root, inspect)
        ordinal = reserve()
        with contextlib.ExitStack() as undone:
            if ask.staged_url is not None:
                undone.enter_context(_moved(config, ask.staged_url, ask.data_url))
            if tile is not None:  # before the row: what can be seen has its picture
                ThumbnailPack(config.folder("thumbnails", ask.dataset_id)).put(ordinal, tile)
            return insert(ordinal, found)
    finally:
        if ask.staged_url is not None:
            with contextlib.suppress(BluenoError, OSError):
                location.writable_path(config, ask.staged_url).unlink(missing_ok=True)


def reserve(database: Database, config: Config, user: User, ask: RegisterSample) -> int:
    """Reserve an ordinal for a sample that could be registered now.

    Raises
    ------
    AlreadyExists
        ``sample_exists``: the newest version has one of this name.
    NotFound
        ``dataset_not_found``
    Conflict
        ``version_preparing``, ``version_failed``; ``data_in_use``: `staged_url`
        is given, but another sample's data lies at `data_url`.
    """
    _values(ask)
    with database.begin() as connection:
        dataset = store.locked_dataset(connection, user, ask.dataset_id)
        with connection.begin_nested() as tried:
            _check(connection, config, ask)
            versions.open_version(connection, dataset.id, user.name)
            tried.rollback()
        return versions.reserve(connection, dataset, 1)


def insert(
    database: Database, config: Config, user: User, ask: RegisterSample, ordinal: int, found: Described
) -> Sample:
    """Add the row of a sample, at an ordinal that was reserved.

    Raises
    ------
    InvalidInput
        ``ordinals_not_reserved``
    AlreadyExists, NotFound, Conflict
        As `reserve`; ``ordinal_taken``.
    """
    values = {**_values(ask), **msgspec.structs.asdict(found), "ordinal": ordinal}
    with database.begin() as connection:
        dataset = store.locked_dataset(connection, user, ask.dataset_id)
        if not 0 <= ordinal < dataset.next_ordinal:
            raise InvalidInput(
                f"Ordinal {ordinal} was not reserved; reserve it first.", code="ordinals_not_reserved"
            )
        _check(connection, config, ask)
        version = versions.open_version(connection, dataset.id, user.name)
        values["added_in"] = version.number
        try:
            row = connection.execute(sa.insert(tables.sample).values(values).returning(tables.sample)).one()
        except sa.exc.IntegrityError:
            raise Conflict(
                f"Ordinal {ordinal} is taken; reserve another one.", code="ordinal_taken"
            ) from None
        versions.adjust(connection, version, row, 1)
        store.touch(connection, dataset.id)
    return samples.get_sample(database, user, ask.dataset_id, row.ordinal)


def delete_sample(
    database: Database,
    config: Config,
    user: User,
    dataset_id: int,
    ordinal: int,
    purge: bool = False,
) -> Removed:
    """Remove a sample from the open version; not done if it is not in the newest one.

    With `purge` it says where its data lies, if no other sample uses it.
    """
    with database.begin() as connection:
        dataset = store.locked_dataset(connection, user, dataset_id)
        if not 0 <= ordinal <= LARGEST_ORDINAL:
            return Removed(False)
        this = [*samples.in_newest(dataset.id), _sample.ordinal == ordinal]
        row = connection.execute(sa.select(tables.sample).where(*this)).first()
        if row is None:
            return Removed(False)
        version = versions.open_version(connection, dataset.id, user.name)
        if row.added_in == version.number:  # no finished version knows it
            connection.execute(sa.delete(tables.sample).where(*this))
        else:
            connection.execute(sa.update(tables.sample).where(*this).values(removed_in=version.number))
        versions.adjust(connection, version, row, -1)
        unused = purge and row.data_key is None and not _is_used(connection, config, row.data_url)
        store.touch(connection, dataset.id)
    return Removed(True, row.data_url if unused else None)


def purge(config: Config, data_url: str) -> None:
    """Delete data that no sample uses, if it is a file in the data folder."""
    if location.scheme_of(data_url) == "file":
        with contextlib.suppress(BluenoError, OSError):  # it is outside, or gone already
            location.writable_path(config, data_url).unlink()


def store_data(config: Config, data_url: str, content: bytes) -> bool:
    """Write bytes to a data URL; see `location.store`."""
    location.store(config, data_url, content)
    return True


def load_data(config: Config, data_url: str) -> bytes:
    """The bytes at a data URL; see `location.load`."""
    return location.load(config, data_url)


def _values(ask: RegisterSample) -> dict[str, Any]:
    return {
        "dataset_id": ask.dataset_id,
        "name": check_sample_name(ask.name),
        "split": check_value(ask.split, "The split"),
        "label": check_value(ask.label, "The label"),
        "attributes": check_json(ask.info, "The sample's info"),
        "data_url": check_text(ask.data_url, "The data URL", location.URL_LIMIT),
    }


def _check(connection: sa.Connection, config: Config, ask: RegisterSample) -> None:
    _must_be_free(connection, ask.dataset_id, ask.name)
    if ask.staged_url is not None and _is_used(connection, config, ask.data_url):
        raise Conflict(
            "Another sample's data lies at this data_url; choose another one, or register it as it is.",
            code="data_in_use",
        )


def _must_be_free(connection: sa.Connection, dataset_id: int, name: str) -> None:
    query = sa.select(_sample.ordinal).where(*samples.in_newest(dataset_id), _sample.name == name)
    if connection.execute(query).first() is not None:
        raise AlreadyExists(
            f"The dataset has a sample called '{store.shorten(name)}' already; nothing was changed.",
            code="sample_exists",
        )


def _is_used(connection: sa.Connection, config: Config, data_url: str) -> bool:
    """Whether a sample of any dataset, also one in the trash, has its data there."""
    query = sa.select(_sample.ordinal).where(
        _sample.data_url.in_(location.spellings(config, data_url)), _sample.removed_in.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None


def _looked_at(
    config: Config, ask: RegisterSample, root: str | None, inspect: Inspect
) -> tuple[Described, Tile | None]:
    """What the data says of itself, as columns, and its thumbnail."""
    found = Described(ask.kind)
    if location.scheme_of(ask.data_url) != "file":
        return found, None
    path = location.local_path(config, ask.data_url, root)  # it may be missing, but not just anywhere
    if ask.staged_url is not None:
        path = location.writable_path(config, ask.staged_url)
    with location.explained(ask.data_url):
        if not path.exists():
            return found, None
        location.must_be_regular(path, ask.data_url)
        found = Described(ask.kind, bytes=path.stat().st_size if path.is_file() else None)
    known = inspect(path)
    if known is None:
        return found, None
    header, tile = known
    spacing = list(header.spacing) if header.spacing else None
    shape = list(header.array_shape)
    return Described(ask.kind or header.kind, shape, header.dtype, spacing, found.bytes), tile


@contextlib.contextmanager
def _moved(config: Config, staged_url: str, data_url: str) -> Iterator[None]:
    """Move staged data to its place; an exception in the block puts everything back."""
    staged = location.writable_path(config, staged_url)
    location.must_exist(config, staged_url)
    if location.scheme_of(data_url) != "file":
        location.store(config, data_url, staged.read_bytes())
        try:
            yield
        except BaseException:
            location.remove_remote(data_url)
            raise
        return
    target = location.writable_path(config, data_url)
    before = target.with_name(f".{uuid.uuid4().hex}.part")
    with location.explained(data_url):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.replace(before)
        staged.replace(target)
    try:
        yield
    except BaseException:
        if before.exists():
            before.replace(target)
        else:
            target.unlink(missing_ok=True)
        raise
    finally:
        before.unlink(missing_ok=True)
