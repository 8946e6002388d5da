"""The service of a hub: who may ask what, as whom."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.api.catalog import (
    CreateDataset,
    DatasetRef,
    ListDatasets,
    create_dataset,
    delete_dataset,
    list_datasets,
)
from jupyter_blueno.api.flows import start_flow
from jupyter_blueno.api.jobs import (
    JobRef,
    LaunchJobs,
    SubmitJob,
    cancel_job,
    get_job,
    launch_jobs,
    list_jobs,
    submit_job,
)
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.api.many import ManyJobs, cancel_jobs
from jupyter_blueno.api.operation import PREFIX, Nothing, Operation, operations
from jupyter_blueno.api.schedules import CreateSchedule, ScheduleRef, create_schedule, delete_schedule
from jupyter_blueno.api.secrets import SecretRef, SetSecret, delete_secret, list_secrets, set_secret
from jupyter_blueno.api.status import Changes, ChangesSince, get_changes, get_status
from jupyter_blueno.api.sweeps import start_sweep
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError, Conflict, InvalidInput, NotAllowed, NotFound
from jupyter_blueno.flows.model import FlowSpec, StepSpec
from jupyter_blueno.jobs import intent
from jupyter_blueno.jobs.model import TERMINAL, Job, JobPage, JobSpec
from jupyter_blueno.schedules.model import Timing
from jupyter_blueno.sweeps.model import Choice, Plan, StartSweep
from tests.hub.conftest import Hub


def ended(at: Http, job_id: str) -> Job:
    deadline = time.monotonic() + 60
    while (job := at.call(get_job, JobRef(job_id))).state not in TERMINAL:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def test_people_are_who_the_hub_says(hub: Hub) -> None:
    status = hub.asks(hub.sign_in("alice")).call(get_status, Nothing())
    assert (status.user, status.team, status.database) == ("alice", "radiology", "external")
    assert status.home == str(hub.volume / "teams" / "radiology")
    assert hub.asks(hub.sign_in("dave")).call(get_status, Nothing()).team == "team"


def test_a_team_is_not_entered_by_its_name(hub: Hub) -> None:
    with pytest.raises(NotAllowed, match="not in the team 'pathology'; yours: radiology"):
        hub.asks(hub.sign_in("alice"), "pathology").call(get_status, Nothing())


def test_who_waits_together_is_told_no_more_than_each_may_see(hub: Hub) -> None:
    names = {one: f"{one} {uuid.uuid4().hex[:6]}" for one in ("alice's own", "bob's own", "the team's")}
    people = {name: hub.asks(hub.sign_in(name)) for name in ("alice", "bob")}
    seen: dict[str, set[str]] = {name: set() for name in people}
    since = people["bob"].call(get_changes, ChangesSince()).revision

    def follow(name: str) -> None:
        revision, deadline = since, time.monotonic() + 60
        while names["the team's"] not in seen[name]:
            assert time.monotonic() < deadline
            told: Changes = people[name].call(get_changes, ChangesSince(revision, 10))
            revision = told.revision
            seen[name] |= {one.name for one in told.datasets}

    with ThreadPoolExecutor() as threads:
        following = [threads.submit(follow, name) for name in people]
        made = [
            people[name].call(create_dataset, CreateDataset(names[f"{name}'s own"], visibility="private"))
            for name in people
        ]
        made.append(people["bob"].call(create_dataset, CreateDataset(names["the team's"])))
        for one in following:
            one.result()
    for name, found in seen.items():
        assert found & set(names.values()) == {names[f"{name}'s own"], names["the team's"]}
    for owner, one in zip(("alice", "bob", "bob"), made, strict=True):
        people[owner].call(delete_dataset, DatasetRef(one.id))


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.name)
def test_nobody_is_served_without_a_token_of_the_hub(hub: Hub, operation: Operation[Any, Any]) -> None:
    for headers in ({}, {"Authorization": "token wrong"}):
        path = operation.path.replace("{", "").replace("}", "")
        request = urllib.request.Request(hub.service + PREFIX + path, None, headers, method=operation.method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        assert refused.value.code == 403


def test_a_team_s_datasets_and_jobs_are_its_own(hub: Hub) -> None:
    alice, bob, carol = (hub.asks(hub.sign_in(name)) for name in ("alice", "bob", "carol"))
    made = alice.call(create_dataset, CreateDataset("hearts", visibility="team"))
    assert (made.owner, made.team) == ("alice", "radiology")
    assert made.id in [one.id for one in bob.call(list_datasets, ListDatasets()).datasets]
    assert {one.team for one in carol.call(list_datasets, ListDatasets()).datasets} <= {"pathology"}
    spec = JobSpec(kind="command", command=["sh", "-c", "echo of $BLUENO_HOME; env | grep -c DATABASE"])
    job = hub.beside("alice").call(submit_job, SubmitJob(uuid.uuid4().hex, "mine", spec))
    assert ended(bob, job.id).state == "FAILED"  # grep counted none
    log = hub.beside("bob").call(get_log, LogRange(job.id, 0, 10_000)).body.decode()
    assert log == f"of {hub.volume}/teams/radiology\n0\n"
    with pytest.raises(NotFound):
        carol.call(get_job, JobRef(job.id))


def test_an_id_that_another_team_has_is_refused_and_nothing_told(hub: Hub) -> None:
    spec = JobSpec(kind="command", command=["true"])
    alice, carol = hub.beside("alice"), hub.beside("carol", "pathology")
    one = alice.call(submit_job, SubmitJob(uuid.uuid4().hex, "mine", spec)).id
    with pytest.raises(Conflict, match="has this id already"):
        carol.call(submit_job, SubmitJob(one, "mine", spec))
    flow = FlowSpec(uuid.uuid4().hex, "ours", [StepSpec("a", spec)])
    alice.call(start_flow, flow)
    with pytest.raises(Conflict, match="has this id already"):
        carol.call(start_flow, flow)
    plan = Plan({"x": Choice([1])}, sampler="grid")
    sweep = StartSweep(uuid.uuid4().hex, "ours", JobSpec(kind="command", command=["true", "{x}"]), plan)
    alice.call(start_sweep, sweep)
    with pytest.raises(Conflict, match="has this id already"):
        carol.call(start_sweep, sweep)
    yearly = CreateSchedule(uuid.uuid4().hex, "ours", Timing(cron="0 0 1 1 *"), spec)
    alice.call(create_schedule, yearly)
    with pytest.raises(Conflict):
        carol.call(create_schedule, yearly)
    alice.service.call(delete_schedule, ScheduleRef(yearly.id))
    for job_id in (one, flow.id, sweep.id):
        ended(hub.asks(hub.sign_in("alice")), job_id)


def test_a_team_s_secrets_are_its_own(hub: Hub) -> None:
    alice, bob, carol = (hub.asks(hub.sign_in(name)) for name in ("alice", "bob", "carol"))
    alice.call(set_secret, SetSecret("TEAM_TOKEN", "only-radiology"))
    found = {(one.name, one.owner) for one in bob.call(list_secrets, Nothing()).secrets}
    assert ("TEAM_TOKEN", "alice") in found  # beside those of other tests
    assert "TEAM_TOKEN" not in {one.name for one in carol.call(list_secrets, Nothing()).secrets}
    spec = JobSpec(kind="command", command=["printenv", "TEAM_TOKEN"], secrets=["TEAM_TOKEN"])
    with pytest.raises(InvalidInput, match="no secret 'TEAM_TOKEN'"):
        hub.beside("carol", "pathology").call(submit_job, SubmitJob(uuid.uuid4().hex, "not ours", spec))
    job = hub.beside("bob").call(submit_job, SubmitJob(uuid.uuid4().hex, "ours", spec))
    assert ended(alice, job.id).state == "SUCCEEDED"
    assert hub.beside("alice").call(get_log, LogRange(job.id, 0, 10_000)).body == b"only-radiology\n"
    assert carol.call(delete_secret, SecretRef("TEAM_TOKEN")).done is False
    assert bob.call(delete_secret, SecretRef("TEAM_TOKEN")).done


def test_a_token_is_dead_when_the_hub_takes_it_back(hub: Hub) -> None:
    at = hub.asks(hub.sign_in("erin"))
    at.call(get_status, Nothing())
    for one in hub.api("GET", "/users/erin/tokens")["api_tokens"]:
        hub.api("DELETE", f"/users/erin/tokens/{one['id']}")
    deadline = time.monotonic() + 60
    while True:
        try:
            at.call(get_status, Nothing())
        except BluenoError:
            return
        assert time.monotonic() < deadline
        time.sleep(0.5)


def token_of(hub: Hub, job: Job) -> str:
    """The token in the environment of a job's running process."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environ = (process / "environ").read_bytes().split(b"\0")
            if f"BLUENO_JOB_ID={job.id}".encode() in environ:
                (found,) = (one for one in environ if one.startswith(b"BLUENO_JOB_TOKEN="))
                return found.partition(b"=")[2].decode()
    raise AssertionError("it does not run")


