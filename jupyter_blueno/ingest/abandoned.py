"""Versions whose ingest is gone: nobody says "preparing" of them for ever."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from jupyter_blueno.catalog.model import User
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import Conflict, NotFound
from jupyter_blueno.ingest import filling
from jupyter_blueno.ingest.model import FinishVersion
from jupyter_blueno.jobs.model import TERMINAL

SILENCE = timedelta(minutes=30)  # after which a version that no job fills is given up
UNSUBMITTED = timedelta(minutes=2)  # after which a job that was announced will not come

version, dataset, job = tables.version.c, tables.dataset.c, tables.job.c
_silence, _unsubmitted = (sa.bindparam(name, type_=sa.Interval) for name in ("silence", "unsubmitted"))
_silent_for = sa.func.clock_timestamp() - dataset.updated_at
_LEFT = (
    sa.select(version.id, version.job_id, dataset.owner, dataset.team, job.state, job.reason)
    .join(tables.dataset, dataset.id == version.dataset_id)
    .outerjoin(tables.job, job.id == version.job_id)
    .where(version.state == "preparing", dataset.deleted_at.is_(None))
    .where(
        sa.or_(
            job.state.in_(TERMINAL),
            sa.and_(version.job_id.is_(None), _silent_for > _silence),
            sa.and_(
                version.job_id.is_not(None),
                job.id.is_(None),
                _silent_for > _unsubmitted,
            ),
        )
    )
)


def settle(database: Database) -> int:
    """Mark versions as failed that nobody fills any more, and return how many there were.

    An ingest finishes its version itself, whatever happens to it; one that was
    killed could not. Cheap: only versions being prepared are looked at.
    """
    with database.autocommit() as connection:
        left = connection.execute(_LEFT, {"silence": SILENCE, "unsubmitted": UNSUBMITTED}).all()
    settled = 0
    for row in left:
        try:
            filling.finish(
                database,
                User(row.owner, row.team),
                FinishVersion(row.id, _reason(row.job_id, row.state, row.reason)),
            )
        except (Conflict, NotFound):  # the run itself was faster, or its dataset was deleted
            continue
        settled += 1
    return settled


def _reason(job_id: str | None, state: str | None, said: str | None) -> str:
    if job_id is None:
        return "Whoever filled it stopped without a word. Start it again."
    if state is None:
        return "Its job was never started. Start it again."
    if state == "CANCELLED":
        return "It was cancelled."
    return f"Its job ended before it was finished: {said or state.lower()}"
