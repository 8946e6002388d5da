"""Brings values of samples from a job's folder into the columns of their datasets."""

from __future__ import annotations

from typing import Any

import msgspec

from jupyter_blueno.catalog import columns
from jupyter_blueno.catalog.model import User
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import InvalidInput, NotFound, TooLarge
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside.results import FOLDER, NEW, REFUSED, TAKEN


class Batch(msgspec.Struct, frozen=True):
    """Values of some samples, by column."""

    dataset_id: int
    ordinals: list[int]
    values: dict[str, list[float | str | None]]


SAID = "refused"  # in the same folder: the first reason


def deliver(database: Database, folder: JobFolder, row: Any) -> str | None:
    """Write what is new into columns, as the job's owner; return why something was refused, in words.

    A batch is marked when it is written: whoever is killed in between writes the
    same once more.
    """
    place = folder.path / FOLDER
    batches = sorted(place.glob(f"[0-9]*{NEW}"))
    user = User(row.owner, row.team)
    for path in batches:
        try:
            batch = msgspec.json.decode(path.read_bytes(), type=Batch)
            columns.write(database, user, batch.dataset_id, batch.ordinals, batch.values, row.id)
        except (InvalidInput, NotFound, TooLarge, msgspec.DecodeError) as error:
            if not (place / SAID).exists():
                (place / SAID).write_text(f"Values were not written: {getattr(error, 'message', error)}")
            path.rename(path.with_suffix(REFUSED))
        else:
            path.rename(path.with_suffix(TAKEN))
    try:
        return (place / SAID).read_text()
    except OSError:
        return None