def test_a_job_s_token_is_good_for_its_own_business_until_it_ends(hub: Hub) -> None:
    alice = hub.asks(hub.sign_in("alice"))
    spec = JobSpec(kind="command", command=["sleep", "1000"])
    at = hub.beside("alice")
    job, other = (at.call(submit_job, SubmitJob(uuid.uuid4().hex, name, spec)) for name in ("one", "two"))
    while alice.call(get_job, JobRef(job.id)).state != "RUNNING":
        time.sleep(0.05)
    token = token_of(hub, job)
    own = hub.asks(token)
    assert own.call(get_status, Nothing()).user == "alice"
    assert own.call(get_job, JobRef(job.id)).name == "one"
    for operation, ask in (
        (cancel_job, JobRef(other.id)),
        (list_jobs, JobPage()),
        (launch_jobs, LaunchJobs([intent.of(uuid.uuid4().hex, "more", spec, "0" * 64)])),
        (cancel_jobs, ManyJobs([other.id])),
        (delete_dataset, DatasetRef(1)),
    ):
        with pytest.raises(NotAllowed, match="A job may not do this"):
            own.call(operation, ask)
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    with pytest.raises(NotAllowed):
        hub.asks(forged).call(get_status, Nothing())
    for one in (job, other):
        alice.call(cancel_job, JobRef(one.id))
        ended(alice, one.id)
    with pytest.raises(NotAllowed):
        own.call(get_status, Nothing())
