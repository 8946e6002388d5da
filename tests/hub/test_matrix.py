"""Endpoint × who asks, complete: an operation of the OpenAPI document without a line here fails.

What a team has is alice's, and is named so that it is recognised where it should
not be. A line says for stranger, administrator, teammate, job and owner:

- ``+`` it may; what comes is no matter here (a request that makes no sense is refused as such)
- ``x`` it does not exist for them
- ``!`` it exists, and they may not
- ``.`` not asked, because it would start MLflow
"""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from jupyter_blueno.api.catalog import CreateDataset, create_dataset
from jupyter_blueno.api.flows import start_flow
from jupyter_blueno.api.ingest import open_version
from jupyter_blueno.api.jobs import JobRef, SubmitJob, cancel_job, get_job, submit_job
from jupyter_blueno.api.operation import PREFIX
from jupyter_blueno.api.people import Invite, invite
from jupyter_blueno.api.schedules import CreateSchedule, create_schedule
from jupyter_blueno.api.sweeps import start_sweep
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.flows.model import FlowSpec, StepSpec
from jupyter_blueno.hub.tokens import JobTokens
from jupyter_blueno.ingest.model import BeginVersion
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.testing import until
from jupyter_blueno.schedules.model import Timing
from jupyter_blueno.sweeps.model import Choice, Plan, StartSweep
from jupyter_blueno.tracking import store
from jupyter_blueno.tracking.model import ModelVersion
from tests.hub.conftest import Hub
from tests.hub.test_service import ended

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SERVED: dict[str, dict[str, tuple[str, str]]] = {"service": {}, "beside": {}}  # name → method and path
for _path, _methods in DOCUMENT["paths"].items():
    for _method, _one in _methods.items():
        SERVED[_one["x-blueno-served"]][_one["operationId"]] = _method.upper(), _path

SECRET = "secret-of-radiology"  # in the names of all that is alice's
ASKING = ("stranger", "admin", "teammate", "job", "owner")
UNSEEN = re.compile(r"(dataset|version|job|schedule|sweep|flow|model)_not_found")

