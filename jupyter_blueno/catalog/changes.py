"""A dataset is marked as changed, which the long poll sees."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_blueno.database import tables
from jupyter_blueno.database.revisions import next_revision


def touch(connection: sa.Connection, dataset_id: int) -> None:
    """Mark a dataset as changed: the last statement of every transaction that writes to one."""
    connection.execute(
        sa.update(tables.dataset)
        .where(tables.dataset.c.id == dataset_id)
        .values(revision=next_revision(connection), updated_at=sa.func.clock_timestamp())
    )
