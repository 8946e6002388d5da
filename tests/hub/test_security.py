"""Tokens and scopes, secrets, limits, and the record of who did what."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from jupyterhub.services.auth import HubAuth
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from jupyter_blueno.api.audit import ActPage, list_acts
from jupyter_blueno.api.catalog import (
    CreateDataset,
    DatasetRef,
    create_dataset,
    delete_dataset,
    get_dataset,
)
from jupyter_blueno.api.jobs import JobRef, SubmitJob, cancel_job, delete_job, get_job, list_jobs, submit_job
from jupyter_blueno.api.operation import PREFIX, Nothing
from jupyter_blueno.api.status import get_status
from jupyter_blueno.config import Config
from jupyter_blueno.database import audit
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import NotAllowed, NotFound
from jupyter_blueno.hub.directory import HubDirectory
from jupyter_blueno.hub.handlers import BODY_LIMIT
from jupyter_blueno.hub.rates import Rates
from jupyter_blueno.hub.service import BluenoService
from jupyter_blueno.hub.teams import Teams
from jupyter_blueno.hub.tokens import JobTokens
from jupyter_blueno.jobs.model import JobPage, JobSpec
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import TOKEN, Hub
from tests.hub.test_service import ended


def rows_of(postgres: sa.Engine) -> str:
    """All that is in the service's database, as text."""
    engine = sa.create_engine(postgres.url.set(database="hub"))
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        found = [
            str(connection.execute(sa.text(f'SELECT "{one}"::text FROM "{one}"')).all()) for one in tables
        ]
    engine.dispose()
    return "\n".join(found)


def test_token_and_scope_are_checked_on_each_call(hub: Hub) -> None:
    whole = hub.sign_in("alice")
    assert hub.asks(whole).call(get_status, Nothing()).user == "alice"
    for scopes in (["read:users:name!user"], ["access:servers!user=alice"]):
        less = hub.api("POST", "/users/alice/tokens", {"scopes": scopes})["token"]
        with pytest.raises(NotAllowed):
            hub.asks(less).call(get_status, Nothing())
    with pytest.raises(NotAllowed):  # of a service, which is nobody
        hub.asks(TOKEN).call(get_status, Nothing())
    for job_id in ("0" * 32, uuid.uuid4().hex):  # by another secret, and of a job that is none
        for secret in ("guessed", "a-token-of-the-service-for-tests"):
            with pytest.raises(NotAllowed):
                hub.asks(JobTokens(secret).of(job_id)).call(get_status, Nothing())


def test_a_job_s_token_is_its_own_and_dies_with_it(hub: Hub) -> None:
    at, alice = hub.beside("alice"), hub.asks(hub.sign_in("alice"))
    spec = JobSpec(kind="command", command=["sleep", "1000"])
    job = at.call(submit_job, SubmitJob(uuid.uuid4().hex, "tokens", spec))
    until(lambda: alice.call(get_job, JobRef(job.id)).state == "RUNNING", "the job to run")
    own = hub.asks(JobTokens("a-token-of-the-service-for-tests").of(job.id))
    assert own.call(get_job, JobRef(job.id)).id == job.id
    alice.call(cancel_job, JobRef(job.id))
    ended(alice, job.id)
    with pytest.raises(NotAllowed):
        own.call(get_job, JobRef(job.id))


