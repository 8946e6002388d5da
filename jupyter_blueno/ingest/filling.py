"""A version filled from outside: begun, ordinals reserved, rows added by COPY, finished.

Whoever ingests reserves a run of ordinals, writes pixels and thumbnails under
them, and then adds the rows: a row that can be seen has its picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg2.errors
import sqlalchemy as sa

from jupyter_blueno.catalog import store, versions
from jupyter_blueno.catalog.access import visible_to
from jupyter_blueno.catalog.checks import (
    LARGEST_ORDINAL,
    VALUE_LIMIT,
    check_json,
    check_json_items,
    check_name,
    check_sample_name,
    check_text,
)
from jupyter_blueno.catalog.location import scheme_of
from jupyter_blueno.catalog.model import SAMPLE_NAME_LIMIT, Dataset, Problem, Progress, User
from jupyter_blueno.config import Config
from jupyter_blueno.database import tables
from jupyter_blueno.database.copy import Each, copy_columns
from jupyter_blueno.database.engine import Database, vacuum
from jupyter_blueno.errors import AlreadyExists, Conflict, InvalidInput
from jupyter_blueno.ingest.model import (
    AddBatch,
    Batch,
    BeginVersion,
    BegunVersion,
    FinishVersion,
    OpenVersion,
)

URL_LIMIT = 4096  # characters
_LARGEST_SIZE = 1 << 50  # bytes of one sample; a version's sum fits into 64 bits
WORTH_A_VACUUM = 10_000  # samples


def begin(database: Database, config: Config, user: User, ask: BeginVersion) -> OpenVersion:
    """Begin to fill a dataset; it is made if it is missing, reused if empty or failed.

    Raises
    ------
    AlreadyExists
        ``dataset_exists``: one of this name has samples or is being prepared.
    OutsideRoots
        If `root` is outside the folders that may be read.
    """
    return opened(config, begin_rows(database, user, rooted(config, ask)))


def rooted(config: Config, ask: BeginVersion) -> BeginVersion:
    """The same with its root as the real path of a folder that may be read; raises `OutsideRoots`."""
    return msgspec.structs.replace(ask, root=str(config.resolve(ask.root))) if ask.root else ask


def begin_rows(database: Database, user: User, ask: BeginVersion) -> BegunVersion:
    """Write down that a version is being filled; `root` is taken as it is.

    Raises
    ------
    AlreadyExists
    """
    name = check_name(ask.name)
    root = check_text(ask.root, "The folder") if ask.root else None
    emptied = False
    with database.begin() as connection:
        query = sa.select(tables.dataset).where(
            visible_to(user),
            tables.dataset.c.name == name,
            tables.dataset.c.deleted_at.is_(None),
        )
        found = connection.execute(query.with_for_update()).first()
        number = 1
        if found is None:
            dataset_id = store.insert_dataset(connection, user, name, ask.description, ask.info, root=root)
        else:
            dataset_id = found.id
            newest = versions.newest_version(connection, dataset_id)
            if newest.state == "preparing" and ask.job_id and newest.job_id == ask.job_id:
                return BegunVersion(dataset_id, newest.id)  # asked for twice
            emptied = _make_room(connection, found, newest)
            number = newest.number
            _describe(connection, found, ask, root)
        version_id = versions.insert_preparing(
            connection, dataset_id, number, user.name, ask.count, ask.job_id
        )
        store.touch(connection, dataset_id)
    return BegunVersion(dataset_id, version_id, emptied)


def opened(config: Config, begun: BegunVersion) -> OpenVersion:
    """The folders of a version that was begun."""
    if begun.emptied:  # what a failed attempt left
        shutil.rmtree(config.home_path / "data" / str(begun.dataset_id), ignore_errors=True)
        shutil.rmtree(config.home_path / "thumbnails" / str(begun.dataset_id), ignore_errors=True)
    return OpenVersion(
        dataset_id=begun.dataset_id,
        version_id=begun.version_id,
        folder=str(config.folder("data", begun.dataset_id)),
        thumbnails=str(config.folder("thumbnails", begun.dataset_id)),
    )


def reserve(database: Database, user: User, dataset_id: int, count: int) -> int:
    """Reserve `count` ordinals and return the first; those not used stay empty."""
    with database.begin() as connection:
        return versions.reserve(connection, store.locked_dataset(connection, user, dataset_id), count)


def add(database: Database, user: User, ask: AddBatch) -> bool:
    """Add a batch of samples; all of them, or none if one is refused.

    A batch without samples only tells the progress.

    Raises
    ------
    InvalidInput
        A column has another length than `names`, a value cannot be stored, or
        the ordinals were not reserved.
    AlreadyExists
        ``sample_exists``: a name occurs twice in the version.
    Conflict
        ``version_finished``, ``ordinal_taken``.
    """
    batch, progress = ask.batch, ask.progress
    if progress is not None and progress.message is not None:
        progress = Progress(progress.done, progress.total, _storable(progress.message))
    count = len(batch.names)
    if count or progress is None:
        _check_batch(batch)
    with database.begin() as connection:
        version = versions.locked_version(connection, user, ask.version_id)
        _must_be_preparing(version)
        if not count:  # there are no rows yet, but something to tell
            versions.grow(connection, version, 0, 0, [], set(), progress)
            store.touch(connection, version.dataset_id)
            return True
        reserved = connection.scalar(
            sa.select(tables.dataset.c.next_ordinal).where(tables.dataset.c.id == version.dataset_id)
        )
        end = batch.first_ordinal + count
        if batch.first_ordinal < 0 or end > (reserved or 0):
            raise InvalidInput(
                f"Ordinals {batch.first_ordinal} to {end - 1} were not reserved; reserve them first.",
                code="ordinals_not_reserved",
            )
        try:
            copy_columns(connection, tables.sample, _columns(batch, version))
        except psycopg2.errors.UniqueViolation as error:
            raise _twice(error) from None
        kinds = set(batch.kind if isinstance(batch.kind, list) else [batch.kind])
        size = sum(batch.bytes) if isinstance(batch.bytes, list) else (batch.bytes or 0) * count
        leading = list(range(batch.first_ordinal, min(end, batch.first_ordinal + versions.PREVIEW)))
        versions.grow(connection, version, count, size, leading, {kind for kind in kinds if kind}, progress)
        store.touch(connection, version.dataset_id)
    return True


def finish(database: Database, user: User, ask: FinishVersion) -> Dataset:
    """Finish a version: ready, or failed with a reason; then its rows are gone.

    Finishing it twice the same way is fine.

    Raises
    ------
    Conflict
        ``version_finished``: it ended the other way before.
    """
    reason = None
    if ask.reason is not None:
        reason = _storable(ask.reason) or "It failed without saying why."
    problems = [Problem(_storable(p.name), _storable(p.code), _storable(p.message)) for p in ask.problems]
    with database.begin() as connection:
        version = versions.locked_version(connection, user, ask.version_id)
        if version.state != ("ready" if reason is None else "failed"):
            _must_be_preparing(version)
            if reason is not None:  # half a dataset would look like a whole one
                added = sa.and_(
                    tables.sample.c.dataset_id == version.dataset_id,
                    tables.sample.c.added_in == version.number,
                )
                connection.execute(sa.delete(tables.sample).where(added))
            versions.finish(connection, version, reason, problems)
            store.touch(connection, version.dataset_id)
        finished = store.read_dataset(connection, user, version.dataset_id)
    if finished.version.sample_count >= WORTH_A_VACUUM:
        vacuum(database, tables.sample)
    return finished


# -- beginning -----------------------------------------------------------------


def _make_room(connection: sa.Connection, dataset: sa.Row[Any], newest: sa.Row[Any]) -> bool:
    """Take the newest version away if nothing worth keeping is in it; True if rows were deleted."""
    failed = bool(newest.state == "failed" and newest.number == 1)
    empty = newest.state == "open" and newest.sample_count == 0
    if not failed and not empty:
        doing = "is being prepared" if newest.state == "preparing" else "has samples"
        raise AlreadyExists(
            f"There is a dataset called '{store.shorten(dataset.name)}' already, and it {doing}; "
            "choose another name or delete that one.",
            code="dataset_exists",
        )
    if failed:
        connection.execute(sa.delete(tables.sample).where(tables.sample.c.dataset_id == dataset.id))
        connection.execute(
            sa.update(tables.dataset).where(tables.dataset.c.id == dataset.id).values(next_ordinal=0)
        )
    connection.execute(sa.delete(tables.version).where(tables.version.c.id == newest.id))
    return failed


def _describe(connection: sa.Connection, dataset: sa.Row[Any], ask: BeginVersion, root: str | None) -> None:
    values = {
        "description": check_text(ask.description, "The description") if ask.description else None,
        "info": check_json({**dataset.info, **ask.info}, "The dataset's info"),
        "root": root,
    }
    given = {name: value for name, value in values.items() if value is not None}
    connection.execute(sa.update(tables.dataset).where(tables.dataset.c.id == dataset.id).values(given))


def _must_be_preparing(version: sa.Row[Any]) -> None:
    if version.state != "preparing":
        raise Conflict(
            f"Version {version.number} is {version.state}, so it cannot be filled; begin a new one.",
            code="version_finished",
        )


# -- rows ----------------------------------------------------------------------


def _columns(batch: Batch, version: sa.Row[Any]) -> dict[str, Any]:
    count = len(batch.names)
    return {
        "dataset_id": version.dataset_id,
        "ordinal": Each(range(batch.first_ordinal, batch.first_ordinal + count)),
        "added_in": version.number,
        "name": Each(batch.names),
        "kind": _each(batch.kind),
        "split": _each(_or_none(batch.split)),
        "label": _each(_or_none(batch.label)),
        "attributes": _each(batch.attributes or {}),
        "data_url": _each(batch.data_url),
        "data_key": _each(batch.keys),
        "shape": batch.shape if batch.shapes is None else Each(batch.shapes),
        "dtype": _each(batch.dtype),
        "spacing": batch.spacing if batch.spacings is None else Each(batch.spacings),
        "bytes": _each(batch.bytes),
    }


def _each(value: Any) -> Any:
    return Each(value) if isinstance(value, list) else value


def _or_none(value: list[str | None] | str | None) -> list[str | None] | str | None:
    if isinstance(value, list):
        return [one or None for one in value] if "" in value else value
    return value or None


def _check_batch(batch: Batch) -> None:
    count = len(batch.names)
    if count == 0:
        raise InvalidInput("The batch has no samples.", code="empty_batch")
    for field in (
        "data_url",
        "keys",
        "kind",
        "split",
        "label",
        "shapes",
        "dtype",
        "spacings",
        "bytes",
        "attributes",
    ):
        value = getattr(batch, field)
        if isinstance(value, list) and len(value) != count and not (field == "attributes" and not value):
            raise InvalidInput(
                f"The batch has {count:,} names but {len(value):,} values of '{field}'.", code="column_length"
            )
    _check_column(batch.names, "A sample's name", SAMPLE_NAME_LIMIT)
    for name in batch.names:
        if not name.strip():
            check_sample_name(name)
    _check_column(batch.split, "A split", VALUE_LIMIT)
    _check_column(batch.label, "A label", VALUE_LIMIT)
    _check_column(batch.data_url, "A data URL", URL_LIMIT)
    _check_column(batch.keys, "A key", URL_LIMIT)
    _check_column(batch.dtype, "A dtype", VALUE_LIMIT)
    for url in {batch.data_url} if isinstance(batch.data_url, str) else set(batch.data_url):
        scheme_of(url)
    shapes = [batch.shape] if batch.shapes is None else batch.shapes
    _check_numbers((n for shape in shapes if shape for n in shape), "A side of a shape", LARGEST_ORDINAL)
    sizes = batch.bytes if isinstance(batch.bytes, list) else [batch.bytes or 0]
    _check_numbers(sizes, "A size in bytes", _LARGEST_SIZE)
    if batch.attributes:
        check_json_items(batch.attributes, "The attributes")


def _check_numbers(numbers: Iterable[int], what: str, largest: int) -> None:
    for number in set(numbers):
        if not 0 <= number <= largest:
            raise InvalidInput(f"{what} is 0 to {largest:,}, not {number}.", code="out_of_range")


def _check_column(value: Sequence[str | None] | str | None, what: str, limit: int) -> None:
    """Look at a whole column at once: one by one only if something is wrong with it."""
    texts = [value] if isinstance(value, str) else [one for one in value or () if one]
    if texts and max(map(len, texts)) <= limit:
        joined = "".join(texts)
        if "\x00" not in joined and (joined.isascii() or _is_unicode(joined)):
            return
    for text in texts:
        check_text(text, what, limit)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(text: str) -> str:
    """A message that comes from a stranger's file, as PostgreSQL can hold it."""
    return text.replace("\x00", "�").encode(errors="replace").decode()[:2000]


def _twice(error: psycopg2.errors.UniqueViolation) -> Exception:
    detail = (error.diag.message_detail or "").removeprefix("Key ")
    if error.diag.constraint_name == "sample_name":
        return AlreadyExists(
            f"Two samples of the dataset would have the same name: {store.shorten(detail, 200)}",
            code="sample_exists",
        )
    return Conflict(f"These ordinals have samples already: {detail}", code="ordinal_taken")
