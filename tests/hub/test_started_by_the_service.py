"""What the service starts by itself, it makes of what notebook servers laid out."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.api.flows import FlowRef, ResumeFlow, get_flow, resume_flow, start_flow
from jupyter_blueno.api.jobs import (
    JobFile,
    JobRef,
    RerunJob,
    SubmitJob,
    get_code,
    get_job_file,
    rerun_job,
    submit_job,
)
from jupyter_blueno.api.schedules import (
    CreateSchedule,
    RunSchedule,
    ScheduleFlow,
    create_schedule,
    run_schedule,
    schedule_flow,
)
from jupyter_blueno.api.sweeps import ResumeSweep, SweepRef, get_sweep, resume_sweep, start_sweep
from jupyter_blueno.client.transport import Beside
from jupyter_blueno.flows.model import FlowSpec, StepSpec
from jupyter_blueno.jobs.model import JobSpec, Origin
from jupyter_blueno.schedules.model import Timing
from jupyter_blueno.sweeps.model import Choice, Plan, StartSweep, Stop
from tests.hub.conftest import Hub
from tests.hub.test_paths import looked_at
from tests.hub.test_service import ended

pytestmark = pytest.mark.usefixtures("nothing_looked_at")
YEARLY = Timing(cron="0 0 1 1 *")


@pytest.fixture
def alice(hub: Hub) -> Beside:
    at = hub.beside("alice")
    (hub.volume / "home" / "alice" / "aside.py").write_text("WORD = 'aside'\n")
    return at


def notebook(text: str) -> str:
    cell: dict[str, Any] = {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}
    cell |= {"execution_count": None, "id": "a"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def log_of(at: Beside, job_id: str) -> str:
    return at.call(get_job_file, JobFile(job_id, "log")).body.decode()


def test_a_schedule_runs_its_snapshot(hub: Hub, alice: Beside) -> None:
    home = hub.volume / "home" / "alice"
    spec = JobSpec(kind="cell", source="import aside; print(aside.WORD)", folder=str(home))
    made = alice.call(create_schedule, CreateSchedule(uuid.uuid4().hex, uuid.uuid4().hex, YEARLY, spec))
    (home / "aside.py").write_text("WORD = 'changed'\n")
    fired = alice.call(run_schedule, RunSchedule(made.id, uuid.uuid4().hex))
    assert fired.job_id
    assert ended(alice.service, fired.job_id).state == "SUCCEEDED"
    assert log_of(alice, fired.job_id) == "aside\n"
    assert looked_at(hub) == []


def test_a_fresh_notebook_is_read_by_its_job(hub: Hub, alice: Beside) -> None:
    file = hub.volume / "home" / "alice" / "report.ipynb"
    file.write_text(notebook("print('as it was')"))
    spec = JobSpec(
        kind="notebook", source=file.read_text(), folder=str(file.parent), origin=Origin(str(file))
    )
    ask = CreateSchedule(uuid.uuid4().hex, uuid.uuid4().hex, YEARLY, spec, fresh=True)
    made = alice.call(create_schedule, ask)
    file.write_text(notebook("print('as it is')"))
    fired = alice.call(run_schedule, RunSchedule(made.id, uuid.uuid4().hex))
    assert fired.job_id
    job = ended(alice.service, fired.job_id)
    assert job.state == "SUCCEEDED", (job.reason, log_of(alice, job.id))
    executed = alice.call(get_job_file, JobFile(job.id, "notebook")).body.decode()
    assert "as it is" in executed
    assert "as it was" not in executed
    assert looked_at(hub) == []


def test_a_flow_hands_on_values_and_is_resumed(hub: Hub, alice: Beside) -> None:
    home = str(hub.volume / "home" / "alice")
    first = StepSpec("first", JobSpec(kind="cell", source="import aside; print(aside.WORD)", folder=home))
    last = StepSpec("last", JobSpec(kind="command", command=["false"], folder=home), needs=["first"])
    flow = alice.call(start_flow, FlowSpec(uuid.uuid4().hex, "steps", [first, last]))
    ended(alice.service, flow.id)
    steps = alice.service.call(get_flow, FlowRef(flow.id)).steps
    assert [step.state for step in steps] == ["SUCCEEDED", "FAILED"]
    assert log_of(alice, steps[0].job_id or "") == "aside\n"
    assert "import aside" in alice.call(get_code, JobRef(flow.id)).source
    again = alice.service.call(resume_flow, ResumeFlow(flow.id, uuid.uuid4().hex))
    ended(alice.service, again.id)
    steps = alice.service.call(get_flow, FlowRef(again.id)).steps
    assert [step.state for step in steps] == ["SUCCEEDED", "FAILED"]
    assert steps[0].reused
    assert looked_at(hub) == []


def test_a_flow_is_started_by_its_schedule_as_it_was(hub: Hub, alice: Beside) -> None:
    home = hub.volume / "home" / "alice"
    look = JobSpec(kind="cell", source="import aside; print(aside.WORD)", folder=str(home))
    flow = FlowSpec(uuid.uuid4().hex, uuid.uuid4().hex, [StepSpec("look", look)])
    made = alice.call(schedule_flow, ScheduleFlow(YEARLY, flow))
    (home / "aside.py").write_text("WORD = 'changed'\n")
    fired = alice.call(run_schedule, RunSchedule(made.id, uuid.uuid4().hex))
    assert fired.job_id, fired.reason
    assert ended(alice.service, fired.job_id).state == "SUCCEEDED"
    (step,) = alice.service.call(get_flow, FlowRef(fired.job_id)).steps
    assert log_of(alice, step.job_id or "") == "aside\n"
    assert looked_at(hub) == []


def test_a_sweep_goes_on_and_a_job_runs_again(hub: Hub, alice: Beside) -> None:
    home = str(hub.volume / "home" / "alice")
    script = Path(home, "try.py")
    script.write_text("import sys, aside; print(aside.WORD, sys.argv[1])")
    work = JobSpec(kind="command", command=["python", "try.py", "{x}"], folder=home)
    plan = Plan({"x": Choice([1, 2, 3])}, sampler="grid", at_once=1, stop=Stop(trials=1))
    sweep = alice.call(start_sweep, StartSweep(uuid.uuid4().hex, "tries", work, plan))
    script.unlink()
    ended(alice.service, sweep.id)
    alice.service.call(resume_sweep, ResumeSweep(sweep_id=sweep.id, id=(more := uuid.uuid4().hex), trials=2))
    ended(alice.service, more)
    told = alice.service.call(get_sweep, SweepRef(sweep.id))
    assert sum(told.counts.values()) == 2
    job = alice.call(
        submit_job, SubmitJob(uuid.uuid4().hex, "one", JobSpec(kind="cell", source="print(6 * 7)"))
    )
    ended(alice.service, job.id)
    second = alice.call(rerun_job, RerunJob(job_id=job.id, name="two"))
    assert ended(alice.service, second.id).state == "SUCCEEDED"
    assert log_of(alice, second.id) == "42\n"
    assert looked_at(hub) == []
