"""The flow's own job is killed, and asked to go on by several at once: each step is run once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.api.flows import start_flow
from jupyter_blueno.client.transport import InProcess
from jupyter_blueno.database.tables import version
from jupyter_blueno.flows import going, seeing
from jupyter_blueno.flows.model import FlowSpec, StepSpec
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.testing import until

SOON = 100.0  # seconds


def noted(folder: str, mark: str, *_: object) -> str:
    import time

    with open(os.path.join(folder, mark), "a") as file:
        file.write("x")
    time.sleep(0.3)
    return mark


def chain(folder: Path, length: int) -> blueno.FlowRun:
    flow = blueno.flow("chain")
    last: object = None
    for at in range(length):
        last = flow.step(noted, str(folder), f"s{at}", last, name=f"s{at}")
        flow.map(noted, [str(folder)] * 2, [f"m{at}-0", f"m{at}-1"], [last] * 2, name=f"m{at}")
    return flow.submit()


def read(marks: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in marks.iterdir()}


def conductor_of(context: Context, job_id: str) -> int | None:
    """The process that conducts, while there is one."""
    status = JobFolder.of(context.config, job_id).read("status.json", SupervisorStatus)
    return status.child if status is not None else None


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where each call leaves a mark."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.mark.timeout(240)
def test_killed_twice_it_goes_on_where_it_was(spoken: Context, marks: Path) -> None:
    run = chain(marks, 2)
    killed: list[int] = []

    def another() -> int | None:
        pid = conductor_of(spoken, run.id)
        return None if pid in killed else pid

    until(lambda: (marks / "s0").exists(), "the first step")
    for _ in range(2):
        pid = until(another, "a conductor")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed.append(pid)
    run.wait(SOON)
    assert run.state == "SUCCEEDED", run.log()
    assert run._info.attempt == 3
    assert read(marks) == dict.fromkeys(["s0", "m0-0", "m0-1", "s1", "m1-0", "m1-1"], "x")


@pytest.mark.timeout(240)
def test_several_may_have_it_go_on_at_once(spoken: Context, marks: Path) -> None:
    run = chain(marks, 2)
    over = threading.Event()
    troubles: list[BaseException] = []

    def push() -> None:
        while not over.is_set():
            try:
                going.advance(spoken.platform.jobs, spoken.user, run.id)
            except errors.Conflict as error:
                if error.code != "parent_over":
                    troubles.append(error)
            except BaseException as error:
                troubles.append(error)

    threads = [threading.Thread(target=push) for _ in range(3)]
    for one in threads:
        one.start()
    run.wait(SOON)
    over.set()
    for one in threads:
        one.join()
    assert not troubles
    assert run.state == "SUCCEEDED"
    assert read(marks) == dict.fromkeys(["s0", "m0-0", "m0-1", "s1", "m1-0", "m1-1"], "x")


def test_the_same_request_again_is_the_same_flow(spoken: Context) -> None:
    ask = FlowSpec("ab" * 16, "twice", [StepSpec("true", JobSpec(kind="command", command=["true"]))])
    jobs = spoken.platform.jobs
    first = start_flow(spoken, ask)
    assert start_flow(spoken, ask).id == first.id
    with pytest.raises(errors.Conflict):
        start_flow(spoken, msgspec.structs.replace(ask, name="other"))
    run = blueno.job(first.id)
    assert isinstance(run, blueno.FlowRun)
    assert run.wait(SOON).state == "SUCCEEDED"
    with pytest.raises(errors.NotFound, match="is no flow"):
        seeing.see(jobs, spoken.user, run["true"].job.id)
    again = run.rerun()
    assert isinstance(again, blueno.FlowRun)
    assert again.wait(SOON).state == "SUCCEEDED"
    assert not again["true"].reused
    assert "# true (command)" in run.code().source


def test_a_step_whose_input_was_deleted_says_so(spoken: Context) -> None:
    def keep() -> object:
        return threading.Lock()  # cannot be pickled

    flow = blueno.flow("lost")
    flow.step(str, flow.step(keep), name="after")
    run = flow.submit().wait(SOON)
    until(lambda: run["after"].state == "NOT_RUN")
    assert "what 'keep' returned is not there" in (run["after"].reason or "")
    assert run.state == "FAILED"


def test_a_cached_step_runs_again_when_its_dataset_has_a_newer_version(spoken: Context) -> None:
    def reading(dataset_id: int) -> int:
        from jupyter_blueno.catalog.model import Filter
        from jupyter_blueno.jobs.inside import used

        used.note(dataset_id, "digits", 1, Filter())
        return dataset_id

    def run() -> bool:
        flow = blueno.flow("reading")
        flow.step(reading, dataset.id, cache=True)
        made = flow.submit()
        assert made.result(SOON) == {"reading": dataset.id}
        return made["reading"].reused

    pictures = np.zeros((2, 8, 8), np.uint8)
    dataset = ingest_arrays(OperationsDestination(InProcess(spoken).call), "digits", pictures)
    assert [run(), run()] == [False, True]
    with spoken.database.begin() as connection:
        newer = {"dataset_id": dataset.id, "number": 2, "state": "ready", "owner": "alice"}
        connection.execute(sa.insert(version).values(**newer))
    assert run() is False
