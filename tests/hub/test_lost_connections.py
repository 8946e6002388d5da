"""What breaks between a person, the service and its database: nothing is lost, and nothing done twice."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.client.transport import Beside
from jupyter_blueno.errors import NotAllowed, Unavailable
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import Hub
from tests.hub.test_service import ended

CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = 'hub' AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')"""
CUT_ALL = CUT.partition(" AND state")[0]
JOBS, CUTS = 24, 12


def test_connections_to_the_database_are_cut_in_the_middle(
    hub: Hub, postgres: sa.Engine, tmp_path: Path
) -> None:
    at = hub.beside("alice")
    record = tmp_path / "record"
    names = [uuid.uuid4().hex for _ in range(JOBS)]
    refused: list[Unavailable] = []
    submitted = threading.Semaphore(0)

    def submit(job_id: str) -> None:
        spec = JobSpec(kind="command", command=["sh", "-c", f"echo {job_id} >> {record}"])
        while True:
            try:
                at.call(submit_job, SubmitJob(job_id, "mine", spec))
                break
            except Unavailable as error:  # as a kernel sees it: the same request again is the same job
                refused.append(error)
        submitted.release()

    with ThreadPoolExecutor(4) as people, postgres.connect() as connection:
        sent = [people.submit(submit, name) for name in names]
        for number in range(CUTS):
            assert submitted.acquire(timeout=60)
            connection.execute(sa.text(CUT_ALL if number % 3 == 0 else CUT))
        for one in sent:
            one.result(60)
    assert all("database" in str(one).lower() for one in refused), refused

    def over(name: str) -> str | None:
        try:
            return ended(at.service, name).state
        except Unavailable:
            return None

    assert {until(lambda name=name: over(name), "its end") for name in names} == {"SUCCEEDED"}  # type: ignore[misc]
    assert sorted(record.read_text().split()) == sorted(names)


def test_a_token_that_expires_ends_no_job_and_the_next_one_finds_it(hub: Hub, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    old = hub.beside("alice")
    short = hub.api("POST", "/users/alice/tokens", {"expires_in": 5})["token"]
    expiring = Beside(hub.asks(short, "radiology"), old.context)
    text = f"echo up; while [ ! -e {gate} ]; do sleep 0.1; done; echo done"
    spec = JobSpec(kind="command", command=["sh", "-c", text])
    job = expiring.call(submit_job, SubmitJob(uuid.uuid4().hex, "long", spec))

    def refusal() -> str | None:
        try:
            expiring.service.call(get_job, JobRef(job.id))
        except NotAllowed as error:
            return str(error)
        return None

    said = until(refusal, "the token to expire")
    assert "Sign in again" in said
    assert "jobs go on" in said
    gate.touch()
    anew = hub.beside("alice")
    assert ended(anew.service, job.id).state == "SUCCEEDED"
    assert anew.call(get_log, LogRange(job.id, 0, 1000)).body == b"up\ndone\n"