ROWS: dict[str, tuple[str, Callable[[World], dict[str, Any]]]] = {
    # status, changes
    "get_status": ("+++++", lambda w: {}),
    "diagnose": ("+++++", lambda w: {}),
    "get_changes": ("+++++", lambda w: {"since": 0}),
    "list_acts": ("+++!+", lambda w: {}),
    # people: administrators of the hub alone; whoever asks is told who they are
    "get_me": ("+++++", lambda w: {}),
    "list_people": ("!+!!!", lambda w: {}),
    "add_to_team": ("!+!!!", lambda w: {"team": "pathology", "name": "carol"}),
    "remove_from_team": ("!+!!!", lambda w: {"team": "pathology", "name": "admin"}),
    "stop_notebook": ("!+!!!", lambda w: {"name": "admin"}),
    "list_invitations": ("!+!!!", lambda w: {}),
    "invite": ("!+!!!", lambda w: {"team": "pathology", "days": 1}),
    "revoke_invitation": ("!+!!!", lambda w: {"id": w.an_invitation()}),
    "list_departures": ("!+!!!", lambda w: {}),
    "get_leaving": ("!+!!!", lambda w: {"name": "admin"}),
    "let_go": ("!+!!!", lambda w: {"name": w.somebody()}),
    "readmit": ("!+!!!", lambda w: {"name": w.somebody()}),
    # datasets: a team shares them
    "list_datasets": ("+++++", lambda w: {}),
    "create_dataset": ("+++++", lambda w: {"name": new()}),
    "get_dataset": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "list_columns": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "get_facets": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "get_ordinals": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "list_samples": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "get_samples": ("xx+++", lambda w: {"dataset_id": w.dataset, "ordinals": "0"}),
    "reserve_ordinals": ("xx+++", lambda w: {"dataset_id": w.dataset, "count": 1}),
    "reserve_sample": ("xx+++", lambda w: {"dataset_id": w.dataset, **sample()}),
    "insert_sample": (
        "xx+++",
        lambda w: {
            "dataset_id": w.dataset,
            "sample": {"dataset_id": w.dataset, **sample()},
            "ordinal": 10**6,
            "found": {},
        },
    ),
    "write_results": ("xx+++", lambda w: {"dataset_id": w.dataset, "ordinals": [0], "values": {"a": [1]}}),
    "remove_sample": ("xx+!+", lambda w: {"dataset_id": w.dataset, "ordinal": 0}),
    "delete_column": ("xx+!+", lambda w: {"dataset_id": w.dataset, "name": "none"}),
    "delete_dataset": ("xx+!+", lambda w: {"dataset_id": w.a_dataset()}),
    "restore_dataset": ("xx+++", lambda w: {"dataset_id": w.dataset}),
    "open_version": ("+++++", lambda w: {"name": new()}),
    "add_batch": (
        "xx+++",
        lambda w: {
            "version_id": w.version,
            "batch": {"first_ordinal": 0, "names": ["a"], "data_url": "file://x"},
        },
    ),
    "finish_version": ("xx+++", lambda w: {"version_id": w.version}),
    # jobs: a team sees them, their owner acts; a job knows itself and its parts
    "list_jobs": ("+++!+", lambda w: {}),
    "get_outlook": ("+++!+", lambda w: {"name": "a", "kind": "cell"}),
    "launch_jobs": ("+++!+", lambda w: {"jobs": [said("cell")]}),
    "get_team_usage": ("+++!+", lambda w: {}),
    "admit_notebook": ("+++!+", lambda w: {"server": new()}),
    "restart_notebook": ("+++!+", lambda w: {"profile": ""}),
    "report_notebook": ("+++!+", lambda w: {"server": new(), "busy": 0.5}),
    "get_job": ("xx+++", lambda w: {"job_id": w.job}),
    "change_job": ("xx!!+", lambda w: {"job_id": w.job, "priority": 1}),
    "cancel_job": ("xx!!+", lambda w: {"job_id": w.ended}),
    "delete_job": ("xx!!+", lambda w: {"job_id": w.job}),
    "cancel_jobs": ("+++!+", lambda w: {"jobs": [w.ended]}),
    "delete_jobs": ("+++!+", lambda w: {"jobs": [w.job]}),
    "repeat_job": ("xx!!+", lambda w: {"job_id": w.flow}),
    # flows and sweeps
    "begin_flow": (
        "+++!+",
        lambda w: {"conductor": said("flow"), "digest": "0" * 64, "parts": [PART], "resources": []},
    ),
    "get_flow": ("xx+!+", lambda w: {"flow_id": w.flow}),
    "list_flow_parts": ("xx+!+", lambda w: {"flow_id": w.flow, "step": SECRET}),
    "advance_flow": ("xx!!+", lambda w: {"flow_id": w.flow}),
    "resume_flow": ("xx!!+", lambda w: {"flow_id": w.flow, "id": new()}),
    "begin_sweep": (
        "+++!+",
        lambda w: {
            "conductor": said("sweep"),
            "kind": "command",
            "resources": {},
            "digest": "0" * 64,
            "plan": {"space": {"x": {"type": "choice", "values": [1]}}, "sampler": "grid"},
        },
    ),
    "get_sweep": ("xx+!+", lambda w: {"sweep_id": w.sweep}),
    "list_trials": ("xx+!+", lambda w: {"sweep_id": w.sweep}),
    "change_sweep": ("xx!!+", lambda w: {"sweep_id": w.sweep, "at_once": 1}),
    "resume_sweep": ("xx!!+", lambda w: {"sweep_id": w.sweep, "id": new()}),
    "begin_trial": (
        "xx!!+",
        lambda w: {"sweep_id": w.sweep, "parent": w.sweep, "number": -1, "parameters": {}},
    ),
    "settle_trial": ("xx!!+", lambda w: {"sweep_id": w.sweep, "number": 10**6, "state": "failed"}),
    # schedules
    "describe_cron": ("+++!+", lambda w: {"cron": "0 3 * * *"}),
    "list_schedules": ("+++!+", lambda w: {}),
    "keep_schedule": (
        "+++!+",
        lambda w: {
            "id": new(), "name": new(), "timing": {"cron": "0 0 1 1 *"}, "kind": "cell",
            "digest": "0" * 64, "resources": {}, "origin": {},
        },
    ),
    "get_schedule": ("xx+!+", lambda w: {"schedule_id": w.schedule}),
    "list_firings": ("xx+!+", lambda w: {"schedule_id": w.schedule}),
    "change_schedule": ("xx!!+", lambda w: {"schedule_id": w.schedule, "paused": True}),
    "run_schedule": ("xx!!+", lambda w: {"schedule_id": w.schedule, "key": new()}),
    "delete_schedule": ("xx!!+", lambda w: {"schedule_id": w.schedule}),
    # secrets: each team has its own, of which nobody is told the values
    "list_secrets": ("+++!+", lambda w: {}),
    "set_secret": ("+++!+", lambda w: {"name": "A_SECRET", "value": "x"}),
    "delete_secret": ("+++!+", lambda w: {"name": "A_SECRET"}),
    # models and MLflow: each team has a registry of its own, and a name means that of who asks
    "get_tracking": ("+++++", lambda w: {}),
    "bring_run": ("xx...", lambda w: {"job_id": w.job}),
    "list_models": ("+++++", lambda w: {}),
    "get_model": ("xx+++", lambda w: {"name": w.model}),
    "register_model": ("xx...", lambda w: {"name": new(), "staged": new(), "job_id": w.job}),
    "set_alias": (".....", lambda w: {"name": w.model, "alias": "a"}),
    "change_model": (".....", lambda w: {"name": w.model, "version": 1}),
    "delete_model": (".....", lambda w: {"name": w.model, "version": 1}),
}  # fmt: skip
PART: dict[str, Any] = {
    "position": 0, "number": 0, "step": "a", "kind": "command", "label": "", "needs": [], "takes": [],
    "mapped": False, "cache": False, "parameters": {}, "work": "",
}  # fmt: skip
ORDER = [name for name in ROWS if name not in ("finish_version", "delete_schedule")]
ORDER += ["finish_version", "delete_schedule"]  # last, what ends something


