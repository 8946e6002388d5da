"""Jobs that cannot run, and jobs that should not."""

from __future__ import annotations

import secrets
from typing import Any

import psutil
import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import TERMINAL
from jupyter_blueno.jobs.sending.amounts import parse_resources
from tests.server.hostile import Reply, alive, ask, refused, until
from tests.servers import Lab


def submit(lab: Lab, spec: Any, job_id: str | None = None, name: str = "bad") -> Reply:
    return ask(lab, "POST", "/jobs", {"id": job_id or secrets.token_hex(16), "name": name, "spec": spec})


def ended(lab: Lab, job_id: str) -> dict[str, Any]:
    def over() -> Any:
        job = ask(lab, "GET", f"/jobs/{job_id}").json
        return job if job["state"] in TERMINAL else None

    found: dict[str, Any] = until(over, "the job")
    return found


CELL = {"kind": "cell", "source": "1"}


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "cell", "source": "def f(:"}, {"kind": "cell", "source": "-" * 100_000 + "1"},
        {"kind": "nothing"},
        {"kind": "cell", "source": "a\0b"}, {"kind": "cell"}, {"kind": "cell", "source": " "},
        {"kind": "command"},
        {"kind": "command", "command": [""]}, {"kind": "command", "command": ["a\0"]},
        {"kind": "function", "payload": "!!"}, {"kind": "notebook", "source": "{}"},
        {"kind": "notebook", "source": "[" * 100_000},
        {"kind": "notebook", "source": '{"cells":[{"cell_type":"code"}]}'},
        {**CELL, "folder": "nowhere"}, {**CELL, "folder": "x" * 5000}, {**CELL, "python": "/none"},
        {**CELL, "python": "a\0b"}, {**CELL, "environment": {"A": "\0"}},
        {**CELL, "environment": {"A=B": "x"}},
        {**CELL, "origin": {"notebook": "a\0"}}, {**CELL, "parameters": {"a": "\0"}},
        *({**CELL, "resources": one} for one in (
            {"cpu": -1}, {"memory": -1}, {"memory": 1}, {"memory": 10**18}, {"gpu": -1}, {"timeout": -1},
            {"timeout": 1e99}, {"memroy": 1},
        )),
    ],
    ids=lambda spec: str(spec)[:60],
)  # fmt: skip
def test_what_cannot_run_is_refused(lab: Lab, spec: dict[str, Any]) -> None:
    job_id = secrets.token_hex(16)
    refused(submit(lab, spec, job_id), 400)
    refused(ask(lab, "GET", f"/jobs/{job_id}"), 404, "job_not_found")
    assert not list((lab.home / "jobs").glob(f"*{job_id}*"))


@pytest.mark.parametrize(
    "asked",
    [
        {"memory": "8 apples"}, {"memory": "-1"}, {"memory": "nan"}, {"memory": 0}, {"memory": 50_000_000},
        {"cpu": "many"}, {"cpu": 0}, {"gpu": "two"}, {"gpu": 0.5}, {"gpu": -1}, {"timeout": "soon"},
        {"timeout": 0}, {"priority": "high"}, {"priority": 11}, {"retries": -1}, {"retries": True},
    ],
    ids=str,
)  # fmt: skip
def test_an_amount_is_refused_by_the_sentence_that_python_says(lab: Lab, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_resources(**asked)
    problem = refused(submit(lab, {**CELL, "resources": asked}), 400, caught.value.code)
    assert problem.message == caught.value.message


def test_amounts_are_read_as_people_write_them(lab: Lab) -> None:
    asked = {"memory": "0.5 gb", "timeout": "2h", "cpu": "500m", "priority": "-3", "gpu": "0"}
    job = submit(lab, {**CELL, "resources": asked}).json
    assert job["resources"] == {
        "cpu": 0.5, "memory": 500_000_000, "gpu": 0, "timeout": 7200, "priority": -3, "retries": 0,
        "retry_on": [], "workers": 1,
    }  # fmt: skip


def test_what_is_too_large_is_refused(lab: Lab) -> None:
    spec = {**CELL, "environment": {"A": "x" * 200_000}}
    refused(submit(lab, spec), 413, "job_spec_too_large")


def test_ids_and_names_that_are_none(lab: Lab) -> None:
    for job_id in ("x", "..", "../../x", "A" * 32, "0" * 31, "\0"):
        refused(submit(lab, CELL, job_id), 400, "job_id")
    for name in ("", " ", "a\0", "a\nb", "x" * 10_000):
        refused(submit(lab, CELL, name=name), 400, "job_name")
    for ref in ("%2e%2e", "..%2f..%2fetc", "%00", "a%00b", "0" * 32, "%25", "';--"):
        for rest in ("", "/log", "/outputs", "/code", "/files/result"):
            refused(ask(lab, "GET", f"/jobs/{ref}{rest}"), 404, "job_not_found")
        refused(ask(lab, "POST", f"/jobs/{ref}/cancel"), 404, "job_not_found")
        refused(ask(lab, "DELETE", f"/jobs/{ref}"), 404, "job_not_found")
    for field in ("search", "before", "state", "notebook"):
        refused(ask(lab, "GET", "/jobs", query=[(field, "\0")]), 400, "invalid_character")


def test_an_id_is_one_job(lab: Lab) -> None:
    job_id = secrets.token_hex(16)
    assert submit(lab, CELL, job_id).json["id"] == submit(lab, CELL, job_id).json["id"]
    refused(submit(lab, {**CELL, "source": "2"}, job_id), 409, "job_id_taken")
    for name in ("..%2fspec.json", "%2e%2e", "spec.json"):
        refused(ask(lab, "GET", f"/jobs/{job_id}/files/{name}"), 400, "invalid_request")
    assert ended(lab, job_id)["state"] == "SUCCEEDED"
    for query in ([("offset", 10**30)], [("offset", -(10**30))], [("limit", -1)], [("limit", 10**30)]):
        assert ask(lab, "GET", f"/jobs/{job_id}/log", query=query).status == 200


FORKS = """
import os, time
for _ in range(2000):
    if os.fork() == 0:
        time.sleep(600)
time.sleep(600)
"""


def test_one_that_forks_is_ended_and_leaves_nobody(lab: Lab) -> None:
    job_id = submit(lab, {**CELL, "source": FORKS}).json["id"]
    job = ended(lab, job_id)
    assert (job["state"], "processes at a time" in job["reason"]) == ("FAILED", True), job
    left = [one for one in psutil.process_iter(["cmdline"]) if job_id in str(one.info["cmdline"])]
    assert left == []
    alive(lab)


def test_one_that_prints_100_mb_is_cut_and_its_end_is_quick(lab: Lab) -> None:
    source = "line = 'x' * 999\nfor n in range(100_000):\n    print(line)\nprint('the end')"
    job_id = submit(lab, {**CELL, "source": source}).json["id"]
    assert ended(lab, job_id)["state"] == "SUCCEEDED"
    tail = ask(lab, "GET", f"/jobs/{job_id}/log", query=[("offset", -1000)])
    assert tail.body.rstrip().endswith(b"the end")
    assert tail.seconds < 5
    (log,) = (lab.home / "jobs" / job_id).glob("log")
    assert log.stat().st_blocks * 512 < 70 << 20  # what is left out is a hole in the file
    alive(lab)