def test_secrets_are_in_no_database_log_repr_or_other_s_environment(hub: Hub, postgres: sa.Engine) -> None:
    at, alice = hub.beside("alice"), hub.asks(hub.sign_in("alice"))
    value = f"value-{uuid.uuid4().hex}"
    spec = JobSpec(kind="command", command=["sleep", "1000"], environment={"API_KEY": value})
    ask = SubmitJob(uuid.uuid4().hex, "with a secret", spec)
    job = at.call(submit_job, ask)
    until(lambda: alice.call(get_job, JobRef(job.id)).state == "RUNNING", "the job to run")
    token = JobTokens("a-token-of-the-service-for-tests").of(job.id)
    holders = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found = (process / "environ").read_bytes()
        except OSError:
            continue
        if value.encode() in found or token.encode() in found:
            holders.append(f"BLUENO_JOB_ID={job.id}".encode() in found.split(b"\0"))
    assert holders
    assert all(holders)
    told = [repr(alice.call(get_job, JobRef(job.id))), repr(alice.call(list_jobs, JobPage()))]
    told += [repr(alice), repr(at), rows_of(postgres), (hub.folder / "hub.log").read_text()]
    for secret in (value, token, alice.token or "?", "a-token-of-the-service-for-tests"):
        assert not any(secret in text for text in told)
    folder = hub.volume / "teams" / "radiology" / "jobs" / job.id
    for file in folder.rglob("*"):
        if file.is_file() and value.encode() in file.read_bytes():
            assert (file.name, file.stat().st_mode & 0o077) in (("variables.json", 0), ("environ", 0))
    alice.call(cancel_job, JobRef(job.id))
    ended(alice, job.id)
    assert alice.call(delete_job, JobRef(job.id)).done
    assert not folder.exists()


def test_bodies_have_a_limit_before_they_are_read(hub: Hub) -> None:
    place = urlsplit(hub.service)
    token = hub.sign_in("alice")
    for given, status in ((token, 413), ("wrong", 413)):
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        connection.putrequest("POST", f"{place.path}{PREFIX}/datasets")
        connection.putheader("Authorization", f"token {given}")
        connection.putheader("Content-Length", str(BODY_LIMIT + 1))
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (status, "too_large")
        connection.close()


@pytest.fixture
def impatient(hub: Hub, config: Config) -> Iterator[str]:
    """A service that takes few requests in a minute, beside the same hub."""
    service = BluenoService(requests_per_minute=5, guesses_per_minute=10)
    auth = HubAuth(
        api_token="a-token-of-the-service-for-tests",
        api_url=f"{hub.url}/hub/api",
        access_scopes={"access:services!service=blueno"},
    )
    config.of_several = True
    teams = Teams(
        config, "http://nowhere", JobTokens("another secret"), HubDirectory(auth.api_url, ""), "team"
    )
    started: Queue[tuple[int, Any, Any]] = Queue()

    async def serve() -> None:
        (listening,) = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(service.application(teams, auth))
        server.add_sockets([listening])
        over = asyncio.Event()
        started.put((listening.getsockname()[1], asyncio.get_running_loop(), over))
        await over.wait()
        server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, loop, over = started.get(timeout=30)
    yield f"http://127.0.0.1:{port}{service.prefix.rstrip('/')}"
    loop.call_soon_threadsafe(over.set)
    thread.join()
    teams.close()


