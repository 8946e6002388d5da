"""The table of models' versions: its SQL, and rows as structs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from jupyter_blueno.database.revisions import next_revision
from jupyter_blueno.database.tables import job_input
from jupyter_blueno.database.tables import model_version as table
from jupyter_blueno.tracking.model import Model, ModelVersion

LONG = ("definition", "packages")  # what a list leaves out
_PRESENT = table.c.deleted_at.is_(None)
_SHORT: sa.ColumnElement[Any] = table.c.about
for _name in LONG:
    _SHORT = _SHORT.op("-", return_type=table.c.about.type)(_name)


def of_job(job_id: str) -> sa.ColumnElement[bool]:
    """The condition that a version was registered from a job."""
    return table.c.job_id == job_id


def of_dataset(dataset_id: int) -> sa.ColumnElement[bool]:
    """The condition that its job read a dataset."""
    return table.c.job_id.in_(sa.select(job_input.c.job_id).where(job_input.c.dataset_id == dataset_id))


def listed(connection: sa.Connection, team: str, *wanted: sa.ColumnElement[bool]) -> list[Model]:
    """Models by name with their versions, in short."""
    columns = (table.c.name, table.c.revision, _SHORT.label("about"))
    return _models(connection, sa.select(*columns), team, wanted)


def one(connection: sa.Connection, team: str, name: str) -> Model | None:
    """A model with all that is known of its versions."""
    found = _models(connection, sa.select(table), team, [table.c.name == name])
    return found[0] if found else None


def changed(connection: sa.Connection, team: str, since: int) -> tuple[list[Model], list[str]]:
    """Models of which a version changed after a revision, and the names of those that have none left."""
    late = sa.select(table.c.name).where(table.c.team == team, table.c.revision > since).distinct()
    names = set(connection.scalars(late))
    if not names:
        return [], []
    # A version that was deleted has changed its model.
    newest = {
        row.name: row.revision
        for row in connection.execute(
            sa.select(table.c.name, sa.func.max(table.c.revision).label("revision"))
            .where(table.c.team == team, table.c.name.in_(names))
            .group_by(table.c.name)
        )
    }
    models = [
        msgspec.structs.replace(found, revision=newest[found.name])
        for found in listed(connection, team, table.c.name.in_(names))
    ]
    return models, sorted(names - {found.name for found in models})


def known(connection: sa.Connection, team: str) -> dict[tuple[str, int], dict[str, Any]]:
    """What is kept of each version."""
    columns = (table.c.name, table.c.version, _SHORT.label("about"))
    rows = connection.execute(sa.select(*columns).where(_PRESENT, table.c.team == team))
    return {(row.name, row.version): row.about for row in rows}


def put(connection: sa.Connection, team: str, versions: Iterable[ModelVersion]) -> None:
    """Keep versions as they are now; the last statement of its transaction."""
    rows = [
        {
            "team": team,
            "name": one.name,
            "version": one.version,
            "job_id": one.job_id,
            "about": msgspec.to_builtins(one),
            "deleted_at": None,
        }
        for one in versions
    ]
    if rows:
        number = next_revision(connection)
        statement = postgres_insert(table).values([{**row, "revision": number} for row in rows])
        changes = {name: statement.excluded[name] for name in ("job_id", "about", "deleted_at", "revision")}
        keys = ["team", "name", "version"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))


def remove(connection: sa.Connection, team: str, keys: Sequence[tuple[str, int]]) -> None:
    """Forget versions; the last statement of its transaction."""
    if keys:
        statement = sa.update(table).where(
            table.c.team == team, sa.tuple_(table.c.name, table.c.version).in_(keys)
        )
        number = next_revision(connection)
        connection.execute(statement.values(deleted_at=sa.func.now(), revision=number))


def _models(
    connection: sa.Connection, asked: Any, team: str, wanted: Iterable[sa.ColumnElement[bool]]
) -> list[Model]:
    statement = asked.where(_PRESENT, table.c.team == team, *wanted)
    rows = connection.execute(statement.order_by(table.c.name, table.c.version.desc())).all()
    found = []
    for name, group in groupby(rows, key=lambda row: row.name):
        versions = list(group)
        whole = [msgspec.convert(row.about, ModelVersion) for row in versions]
        found.append(Model(name, whole, max(row.revision for row in versions)))
    return found
