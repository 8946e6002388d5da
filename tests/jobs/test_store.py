"""Rows that two change at once."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_blueno.database.engine import Database
from jupyter_blueno.database.revisions import next_revision
from jupyter_blueno.database.tables import job
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, until


@pytest.fixture
def job_id(manager: JobManager) -> str:
    values: dict[str, Any] = {"id": secrets.token_hex(16), "team": ALICE.team, "owner": ALICE.name}
    values |= {"name": "one", "kind": "cell", "state": "SUCCEEDED", "spec": {}, "backend": "local"}
    with manager.database.autocommit() as connection:
        assert store.insert(connection, values) is not None
        assert store.insert(connection, values) is None
    return str(values["id"])


@pytest.mark.parametrize(("meanwhile", "changed"), [({"health": "ok"}, True), ({"state": "FAILED"}, False)])
def test_who_waits_for_a_row_holds_up_nobody(
    manager: JobManager, job_id: str, meanwhile: dict[str, str], changed: bool
) -> None:
    database = manager.database

    def change() -> bool:
        with database.autocommit() as connection:
            return store.update(connection, job_id, "SUCCEEDED", {"reason": "second"})

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            connection.execute(sa.update(job).where(job.c.id == job_id).values(**meanwhile))
            second = pool.submit(change)
            until(lambda: _waits(database), "the second one to wait for the row")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
            first = next_revision(connection)
        assert second.result(30) is changed
    with database.begin() as connection:
        row = store.row(connection, job_id)
    assert row is not None
    assert (row.reason, row.revision > first) == (("second", True) if changed else (None, False))
    assert {**row._mapping} | meanwhile == {**row._mapping}


def _waits(database: Database) -> bool:
    with database.autocommit() as connection:
        return bool(connection.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
