"""What is due is started once, whoever looks, whenever; the clock is the test's own."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.client.transport import InProcess
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobPage, JobSpec, Origin
from jupyter_blueno.jobs.sending import kept
from jupyter_blueno.jobs.testing import ALICE, cell, until
from jupyter_blueno.schedules import making
from jupyter_blueno.schedules.manager import ScheduleManager
from jupyter_blueno.schedules.model import Firing, Schedule, Timing
from tests.schedules.conftest import Clock

USER = User("alice", "local")
BERLIN = Timing(cron="0 3 * * *", zone="Europe/Berlin")
WORK = cell("import os\nos.environ['BLUENO_DUE']")
GATED = cell("open('gate').read()")


def make(schedules: ScheduleManager, timing: Timing = BERLIN, spec: JobSpec = WORK, **more: Any) -> Schedule:
    name = more.pop("name", "nightly")
    there = [one.id for one in schedules.list_schedules(USER) if one.name == name]
    replaces = there[0] if more.pop("replace", False) and there else None
    new, staging = secrets.token_hex(16), schedules.jobs.staging
    taken = making.take(staging, new, name, timing, spec, replaces=replaces, **more)
    return taken.kept(lambda said: schedules.keep(USER, said))


def runs(schedules: ScheduleManager) -> list[Firing]:
    return schedules.get(USER, "nightly").runs


def ended(schedules: ScheduleManager, job_id: str) -> str:
    def over() -> Any:
        job = schedules.jobs.get(ALICE, job_id)
        return job if job.finished_at else None

    return str(until(over, "the job to end").state)


def test_it_runs_at_its_time_and_knows_which(schedules: ScheduleManager, clock: Clock) -> None:
    made = make(schedules)
    assert made.words == "At 03:00 every day, Europe/Berlin"
    assert [f"{one:%d. %H:%M}" for one in made.upcoming] == ["24. 02:00", "25. 02:00", "26. 02:00"]
    schedules.look()
    assert runs(schedules) == []
    clock.set("2026-11-24T02:00:03Z")
    due = schedules.look()
    assert due is not None
    assert due.day == 25
    (run,) = runs(schedules)
    assert (run.state, run.cause, run.missed) == ("started", "time", 0)
    assert run.job_id is not None
    assert ended(schedules, run.job_id) == "SUCCEEDED"
    assert runs(schedules)[0].job_state == "SUCCEEDED"
    (output,) = schedules.jobs.record(ALICE, run.job_id).outputs(-1)
    assert output.data["text/plain"] == "'2026-11-24T03:00:00+01:00'"
    schedules.look()
    assert len(runs(schedules)) == 1


def test_what_runs_is_what_was_scheduled(schedules: ScheduleManager, clock: Clock, folder: Path) -> None:
    (folder / "recipe.py").write_text("RATE = 1")
    make(schedules, spec=cell("import recipe\nrecipe.RATE"))
    (folder / "recipe.py").write_text("RATE = 2")
    clock.forward(days=1)
    schedules.look()
    (run,) = runs(schedules)
    assert run.job_id is not None
    assert ended(schedules, run.job_id) == "SUCCEEDED"
    (output,) = schedules.jobs.record(ALICE, run.job_id).outputs(-1)
    assert output.data["text/plain"] == "1"


@pytest.mark.parametrize(("catch_up", "count"), [("skip", 0), ("once", 1), ("all", 3)])
def test_missed_times_are_made_up_for(
    schedules: ScheduleManager, clock: Clock, catch_up: Any, count: int
) -> None:
    make(schedules, Timing(cron="0 3 * * *", catch_up=catch_up))
    clock.forward(days=3)  # nobody looked
    for _ in range(4):
        schedules.look()
        for run in runs(schedules):
            if run.job_id:
                ended(schedules, run.job_id)
    assert [run.state for run in runs(schedules)] == ["started"] * count
    found = schedules.get(USER, "nightly")
    if catch_up == "skip":
        assert found.skipped is not None
        assert found.skipped.reason == "3 times passed while nothing fired schedules."
    else:
        assert max(run.missed for run in found.runs) == 3
        assert {run.cause for run in found.runs} == {"catch_up"}


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow"])
def test_a_run_that_is_not_over(schedules: ScheduleManager, clock: Clock, folder: Path, overlap: Any) -> None:
    os.mkfifo(folder / "gate")
    make(schedules, Timing(cron="0 * * * *", overlap=overlap), GATED)
    clock.set("2026-11-23T13:00:01Z")
    schedules.look()
    clock.set("2026-11-23T14:00:01Z")
    schedules.look()
    first = schedules.get(USER, "nightly")
    states = {"skip": ["started"], "queue": ["waiting", "started"], "allow": ["started", "started"]}[overlap]
    assert [run.state for run in first.runs] == states
    if overlap == "skip":
        assert first.skipped is not None
        assert first.skipped.reason == "The run of 2026-11-23 13:00 is not over."
    if overlap == "queue":
        assert first.runs[0].reason == "It waits: the run of 2026-11-23 13:00 is not over."
        assert first.runs[1].job_id is not None
        schedules.jobs.cancel(ALICE, first.runs[1].job_id)
        ended(schedules, first.runs[1].job_id)
        schedules.look()
        assert [run.state for run in runs(schedules)] == ["started", "started"]


@pytest.mark.parametrize("jump", [{"hours": 1}, {"days": 365}], ids=["an hour", "a year"])
def test_a_clock_that_jumps_and_comes_back(
    schedules: ScheduleManager, clock: Clock, jump: dict[str, float]
) -> None:
    make(schedules, Timing(cron="0 * * * *", overlap="allow"))
    clock.set("2026-11-23T12:59:30Z")
    schedules.look()
    before = clock.now
    clock.forward(**jump)
    schedules.look()
    assert len(runs(schedules)) == 1
    clock.now = before  # somebody set it right
    schedules.look()
    assert f"{schedules.get(USER, 'nightly').next_due:%Y-%m-%d %H}" == "2026-11-23 13"
    clock.set("2026-11-23T13:00:02Z")
    schedules.look()
    keys = [run.key for run in runs(schedules)]
    assert keys.count("2026-11-23T13:00Z") == 1
    assert len(set(keys)) == len(keys)


def test_a_pause_is_not_made_up_for(schedules: ScheduleManager, clock: Clock) -> None:
    make(schedules, Timing(cron="0 3 * * *", catch_up="all"))
    paused = schedules.change(USER, "nightly", timing=None, paused=True, name=None)
    assert (paused.next_due, paused.upcoming) == (None, [])
    clock.forward(days=5)
    schedules.look()
    schedules.change(USER, "nightly", timing=None, paused=False, name=None)
    schedules.look()
    assert runs(schedules) == []


def test_run_now_is_one_run_however_often_it_is_asked(schedules: ScheduleManager) -> None:
    make(schedules)
    key = secrets.token_hex(16)
    first, again = schedules.run_now(USER, "nightly", key), schedules.run_now(USER, "nightly", key)
    assert first.job_id == again.job_id
    assert [run.cause for run in runs(schedules)] == ["hand"]


def test_a_new_version_of_a_dataset_starts_it(
    config: Config, schedules: ScheduleManager, clock: Clock
) -> None:
    context = Context(Platform(config), USER)
    destination = OperationsDestination(InProcess(context).call)
    digits = np.zeros((3, 8, 8), np.uint8)
    ingest_arrays(destination, "digits", digits)
    with pytest.raises(Exception, match="no dataset called 'other'"):
        make(schedules, Timing(dataset="other"))
    made = make(schedules, Timing(dataset="digits"))
    assert (made.words, made.next_due) == ("When digits has a new version", None)
    schedules.look()
    assert runs(schedules) == []
    with schedules.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO version (dataset_id, number, state, owner)"
            " SELECT dataset_id, number + 1, 'ready', owner FROM version"
        )
    schedules.look()
    schedules.look()
    (run,) = runs(schedules)
    assert (run.key, run.cause, run.state) == ("v2", "dataset", "started")
    context.platform.close()


def test_a_fresh_notebook_is_read_when_it_fires(
    schedules: ScheduleManager, clock: Clock, folder: Path
) -> None:
    from nbformat import v4, writes

    path = folder / "report.ipynb"
    path.write_text(writes(v4.new_notebook(cells=[v4.new_code_cell("print('first')")])))
    spec = JobSpec(kind="notebook", source=path.read_text(), origin=Origin(notebook="report.ipynb"))
    assert make(schedules, spec=spec, fresh=True).fresh
    path.write_text(writes(v4.new_notebook(cells=[v4.new_code_cell("print('second')")])))
    clock.forward(days=1)
    schedules.look()
    (run,) = runs(schedules)
    assert run.job_id is not None
    assert "second" in schedules.jobs.code(ALICE, run.job_id).source
    path.unlink()
    clock.forward(days=1)
    schedules.jobs.cancel(ALICE, run.job_id)
    ended(schedules, run.job_id)
    schedules.look()
    failed = runs(schedules)[0]
    assert (failed.state, failed.job_id) == ("failed", None)
    assert failed.reason is not None
    assert "report.ipynb cannot be read" in failed.reason


def test_the_same_name_again_takes_its_place(schedules: ScheduleManager, config: Config) -> None:
    first = make(schedules)
    with pytest.raises(Exception, match="There is a schedule 'nightly' already"):
        make(schedules)
    second = make(schedules, spec=cell("'other'"), replace=True)
    assert (second.id, len(schedules.list_schedules(USER))) == (first.id, 1)
    assert len(list((config.home_path / "schedules" / first.id).iterdir())) == 1
    assert schedules.delete(USER, "nightly")
    assert not (config.home_path / "schedules" / first.id).exists()


def test_what_cannot_run_is_refused_when_it_is_scheduled(schedules: ScheduleManager) -> None:
    for spec in (cell("1 +"), cell("1", folder="/nowhere"), cell("1", python="/no/python")):
        with pytest.raises(InvalidInput):
            make(schedules, spec=spec)
    assert schedules.list_schedules(USER) == []


# -- several processes ---------------------------------------------------------


def test_whoever_was_killed_between_claim_and_start_is_taken_over_from(
    another: Callable[[], ScheduleManager], clock: Clock, config: Config
) -> None:
    first, second = another(), another()
    make(first, Timing(cron="0 3 * * *", overlap="skip"), cell("open('runs', 'a').write('once ')"))
    clock.set("2026-11-24T03:00:01Z")
    child = multiprocessing.get_context("fork").Process(target=_die_before_start, args=(config, clock))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert [run.state for run in runs(first)] == ["waiting"]
    second.look()
    (run,) = runs(second)
    assert (run.state, run.key) == ("started", "2026-11-24T03:00Z")
    assert run.job_id is not None
    assert ended(second, run.job_id) == "SUCCEEDED"


def test_whoever_was_killed_after_the_start_started_the_only_one(
    another: Callable[[], ScheduleManager], clock: Clock, config: Config, folder: Path
) -> None:
    first, second = another(), another()
    make(first, Timing(cron="0 3 * * *", overlap="skip"), cell("open('runs', 'a').write('once ')"))
    clock.set("2026-11-24T03:00:01Z")
    child = multiprocessing.get_context("fork").Process(target=_die_after_start, args=(config, clock))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    second.look()
    (run,) = runs(second)
    assert run.state == "started"
    assert run.job_id is not None
    assert ended(second, run.job_id) == "SUCCEEDED"
    assert (folder / "runs").read_text() == "once "
    assert len(second.jobs.list_jobs(ALICE, JobPage())[0]) == 1


def test_two_processes_never_start_two(
    another: Callable[[], ScheduleManager], clock: Clock, config: Config, folder: Path
) -> None:
    schedules = another()
    make(schedules, Timing(cron="* * * * *", overlap="allow"), cell("open('runs', 'a').write('.')"))
    fork = multiprocessing.get_context("fork")
    both = [fork.Process(target=_look_often, args=(config, clock)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    found = schedules.firings(USER, "nightly", 100)
    assert [one.state for one in found] == ["started"] * 8
    jobs = schedules.jobs.list_jobs(ALICE, JobPage())[0]
    assert {job.id for job in jobs} == {one.job_id for one in found}
    for job in jobs:
        assert ended(schedules, job.id) == "SUCCEEDED"
    assert (folder / "runs").read_text() == "." * 8


def _manager(config: Config, clock: Clock) -> ScheduleManager:
    database = Database(config)
    return ScheduleManager(config, database, JobManager(config, database), clock)


def _die_before_start(config: Config, clock: Clock) -> None:
    kept.submit = lambda *args, **words: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    _manager(config, clock).look()


def _die_after_start(config: Config, clock: Clock) -> None:
    start = kept.submit

    def start_and_die(*args: Any) -> None:
        start(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    kept.submit = start_and_die  # type: ignore[assignment]
    _manager(config, clock).look()


def _look_often(config: Config, clock: Clock) -> None:
    schedules = _manager(config, clock)
    for _ in range(8):
        clock.forward(minutes=1)
        schedules.look()
    schedules.jobs.close()
    schedules.database.close()


def test_a_team_s_ticker_fires_its_own_schedules_only(
    config: Config, schedules: ScheduleManager, clock: Clock
) -> None:
    """A hub's service has one database for many teams, and for each a folder that others do not see."""
    make(schedules)
    elsewhere = Config(home=f"{config.home}-of-others", database_url=config.database_url)
    database = Database(elsewhere)
    others = ScheduleManager(elsewhere, database, JobManager(elsewhere, database, team="others"), clock)
    clock.forward(days=1)
    assert others.look() is None
    assert runs(schedules) == []
    schedules.look()
    assert [one.state for one in runs(schedules)] == ["started"]
    others.jobs.close()
    database.close()
