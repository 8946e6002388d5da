"""The platform itself: what it is, and what changed lately."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import msgspec
from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.jobs.model import Job
from jupyter_blueno.schedules.model import Schedule
from jupyter_blueno.tracking.model import Model


class Status(Struct, frozen=True):
    version: str
    user: str
    team: str
    home: str
    database: str  # embedded | external
    postgres: str  # its version


class ChangesSince(Struct, frozen=True, forbid_unknown_fields=True):
    """Over HTTP the answer waits up to `wait` seconds (≤ 30) for something to change."""

    since: int = -1
    wait: float = 0


class Changes(Struct, frozen=True):
    """What changed since a revision; a deleted one is only named.

    With `since` = -1 nothing is listed: it only tells the present revision.
    Ask next with `revision`: a change may be told twice, none is left out.
    """

    revision: int
    datasets: list[Dataset]
    jobs: list[Job]
    deleted_datasets: list[int]
    deleted_jobs: list[str]
    schedules: list[Schedule]
    deleted_schedules: list[str]
    models: list[Model]
    deleted_models: list[str]


@operation("GET", "/status", resource="status", action="read")
def get_status(context: Context, ask: Nothing) -> Status:
    """Say which version runs, for whom, on what."""
    import sqlalchemy as sa

    from jupyter_blueno._version import __version__

    with context.database.begin() as connection:
        postgres = connection.scalar(sa.text("SHOW server_version"))
    return Status(
        version=__version__,
        user=context.user.name,
        team=context.user.team,
        home=str(context.config.home_path),
        database="external" if context.database.config.database_url else "embedded",
        postgres=str(postgres),
    )


@operation("GET", "/changes", resource="status", action="read")
def get_changes(context: Context, ask: ChangesSince) -> Changes:
    """Return datasets, jobs, schedules and models that changed since a revision."""
    from jupyter_blueno.database import news
    from jupyter_blueno.database.revisions import current_revision

    with context.database.autocommit() as connection:
        now = current_revision(connection)
        # Behind `now`: the database is another one than the caller saw last.
        listed = 0 <= ask.since < now
        kinds = news.kinds(connection, context.user.team, ask.since) if listed else set()
    return changes(context, ask.since, now, kinds)


def changes(context: Context, since: int, now: int, kinds: Set[str]) -> Changes:
    """What is new for a person after `since`, in the tables of which it is known that something is."""
    from jupyter_blueno.catalog import store

    found: dict[str, Any] = {}
    if "dataset" in kinds:
        told = store.changed(context.database, context.user, since)
        found["datasets"], found["deleted_datasets"] = told
    if "job" in kinds:
        found["jobs"], found["deleted_jobs"] = context.platform.jobs.changed(context.user, since)
    if "schedule" in kinds:
        schedules = context.platform.schedules.changed(context.user, since)
        found["schedules"], found["deleted_schedules"] = schedules
    if "model_version" in kinds:
        models = context.platform.mirror.models.changed(context.user.team, since)
        found["models"], found["deleted_models"] = models
    return msgspec.structs.replace(Changes(now, [], [], [], [], [], [], [], []), **found)
