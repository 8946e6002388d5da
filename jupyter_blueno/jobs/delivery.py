"""Brings what a job did with datasets from its folder into the database: what it read, wrote and computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from jupyter_blueno.catalog import columns
from jupyter_blueno.catalog.model import User
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import InvalidInput, NotFound, TooLarge
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import used, written
from jupyter_blueno.jobs.inside.results import FOLDER, NEW, REFUSED, TAKEN
from jupyter_blueno.jobs.model import UsedDataset

Note = Callable[[sa.Connection, str, list[str]], None]
SAID = "refused"  # among the results: the first reason why some were not written


class Batch(msgspec.Struct, frozen=True):
    """Values of some samples, by column."""

    dataset_id: int
    ordinals: list[int]
    values: dict[str, list[float | str | None]]


class Delivery:
    """Looks into folders of jobs as often as it is asked; what was delivered is not again."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._seen: dict[str, dict[str, int]] = {}  # job → file → bytes of it that are in the database

    def deliver(self, folder: JobFolder, row: Any) -> str | None:
        """Write down what is new; return why some values were refused, in words."""
        self._note(folder, row, used.FILE, _note_used)
        self._note(folder, row, written.FILE, _note_written)
        return self._write_results(folder, row)

    def forget(self, job_id: str) -> None:
        """A job is over."""
        self._seen.pop(job_id, None)

    def _note(self, folder: JobFolder, row: Any, name: str, note: Note) -> None:
        """Have the lines of a file noted, if there are more than at the last look."""
        stamp = folder.stamp(name)
        seen = self._seen.get(row.id, {})
        if stamp is None or stamp[1] == seen.get(name):
            return
        try:
            with folder.open(name) as file:
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return
        with self.database.begin() as connection:
            note(connection, row.id, lines)
        self._seen[row.id] = {**seen, name: stamp[1]}

    def _write_results(self, folder: JobFolder, row: Any) -> str | None:
        """Values go into columns as the job's owner.

        A batch is marked when it is written: whoever is killed in between writes
        the same once more.
        """
        place = folder.path / FOLDER
        user = User(row.owner, row.team)
        for path in sorted(place.glob(f"[0-9]*{NEW}")):
            try:
                with folder.open(f"{FOLDER}/{path.name}") as file:
                    content = file.read()
            except OSError:
                continue  # somebody else looked at the same job, and has written it
            try:
                batch = msgspec.json.decode(content, type=Batch)
                columns.write(self.database, user, batch.dataset_id, batch.ordinals, batch.values, row.id)
            except (InvalidInput, NotFound, TooLarge, msgspec.DecodeError) as error:
                if not (place / SAID).exists():
                    (place / SAID).write_text(f"Values were not written: {getattr(error, 'message', error)}")
                marked = REFUSED
            else:
                marked = TAKEN
            with contextlib.suppress(FileNotFoundError):
                path.rename(path.with_suffix(marked))
        try:
            with folder.open(f"{FOLDER}/{SAID}") as file:
                return file.read().decode(errors="replace")
        except OSError:
            return None


def _note_used(connection: sa.Connection, job_id: str, lines: list[str]) -> None:
    for one in used.read(lines):
        connection.execute(_used(job_id, one))


def _note_written(connection: sa.Connection, job_id: str, lines: list[str]) -> None:
    rows = [{"job_id": job_id, "path": path} for path in written.read(lines)]
    if rows:
        connection.execute(insert(tables.job_file).on_conflict_do_nothing(), rows)


def _used(job_id: str, one: UsedDataset) -> Any:
    """The statement that notes a dataset as read by a job, if it is still there."""
    there = sa.select(
        sa.literal(job_id),
        tables.dataset.c.id,
        sa.literal(one.version),
        sa.literal(msgspec.to_builtins(one.filter), JSONB),
    ).where(tables.dataset.c.id == one.dataset_id)
    names = ["job_id", "dataset_id", "version", "filter"]
    return insert(tables.job_input).from_select(names, there).on_conflict_do_nothing()
