"""The quota of a team, as the service keeps it: jobs wait, notebooks are refused, both in words."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from jupyter_blueno.api.accounting import UsageSince, get_team_usage
from jupyter_blueno.api.jobs import (
    JobRef,
    SubmitJob,
    Wanted,
    cancel_job,
    get_job,
    get_outlook,
    submit_job,
)
from jupyter_blueno.api.notebooks import AdmitNotebook, admit_notebook
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.people import get_me
from jupyter_blueno.cli import main
from jupyter_blueno.client import session
from jupyter_blueno.errors import Conflict, InvalidInput, NotAllowed
from jupyter_blueno.hub import admission
from jupyter_blueno.hub.tokens import of_the_hub
from jupyter_blueno.jobs.model import JobSpec, Resources
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import SERVICE_TOKEN, TOKEN, Hub
from tests.hub.test_service import ended


def test_jobs_and_notebooks_of_a_team_share_its_quota(hub: Hub) -> None:
    erin, frank = (hub.beside(name, "small") for name in ("erin", "frank"))
    sleep = JobSpec(kind="command", command=["sleep", "1000"], resources=Resources(cpu=1))
    train = erin.call(submit_job, SubmitJob(uuid.uuid4().hex, "train", sleep)).id
    until(lambda: erin.call(get_job, JobRef(train)).state == "RUNNING", "the first job to run")

    frank.call(admit_notebook, AdmitNotebook(profile="Small", cpu=1))
    frank.call(admit_notebook, AdmitNotebook(profile="Small", cpu=1))  # the same one: the answer was lost
    with pytest.raises(
        Conflict, match=r"frank holds 1 of the 1\.5 cores that one person may hold"
    ) as refused:
        frank.call(admit_notebook, AdmitNotebook("another", cpu=1))
    assert refused.value.code == "quota_full"
    full = "The team small holds 2 of its 2 cores: "
    with pytest.raises(Conflict, match=f"{full}.*erin's job 'train'.*frank's notebook"):
        erin.call(admit_notebook, AdmitNotebook(cpu=0.1))

    short = JobSpec(kind="command", command=["true"], resources=Resources(cpu=0.5))
    waits = frank.call(submit_job, SubmitJob(uuid.uuid4().hex, "short", short)).id
    said = frank.call(get_job, JobRef(waits))
    assert said.state == "QUEUED"
    assert str(said.reason).startswith(full)
    seen = frank.call(get_outlook, Wanted("third", "cell", Resources(cpu=0.5)))
    assert seen.starts.startswith(full)
    with pytest.raises(InvalidInput, match=r"One person in the team small may hold 1.5 cores at most"):
        frank.call(
            submit_job,
            SubmitJob(
                uuid.uuid4().hex, "x", JobSpec("command", command=["true"], resources=Resources(cpu=2))
            ),
        )

    usage = frank.call(get_team_usage, UsageSince())
    assert [(one.kind, one.owner, one.cpu) for one in usage.holders] == [
        ("job", "erin", 1),
        ("notebook", "frank", 1),
    ]
    assert (usage.of_team.cpu_held, usage.of_team.cpu, usage.of_team.gpu) == (2, 2, None)
    assert (usage.of_person.cpu_held, usage.of_person.cpu, usage.waiting) == (1, 1.5, 1)
    me = frank.call(get_me, Nothing())
    assert (me.of_team, me.of_person) == (usage.of_team, usage.of_person)
    session.use(transport=frank)
    try:
        said = CliRunner().invoke(main, ["whoami"]).output
    finally:
        session.use()
    assert re.search(r"you hold +1 of 1\.5 cores\n", said), said
    assert re.search(r"small holds +2 of 2 cores\n", said), said

    erin.call(cancel_job, JobRef(train))
    assert ended(frank.service, waits).state == "SUCCEEDED"


def test_the_hub_tells_whoever_is_refused_who_holds_what(hub: Hub, browser: Browser) -> None:
    erin = hub.beside("erin", "small")
    sleep = JobSpec(kind="command", command=["sleep", "1000"], resources=Resources(cpu=1))
    train = erin.call(submit_job, SubmitJob(uuid.uuid4().hex, "train", sleep)).id
    until(lambda: erin.call(get_job, JobRef(train)).state == "RUNNING", "the job to run")
    try:
        page = browser.new_context().new_page()
        page.goto(f"{hub.url}/hub/login")
        page.fill("#username_input", "gina")
        page.fill("#password_input", "any")
        page.click("#login_submit")
        expect(page.locator("body")).to_contain_text("The team small holds ", timeout=60_000)
        expect(page.locator("body")).to_contain_text("erin's job 'train'")
        expect(page.locator("body")).to_contain_text("Stop something, choose a smaller profile, or wait.")
        if folder := os.environ.get("BLUENO_PICTURES"):  # of the operator's guide
            page.screenshot(path=f"{folder}/hub-quota.png")
        page.context.close()
    finally:
        erin.call(cancel_job, JobRef(train))
        ended(erin.service, train)


def held_in_brief(hub: Hub) -> list[tuple[str, str, float]]:
    usage = hub.asks(hub.sign_in("ivy"), "brief").call(get_team_usage, UsageSince())
    return [(one.owner, one.id, one.cpu) for one in usage.holders]


def test_what_a_notebook_held_is_free_when_the_hub_has_stopped_it(hub: Hub) -> None:
    hub.sign_in("ivy")
    hub.start_server("ivy")
    assert held_in_brief(hub) == [("ivy", "", 1.4)]
    hub.api("DELETE", "/users/ivy/server")  # answered when it is over, or is being stopped
    until(lambda: not hub.api("GET", "/users/ivy")["servers"], "the hub to have stopped it")
    assert held_in_brief(hub) == []


def test_one_that_does_not_start_holds_nothing(hub: Hub) -> None:
    hub.sign_in("henry")
    with pytest.raises(urllib.error.HTTPError):
        hub.api("POST", "/users/henry/server")
    until(lambda: not hub.api("GET", "/users/henry")["servers"], "the hub to give up")
    assert "henry does not start" in hub.log()
    assert held_in_brief(hub) == []


def test_nobody_but_the_hub_tells_that_a_notebook_is_over(hub: Hub) -> None:
    told = {"owner": "henry", "server": "told"}

    def tell(token: str, body: Any = told) -> tuple[int, Any]:
        headers = {"Authorization": f"token {token}"}
        address = hub.service + admission.ENDED
        request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["code"]

    henry = hub.asks(hub.sign_in("henry"), "brief")
    henry.call(admit_notebook, AdmitNotebook("told", "Small", cpu=1))
    tokens = [hub.sign_in("henry"), hub.sign_in("admin"), SERVICE_TOKEN, TOKEN, of_the_hub("guessed"), "x"]
    for token in tokens:
        assert tell(token) == (403, "http_403")
    assert held_in_brief(hub) == [("henry", "told", 1)]
    token = of_the_hub(SERVICE_TOKEN)
    assert tell(token, {"owner": "henry"}) == tell(token, []) == (400, "invalid_request")
    assert tell(token, told | {"server": ""}) == (200, {"done": False})
    assert tell(token) == (200, {"done": True})
    assert held_in_brief(hub) == []
    with pytest.raises(NotAllowed):  # and it is nobody's token
        hub.asks(token).call(get_team_usage, UsageSince())