def new() -> str:
    return uuid.uuid4().hex


def sample() -> dict[str, Any]:
    return {"name": new(), "data_url": f"file://{new()}"}


def said(kind: str) -> dict[str, Any]:
    return {"id": new(), "name": "not laid out", "digest": "0" * 64, "kind": kind}


@dataclass
class World:
    """What is alice's, and who asks for it."""

    hub: Hub
    tokens: dict[str, str]
    dataset: int
    private: int
    version: int
    job: str
    ended: str
    flow: str
    sweep: str
    schedule: str
    model: str

    def a_dataset(self) -> int:
        """One of alice's that may be deleted."""
        alice = self.hub.asks(self.tokens["owner"])
        return alice.call(create_dataset, CreateDataset(f"{SECRET} {new()}")).id

    def an_invitation(self) -> str:
        admin = self.hub.asks(self.tokens["admin"])
        return admin.call(invite, Invite(team="pathology", days=1)).invitation.id

    def somebody(self) -> str:
        """Somebody whom nobody misses."""
        name = f"guest-{new()[:8]}"
        self.hub.sign_in(name)
        return name

    def ask(self, name: str, token: str | None, given: dict[str, Any]) -> tuple[int, str, str]:
        """Status, code and body of the answer to one request."""
        method, path = SERVED["service"].get(name) or SERVED["beside"][name]
        left = dict(given)
        for field in re.findall(r"{(\w+)}", path):
            path = path.replace("{" + field + "}", str(left.pop(field, 1)))
        headers = {"Authorization": f"token {token}"} if token else {}
        body = None
        if method in ("POST", "PATCH", "PUT"):
            body = json.dumps(left).encode()
        elif left:
            path += "?" + urllib.parse.urlencode(left)
        url = self.hub.service + PREFIX + urllib.parse.quote(path, safe="/?&=%")
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, "", response.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text)["code"], text


