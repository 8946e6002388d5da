"""What jobs took, added up from what they asked for and how long they ran."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.jobs import accounting
from jupyter_blueno.jobs.accounting import TeamUsage
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import ALICE, command, start, until, wait


def ran(manager: JobManager, owner: str, ago: float, hours: float | None, **resources: Any) -> None:
    """A job that began some hours ago, as its row has it."""
    began = datetime.now(UTC) - timedelta(hours=ago)
    row = {
        "id": f"{abs(hash((owner, ago, hours))):032x}"[-32:],
        "team": ALICE.team,
        "owner": owner,
        "name": f"{owner}-{ago:g}",
        "kind": resources.pop("kind", "command"),
        "spec": json.dumps({"resources": resources}),
        "began": began,
        "ended": began if hours is None else began + timedelta(hours=hours),
    }
    with manager.database.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO job (id, team, owner, name, kind, state, spec, backend, started_at, finished_at)"
                " VALUES (:id, :team, :owner, :name, :kind, 'SUCCEEDED', cast(:spec AS jsonb), 'local',"
                " :began, :ended)"
            ),
            row,
        )


def usage(manager: JobManager, days: float = 30) -> TeamUsage:
    with manager.database.begin() as connection:
        return accounting.usage(connection, ALICE.team, days)


def test_hours_by_person(manager: JobManager) -> None:
    ran(manager, "alice", 10, 2, gpu=2, cpu=4)
    ran(manager, "alice", 20, 1)
    ran(manager, "bob", 5, 3, cpu=0.5)
    ran(manager, "bob", 6, 100 / 3600, kind="sweep", gpu=0)  # it waited for others
    found = usage(manager)
    assert [(one.owner, one.jobs) for one in found.people] == [("alice", 2), ("bob", 1)]
    alice, bob = found.people
    assert (alice.gpu_hours, alice.core_hours) == pytest.approx((4, 9))
    assert (bob.gpu_hours, bob.core_hours) == pytest.approx((0, 1.5))
    assert [one.name for one in found.jobs] == ["alice-10", "bob-5", "alice-20"]
    assert found.holders == []


def test_only_what_lies_in_the_time_counts(manager: JobManager) -> None:
    ran(manager, "alice", 30, 12, gpu=1)  # six of its hours are in the last day
    ran(manager, "bob", 50, 10, gpu=8)
    (alice,) = usage(manager, days=1).people
    assert alice.gpu_hours == pytest.approx(6, abs=0.05)


def test_another_team_s_are_not_told(manager: JobManager) -> None:
    ran(manager, "alice", 2, 1)
    with manager.database.begin() as connection:
        assert accounting.usage(connection, "pathology", 30).people == []


def test_who_holds_a_gpu(manager: JobManager, config: Config) -> None:
    manager.backend.close()
    config.gpus = "0,1"
    job = start(manager, command("sleep", "100", resources=Resources(gpu=1)), "training")
    wait(manager, job, "RUNNING")
    found = until(lambda: usage(manager).holders, "it to hold the GPU")
    assert [(one.kind, one.owner, one.name, one.gpu) for one in found] == [("job", "alice", "training", 1)]
    (alice,) = usage(manager).people
    assert (alice.running, alice.gpus) == (1, 1)
