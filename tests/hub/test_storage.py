"""What people keep on the volume of a real hub: told on the usage page, refused where it is too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from jupyter_blueno.api.accounting import UsageSince, get_team_usage
from jupyter_blueno.api.ingest import open_version
from jupyter_blueno.api.jobs import SubmitJob, submit_job
from jupyter_blueno.api.notebooks import AdmitNotebook, admit_notebook
from jupyter_blueno.cli import main
from jupyter_blueno.client import session
from jupyter_blueno.errors import Conflict
from jupyter_blueno.hub import admission
from jupyter_blueno.hub.tokens import of_the_hub
from jupyter_blueno.ingest.model import BeginVersion
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.quotas.storage import FOUND
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import SERVICE_TOKEN, Hub
from tests.hub.test_service import ended
from tests.hub.test_two_people import signed_in
from tests.ui.conftest import execute, picture
from tests.ui.test_accessibility import assert_accessible

TAB = ".jp-blueno-usage-tab:not(.lm-mod-hidden)"
TRUE = JobSpec(kind="command", command=["true"])


def filled(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


@pytest.fixture
def look(hub: Hub) -> Iterator[Callable[[], None]]:
    """Look at the volume, as the chart does now and then; what was seen is forgotten afterwards."""
    yield (
        lambda: (
            subprocess.run([sys.executable, "-m", "jupyter_blueno.hub.sizes", str(hub.volume)], check=True)
            and None
        )
    )
    (hub.volume / "teams" / FOUND).unlink(missing_ok=True)
    for person in ("ivy", "jack"):
        token = {"Authorization": f"token {of_the_hub(SERVICE_TOKEN)}"}
        body = json.dumps({"owner": person, "server": "tried"}).encode()
        asked = urllib.request.Request(hub.service + admission.ENDED, body, token, method="POST")
        urllib.request.urlopen(asked, timeout=60).close()


def start(hub: Hub, person: str, **options: str) -> str:
    """Have the hub start a server; why it did not, if so."""
    try:
        hub.api("POST", f"/users/{person}/server", options or None)
    except urllib.error.HTTPError as error:
        return str(json.loads(error.read())["message"])
    return ""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_who_keeps_too_much_makes_room_first(hub: Hub, look: Callable[[], None]) -> None:
    jack, ivy = hub.beside("jack", "brief"), hub.beside("ivy", "brief")
    big = filled(hub.volume / "home/jack/checkpoints/last.pt", 25_000_000)
    look()
    told = jack.call(get_team_usage, UsageSince()).storage
    assert told is not None
    (own,) = [one for one in told.people if one.owner == "jack"]
    assert own.bytes >= 25_000_000
    assert own.most == 20e6
    assert own.parts["checkpoints"] >= 25_000_000
    seen_by_ivy = ivy.call(get_team_usage, UsageSince()).storage
    assert seen_by_ivy is not None
    assert [one.parts for one in seen_by_ivy.people if one.owner == "jack"] == [{}]

    full = "Your folder holds 25"
    with pytest.raises(Conflict, match=f"{full}.*checkpoints 25") as refused:
        jack.call(submit_job, SubmitJob(uuid.uuid4().hex, "more", TRUE))
    assert refused.value.code == "storage_full"
    assert full in start(hub, "jack")
    until(lambda: not hub.api("GET", "/users/jack")["servers"], "the hub to have given up")
    job = ivy.call(submit_job, SubmitJob(uuid.uuid4().hex, "ivy's", TRUE)).id
    assert ended(ivy.service, job).state == "SUCCEEDED"

    assert start(hub, "jack", profile="rescue") == ""
    big.unlink()
    hub.start_server("jack")  # waits until it answers
    hub.api("DELETE", "/users/jack/server")
    until(lambda: not hub.api("GET", "/users/jack")["servers"], "it to be stopped")
    jack.call(admit_notebook, AdmitNotebook("tried"))  # believed until the next look, and after it
    look()
    jack.call(admit_notebook, AdmitNotebook("tried"))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_team_that_keeps_too_much_adds_nothing(
    hub: Hub, look: Callable[[], None], browser: Browser
) -> None:
    ivy = hub.beside("ivy", "brief")
    shared = filled(hub.volume / "shared/brief/scans.bin", 35_000_000)
    filled(hub.volume / "home/ivy/data/half.bin", 10_000_000)
    look()
    try:
        full = "The team brief holds .* and may keep 30 MB. The largest: shared 35 MB"
        with pytest.raises(Conflict, match=full):
            ivy.call(submit_job, SubmitJob(uuid.uuid4().hex, "more", TRUE))
        with pytest.raises(Conflict, match=full):
            ivy.service.call(open_version, BeginVersion(f"more {uuid.uuid4().hex}"))
        ivy.call(admit_notebook, AdmitNotebook("tried"))  # or nobody could delete anything

        session.use(transport=ivy)
        try:
            said = CliRunner().invoke(main, ["usage"]).output
        finally:
            session.use()
        assert "team brief: 35" in said, said
        assert "ivy: 10" in said
        assert "of 20 MB (data 10 MB" in said

        page = signed_in(browser, hub, "ivy")
        execute(page, "blueno:open-usage")
        table = page.locator(TAB).get_by_role("table", name="Storage")
        expect(table.get_by_role("row", name="Team brief")).to_contain_text("shared 35")
        expect(table.get_by_role("row", name="ivy")).to_contain_text("of 20.0 MB")
        picture(page, "usage-storage")
        assert_accessible(page, TAB)
        page.context.close()
    finally:
        shared.unlink()