@pytest.fixture(scope="module")
def world(hub: Hub, postgres: sa.Engine) -> Iterator[World]:
    at = hub.beside("alice")
    alice = at.service
    people = {"owner": "alice", "teammate": "bob", "stranger": "carol", "admin": "admin"}
    tokens = {role: hub.sign_in(name) for role, name in people.items()}
    short = hub.api("POST", "/users/alice/tokens", {"expires_in": 1})
    began = time.monotonic()
    sleep = JobSpec(kind="command", command=["sleep", "1000"])
    short_one = JobSpec(kind="command", command=["true"])
    job = at.call(submit_job, SubmitJob(new(), SECRET, sleep)).id
    over = at.call(submit_job, SubmitJob(new(), SECRET, short_one)).id
    flow = at.call(start_flow, FlowSpec(new(), SECRET, [StepSpec(SECRET, sleep)])).id
    plan = Plan({"x": Choice([1, 2])}, sampler="grid", at_once=1)
    tried = JobSpec(kind="command", command=["sleep", "100{x}"])
    sweep = at.call(start_sweep, StartSweep(new(), SECRET, tried, plan)).id
    yearly = CreateSchedule(new(), SECRET, Timing(cron="0 0 1 1 *"), short_one)
    schedule = at.call(create_schedule, yearly).id
    dataset = alice.call(create_dataset, CreateDataset(f"{SECRET} {new()}")).id
    private = alice.call(create_dataset, CreateDataset(f"{SECRET} {new()}", visibility="private")).id
    version = alice.call(open_version, BeginVersion(f"{SECRET} {new()}")).version_id
    engine = sa.create_engine(postgres.url.set(database="hub"))
    with engine.begin() as connection:
        made = msgspec.convert(
            {"name": SECRET, "version": 1, "created_at": "2026-01-01T00:00:00Z", "source": "x"}, ModelVersion
        )
        store.put(connection, "radiology", [made])
    engine.dispose()
    until(lambda: alice.call(get_job, JobRef(job)).state == "RUNNING", "the job to run")
    ended(alice, over)
    tokens["job"] = JobTokens("a-token-of-the-service-for-tests").of(job)
    tokens["expired"] = short["token"]
    time.sleep(max(0.0, began + 1.1 - time.monotonic()))  # until it is over, and nothing else tells
    yield World(hub, tokens, dataset, private, version, job, over, flow, sweep, schedule, SECRET)
    for one in (job, flow, sweep):  # others have to have their turn
        with contextlib.suppress(BluenoError):
            alice.call(cancel_job, JobRef(one))
            ended(alice, one)


def test_every_operation_has_a_line() -> None:
    assert set(ROWS) == set(SERVED["service"])
    assert all(len(line) == len(ASKING) for line, _ in ROWS.values())


def test_nobody_is_served_who_is_not_signed_in(world: World) -> None:
    for name in (*ROWS, *SERVED["beside"]):
        for token in (None, "wrong", world.tokens["expired"], world.tokens["job"][:-1] + "x"):
            status, code, _ = world.ask(name, token, {})
            assert (status, code) == (403, "http_403"), name


def test_what_reads_files_is_not_served_to_anybody(world: World) -> None:
    for name in SERVED["beside"]:
        for role in ASKING:
            status, code, _ = world.ask(name, world.tokens[role], {})
            assert (status, code) == (404, "files_elsewhere"), (name, role)


@pytest.mark.parametrize("name", ORDER)
def test_who_may(world: World, name: str) -> None:
    line, given = ROWS[name]
    for role, mark in zip(ASKING, line, strict=True):
        if mark == ".":
            continue
        asked = given(world)
        status, code, text = world.ask(name, world.tokens[role], asked)
        found = "+"
        if status == 403:
            found = "!"
        elif status == 404 and UNSEEN.fullmatch(code):
            found = "x"
        assert found == mark, (role, status, text)
        assert status < 500, text
        if code == "invalid_request":
            raise AssertionError(f"the line of {name} is no request: {text}")
        told = name == "list_acts" and role == "admin"  # which is what they are told them for
        if role in ("stranger", "admin") and not told and SECRET not in asked.values():
            assert SECRET not in text, role


@pytest.mark.parametrize("name", [one for one in ROWS if "{dataset_id}" in SERVED["service"][one][1]])
def test_a_private_dataset_is_its_owner_s_alone(world: World, name: str) -> None:
    _, given = ROWS[name]
    asked = given(world) | {"dataset_id": world.private}
    status, code, text = world.ask(name, world.tokens["teammate"], asked)
    assert (status, code) == (404, "dataset_not_found"), text
