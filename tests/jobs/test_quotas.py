"""Quotas of teams and people: the rules on their own, and real jobs behind the gate."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_blueno.catalog.model import User
from jupyter_blueno.config import Config
from jupyter_blueno.database.hubs import notebook
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import monitor
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, JobSpec, Resources
from jupyter_blueno.jobs.quotas import gate, ledger, notebooks, rules, words
from jupyter_blueno.jobs.quotas.model import Amounts, Holder, Most, Quotas, TeamQuota, Waiting, total
from jupyter_blueno.jobs.quotas.notebooks import Seen
from jupyter_blueno.jobs.testing import ALICE, until

BOB = User("bob", ALICE.team)
NOW = 1_800_000_000.0


def held(owner: str, gpu: int = 0, cpu: float = 1, ago: float = 600, **more: Any) -> Holder:
    since = datetime.fromtimestamp(NOW - ago, UTC)
    return Holder("job", owner, more.pop("name", "train"), "x", cpu, 0.0, gpu, since, **more)


def asks(name: str, owner: str, gpu: int = 0, cpu: float = 1, ago: float = 0, priority: int = 0) -> Waiting:
    return Waiting(name, owner, name, priority, NOW - ago, Amounts(cpu, 0.0, gpu))


def let_in(quota: TeamQuota, holders: list[Holder], *waiting: Waiting) -> list[str]:
    return [one.id for one in rules.admit(quota, holders, waiting, NOW)[0]]


GPUS = TeamQuota(team=Most(gpu=4))


def test_the_higher_priority_first_then_who_holds_least_then_the_oldest() -> None:
    line = [asks("a1", "alice", 1, ago=9), asks("a2", "alice", 1, ago=8), asks("b1", "bob", 1, ago=1)]
    assert let_in(GPUS, [], *line) == ["a1", "b1", "a2"]
    assert let_in(GPUS, [held("alice", 2)], *line) == ["b1", "a1"]
    assert let_in(GPUS, [held("carol", 3)], *line, asks("b2", "bob", 1, priority=1)) == ["b2"]


def test_smaller_ones_pass_for_a_while_and_then_what_becomes_free_is_kept() -> None:
    small = asks("small", "bob", 1, ago=1)
    assert let_in(GPUS, [held("carol", 2)], asks("big", "alice", 4, ago=30), small) == ["small"]
    big = asks("big", "alice", 4, ago=90)
    assert let_in(GPUS, [held("carol", 2)], big, small) == []
    assert let_in(GPUS, [held("carol", 2)], big, asks("none", "bob", 0)) == ["none"]
    _, blocked = rules.admit(GPUS, [held("carol", 2)], [big, small], NOW)
    assert "kept for alice's job 'big'" in words.why("radiology", "bob", GPUS, [], blocked["small"])


def test_who_is_held_back_by_the_quota_of_one_person_keeps_nothing_from_others() -> None:
    quota = TeamQuota(team=Most(gpu=4), person=Most(gpu=2))
    holders = [held("alice", 2)]
    assert let_in(quota, holders, asks("a", "alice", 2, ago=90), asks("b", "bob", 2)) == ["b"]
    # but their own small ones do not keep their large one from starting
    holders = [held("alice", 1)]
    assert let_in(quota, holders, asks("a", "alice", 2, ago=90), asks("s", "alice", 1)) == []


def test_any_order_of_things_stays_within_the_quota_and_nobody_starves() -> None:
    chance = random.Random(7)
    quota = TeamQuota(team=Most(cpu=8, gpu=4), person=Most(gpu=3))
    holders: list[Holder] = []
    line = [
        asks(
            str(n),
            chance.choice("abc"),
            chance.randint(0, 3),
            chance.randint(1, 8),
            ago=chance.random() * 200,
        )
        for n in range(200)
    ]
    rounds = 0
    while line:
        rounds += 1
        assert rounds < 400
        found, _ = rules.admit(quota, holders, line, NOW)
        assert found or holders, "all that is left fits, and nothing holds it back"
        line = [one for one in line if one not in found]
        holders += [held(one.owner, int(one.needs.gpu), one.needs.cpu, name=one.id) for one in found]
        assert total(holders).gpu <= 4
        assert total(holders).cpu <= 8
        assert all(total(holders, owner).gpu <= 3 for owner in "abc")
        holders.pop(chance.randrange(len(holders)))


def test_what_a_team_has_of_its_own_comes_before_what_all_have() -> None:
    quotas = Quotas(
        Most(gpu=2, cpu=16), Most(gpu=1), {"radiology": TeamQuota(team=Most(gpu=8, memory="64Gi"))}
    )
    assert quotas.of("radiology").team.amounts == Amounts(16, 64 << 30, 8)
    assert quotas.of("radiology").person.amounts.gpu == 1
    assert quotas.of("pathology").team.amounts.gpu == 2


def test_who_holds_what_in_words() -> None:
    until_ = datetime.fromtimestamp(NOW + 1200, UTC)
    holders = [held("alice", 3, ago=2400, until=until_), held("bob", 1, ago=90_000)]
    said = words.held_by(holders, "gpu", NOW)
    assert said == (
        "alice's job 'train' (3 GPUs, for 40 min, 20 min more at most), bob's job 'train' (1 GPU, for 25 h)"
    )
    many = [held(f"p{n}", 1) for n in range(5)]
    assert words.held_by(many, "gpu", NOW).endswith(", 2 more")


# -- with real jobs ---------------------------------------------------------------


@pytest.fixture
def quotas(config: Config, folder: Path) -> Callable[..., None]:
    """Set the quotas of managers that are made from now on."""

    def put(**quota: Any) -> None:
        file = config.home_path / "quotas.json"
        file.write_text(json.dumps(quota))
        config.quotas = str(file)

    return put


def submit(manager: JobManager, name: str, user: Any = ALICE, seconds: float = 1000, **needs: Any) -> str:
    spec = JobSpec(kind="command", command=["sleep", str(seconds)], resources=Resources(**needs))
    return manager.submit(user, os.urandom(16).hex(), name, spec).id


def state(manager: JobManager, job_id: str) -> str:
    manager.monitor.look_now()
    return manager.get(ALICE, job_id).state


def ended(manager: JobManager, job_id: str) -> str:
    """Its state when it is over, as who looks at all jobs sees it."""
    until(lambda: state(manager, job_id) in TERMINAL, "the job")
    return state(manager, job_id)


def test_a_job_waits_until_its_team_s_quota_has_room_and_says_who_holds_it(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager]
) -> None:
    quotas(team={"cpu": 1}, person={})
    manager = another_manager()
    first = submit(manager, "first", cpu=0.6)
    second = submit(manager, "second", BOB, cpu=0.6, seconds=0)
    until(lambda: state(manager, first) == "RUNNING", "the first to run")
    said = manager.get(ALICE, second)
    assert said.state == "QUEUED"
    assert f"The team {ALICE.team} holds 0.6 of its 1 core: alice's job 'first' (0.6 cores, for " in str(
        said.reason
    )
    assert str(said.reason).endswith("It starts when there is room.")
    seen = manager.outlook(BOB, "third", "command", Resources(cpu=0.6))
    assert "holds 0.6 of its 1 core" in seen.starts
    assert seen.room.cpu_free == pytest.approx(0.4)
    small = submit(manager, "small", BOB, cpu=0.4, seconds=0)
    assert ended(manager, small) == "SUCCEEDED", "it passes the second"
    manager.cancel(ALICE, first)
    assert ended(manager, second) == "SUCCEEDED"


def test_what_can_never_be_is_refused_in_words(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager]
) -> None:
    quotas(team={"cpu": 4}, person={"gpu": 0, "memory": "1Gi"})
    manager = another_manager()
    needs: dict[str, Any]
    for needs, said in (
        ({"cpu": 5}, "may hold 4 cores at most, and this asks for 5 cores"),
        ({"memory": 2 << 30}, "One person in the team .* may hold 1.07 GB of memory at most"),
    ):
        with pytest.raises(InvalidInput, match=said) as refused:
            submit(manager, "large", **needs)
        assert refused.value.code == "beyond_quota"
    with pytest.raises(InvalidInput, match="may hold 4 cores"):
        manager.outlook(ALICE, "a", "cell", Resources(cpu=5))


def test_who_looks_at_a_job_that_is_not_let_in_does_not_start_it(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas(team={"cpu": 1})
    manager = another_manager()
    first, second = submit(manager, "first"), submit(manager, "second")
    until(lambda: state(manager, first) == "RUNNING", "the first to run")
    monkeypatch.setattr(monitor, "HESITATION", 0.0)  # after which a lost one is started
    assert [manager.get(ALICE, second).state for _ in range(3)] == ["QUEUED"] * 3
    assert not JobFolder.of(manager.config, second).has("environ")
    manager.cancel(ALICE, first)
    until(lambda: state(manager, second) == "RUNNING", "the second to run")


def test_a_job_that_is_not_let_in_is_cancelled_and_may_be_put_first(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager]
) -> None:
    quotas(team={"cpu": 1})
    manager = another_manager()
    first = submit(manager, "first")
    line = [submit(manager, name) for name in ("second", "third", "fourth")]
    until(lambda: state(manager, first) == "RUNNING", "the first to run")
    manager.cancel(ALICE, line[0])
    until(lambda: state(manager, line[0]) == "CANCELLED", "the second to be gone")
    assert manager.prioritise(ALICE, line[2], 5).resources.priority == 5
    manager.cancel(ALICE, first)
    until(lambda: state(manager, line[2]) == "RUNNING", "the one with the higher priority to run")
    assert state(manager, line[1]) == "QUEUED"


def test_what_ran_before_there_was_a_quota_counts(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager]
) -> None:
    before = another_manager()
    first = submit(before, "first")
    until(lambda: state(before, first) == "RUNNING", "the first to run")
    quotas(team={"cpu": 1})
    after = another_manager()
    second = submit(after, "second")
    assert state(after, second) == "QUEUED"
    assert "alice's job 'first'" in str(after.get(ALICE, second).reason)


def test_many_who_decide_at_once_never_let_in_more_than_there_is(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas(team={"cpu": 3}, person={"cpu": 2})
    here = [another_manager() for _ in range(4)]
    line = [submit(here[0], f"job-{n}", ALICE if n % 2 else BOB, seconds=0.05) for n in range(24)]
    most: list[tuple[float, float, float]] = []
    over = threading.Event()

    def decide(manager: JobManager) -> None:
        while not over.is_set():
            manager.monitor.look_now()

    monkeypatch.setattr(gate, "PERIOD", 0.01)
    threads = [threading.Thread(target=decide, args=(one,)) for one in here]
    for one in threads:
        one.start()
    try:

        def all_over() -> bool:
            with here[0].database.begin() as connection:
                found = ledger.holders(connection, ALICE.team)
            most.append((total(found).cpu, total(found, "alice").cpu, total(found, "bob").cpu))
            return all(here[0].get(ALICE, one).state == "SUCCEEDED" for one in line)

        until(all_over, "all to have run")
    finally:
        over.set()
        for one in threads:
            one.join()
    assert max(one[0] for one in most) <= 3
    assert max(max(one[1:]) for one in most) <= 2


CHILD = """\
import sys
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs.manager import JobManager
home, url, quotas, team = sys.argv[1:]
config = Config(home=home, database_url=url, quotas=quotas, user="alice", team=team)
manager = JobManager(config, Database(config))
print("ready", flush=True)
sys.stdin.readline()
while True:
    manager.monitor.look_now()