def status_at(url: str, token: str) -> tuple[int, str | None]:
    """The status of one answer, and after how many seconds the next request is welcome."""
    request = urllib.request.Request(f"{url}{PREFIX}/acts", headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"]


def test_requests_a_minute_have_a_limit(hub: Hub, impatient: str) -> None:
    alice, bob = hub.sign_in("alice"), hub.sign_in("bob")
    found = [status_at(impatient, alice) for _ in range(8)]
    assert [status for status, _ in found[:5]] == [200] * 5
    assert found[-1][0] == 429
    assert 1 <= int(found[-1][1] or 0) <= 12
    assert status_at(impatient, hub.sign_in("alice"))[0] == 429  # another token, the same person
    assert status_at(impatient, bob)[0] == 200


def test_who_guesses_tokens_is_slowed_down(impatient: str) -> None:
    found = [status_at(impatient, f"guess-{number}") for number in range(15)]
    assert [status for status, _ in found[:10]] == [403] * 10
    assert found[-1][0] == 429
    assert 1 <= int(found[-1][1] or 0) <= 6


def test_requests_in_a_minute() -> None:
    now = [0.0]
    rates = Rates(60, lambda: now[0])
    for _ in range(60):
        assert rates.wait("alice") == 0
        rates.count("alice")
    assert rates.wait("alice") == pytest.approx(1)
    assert rates.wait("bob") == 0
    now[0] = 1.0
    assert rates.wait("alice") == 0
    rates.count("alice")
    assert rates.wait("alice") == pytest.approx(1)
    now[0] = 3600.0
    for _ in range(60):
        rates.count("alice")
    assert rates.wait("alice") == pytest.approx(1)
    unlimited = Rates(0, lambda: now[0])
    for _ in range(1000):
        unlimited.count("alice")
    assert unlimited.wait("alice") == 0


def test_who_did_what_is_on_record(hub: Hub) -> None:
    alice, bob, carol, admin = (hub.asks(hub.sign_in(name)) for name in ("alice", "bob", "carol", "admin"))
    made = alice.call(create_dataset, CreateDataset(f"on record {uuid.uuid4().hex}", description="not this"))
    with pytest.raises(NotFound):
        carol.call(delete_dataset, DatasetRef(made.id))
    bob.call(delete_dataset, DatasetRef(made.id))
    with pytest.raises(NotFound):
        alice.call(get_dataset, DatasetRef(made.id))  # reading is no act
    acts = [
        act for act in admin.call(list_acts, ActPage()).acts if act.about.endswith((made.name, str(made.id)))
    ]
    told = [(act.person, act.team, act.operation, act.about, act.code) for act in acts]
    assert told == [
        ("bob", "radiology", "delete_dataset", f"dataset_id {made.id}", None),
        ("carol", "pathology", "delete_dataset", f"dataset_id {made.id}", "dataset_not_found"),
        ("alice", "radiology", "create_dataset", f"name {made.name}", None),
    ]
    assert acts[0].id > acts[1].id
    assert {act.person for act in bob.call(list_acts, ActPage(person="alice")).acts} == {"bob"}
    assert {act.person for act in admin.call(list_acts, ActPage(person="alice")).acts} == {"alice"}
    (one,) = admin.call(list_acts, ActPage(person="alice", operation="create_dataset", limit=1)).acts
    assert one.operation == "create_dataset"
    assert admin.call(list_acts, ActPage(before=acts[-1].id, limit=1)).acts[0].id < acts[-1].id


def test_what_jobs_do_is_on_record_as_theirs(hub: Hub) -> None:
    at, alice = hub.beside("alice"), hub.asks(hub.sign_in("alice"))
    spec = JobSpec(kind="command", command=["sleep", "1000"])
    job = at.call(submit_job, SubmitJob(uuid.uuid4().hex, "acts", spec))
    own = hub.asks(JobTokens("a-token-of-the-service-for-tests").of(job.id))
    own.call(create_dataset, CreateDataset(f"by a job {uuid.uuid4().hex}"))
    with pytest.raises(NotAllowed):
        own.call(cancel_job, JobRef("0" * 32))
    refused, made, launched = alice.call(list_acts, ActPage(limit=3)).acts
    assert (refused.job_id, refused.operation, refused.code) == (job.id, "cancel_job", "not_for_jobs")
    assert (made.job_id, made.operation, made.code) == (job.id, "create_dataset", None)
    assert (launched.job_id, launched.operation, launched.about) == (None, "launch_jobs", job.id)
    alice.call(cancel_job, JobRef(job.id))
    ended(alice, job.id)


def test_old_acts_are_forgotten(config: Config) -> None:
    database = Database(config)
    for number in range(3):
        values = {"team": "t", "person": "p", "operation": "o", "about": str(number)}
        audit.note(database, job_id=None, code=None, **values)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE audit SET at = now() - interval '40 days' WHERE about = '0'"))
    assert audit.forget(database, 39) == 1
    assert [act.about for act in audit.acts(database, None, None, None, 10)] == ["2", "1"]
    database.close()