"""


def test_deciders_that_are_killed_at_any_moment_leave_nothing_behind(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager], config: Config
) -> None:
    quotas(team={"cpu": 2})
    manager = another_manager()
    url = manager.database.engine.url.render_as_string(hide_password=False)
    line: list[str] = []
    for turn in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(config.home_path), url, config.quotas, ALICE.team],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout
        assert child.stdin
        assert child.stdout.readline() == "ready\n"
        line += [submit(manager, f"job-{turn}-{n}", seconds=0.02) for n in range(5)]
        child.stdin.write("go\n")
        child.stdin.flush()
        moment = time.monotonic() + 0.05 * turn
        until(lambda moment=moment: time.monotonic() > moment, "a moment")  # type: ignore[misc]
        child.send_signal(signal.SIGKILL)
        child.wait()
    held_most = 0.0

    def all_over() -> bool:
        nonlocal held_most
        manager.monitor.look_now()
        with manager.database.begin() as connection:
            held_most = max(held_most, total(ledger.holders(connection, ALICE.team)).cpu)
        return all(manager.get(ALICE, one).state == "SUCCEEDED" for one in line)

    until(all_over, "all to have run")
    assert held_most <= 2


def test_a_notebook_is_refused_for_what_others_hold(
    quotas: Callable[..., None], another_manager: Callable[[], JobManager]
) -> None:
    quotas(team={"cpu": 4}, person={"cpu": 3})
    manager = another_manager()
    assert manager.gate is not None

    def notebook(owner: str, cpu: float, server: str = "") -> str | None:
        assert manager.gate is not None
        with manager.database.begin() as connection:
            return manager.gate.admit_notebook(connection, owner, server, "Large", Amounts(cpu))

    assert notebook("bob", 3) is None
    assert notebook("bob", 3) is None  # the same one again
    said = str(notebook("carol", 2))
    assert said.startswith(
        f"The team {ALICE.team} holds 3 of its 4 cores: bob's notebook (3 cores, for 1 min)"
    )
    assert "bob holds 3 of the 3 cores that one person may hold" in str(notebook("bob", 1, "second"))
    assert "may hold 4 cores at most" in str(notebook("carol", 5))
    job = submit(manager, "train", cpu=2)
    assert "bob's notebook" in str(manager.get(ALICE, job).reason)
    with manager.database.begin() as connection:
        ledger.forget(connection, ALICE.team, "bob", "")
    until(lambda: state(manager, job) == "RUNNING", "the job to run")
    assert "alice's job 'train' (2 cores" in str(notebook("carol", 3))


def test_a_day_is_a_day() -> None:
    long = Holder("notebook", "bob", "GPU", "", 1, 0, 1, datetime.now(UTC) - timedelta(days=3))
    assert words.held_by([long], "gpu") == "bob's notebook (1 GPU, for 3 days)"


def test_how_busy_a_notebook_s_gpus_are_is_told_while_it_is_fresh(
    another_manager: Callable[[], JobManager],
) -> None:
    database = another_manager().database
    with database.begin() as connection:
        ledger.put_notebook(connection, "local", "bob", "", profile="GPU", cpu=1, memory=0, gpu=1)
        assert ledger.used(connection, "local", "bob", "", 0.25)
        assert not ledger.used(connection, "local", "bob", "another", 0.25)
        (found,) = ledger.holders(connection, "local")
        assert (found.busy, found.gpu) == (0.25, 1)
        connection.execute(sa.update(notebook).values(busy_at=sa.func.now() - timedelta(hours=1)))
        (found,) = ledger.holders(connection, "local")
        assert found.busy is None


def test_what_is_written_down_follows_the_pods_that_there_are(
    another_manager: Callable[[], JobManager],
) -> None:
    database = another_manager().database

    def there(*owners: str) -> list[str]:
        since = datetime.now(UTC)
        notebooks.settle(database, [Seen("local", one, "", "GPU", Amounts(1, 0, 1), since) for one in owners])
        with database.begin() as connection:
            return sorted(one.owner for one in ledger.holders(connection, "local"))

    with database.begin() as connection:
        ledger.put_notebook(connection, "local", "bob", "", profile="GPU", cpu=1, memory=0, gpu=1)
    assert there() == ["bob"], "its pod is about to be made"
    assert there("alice", "bob") == ["alice", "bob"]
    assert there("alice") == ["alice"]
    with database.begin() as connection:
        ledger.put_notebook(connection, "local", "bob", "", profile="GPU", cpu=1, memory=0, gpu=1)
        connection.execute(sa.update(notebook).values(since=sa.func.now() - timedelta(hours=1)))
    assert there("alice") == ["alice"], "its pod never came"
    with database.begin() as connection:  # as a person may ask whose pod is there
        ledger.put_notebook(connection, "local", "alice", "", profile="GPU", cpu=0, memory=0, gpu=0)
    assert there("alice") == ["alice"]
    with database.begin() as connection:
        assert ledger.holders(connection, "local")[0].amounts == Amounts(1, 0, 1)
