"""GPUs of a notebook server that are given back when work moves to a job, by clicks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from traitlets.config import Config

from jupyter_blueno.api.jobs import JobPage, JobRef, cancel_job, get_job, list_jobs
from jupyter_blueno.api.notebooks import NotebookProfile, get_holding, restart_notebook
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.errors import Conflict
from jupyter_blueno.hub import cluster
from tests.hub.conftest import Hub
from tests.hub.test_service import ended
from tests.hub.test_two_people import run, signed_in
from tests.ui.conftest import execute, picture

VALUES: dict[str, Any] = {
    "release": "blueno", "namespace": "blueno", "users": "people", "image": "notebook", "claim": "volume",
}  # fmt: skip
JOB = """\
%%blueno run --name long-training
import time
time.sleep(1000)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_they_are_offered_asked_for_and_given_back(hub: Hub, browser: Browser) -> None:
    page = signed_in(browser, hub, "gwen")
    token = hub.sign_in("gwen")
    own, service = hub.server_of("gwen", token), hub.asks(token)
    assert own.call(get_holding, Nothing()).gpus == 2
    begun = hub.api("GET", "/users/gwen")["servers"][""]["started"]

    run(page, "%load_ext jupyter_blueno\nkept = 41", JOB)
    offer = page.locator(".Toastify__toast", has_text="This notebook server still holds 2 GPUs")
    expect(offer).to_contain_text("long-training runs as a job")
    picture(page, "give-back-offer")
    (job,) = service.call(list_jobs, JobPage(search="long-training")).jobs

    offer.get_by_role("button", name="Give back 2 GPUs …").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("starts again as “Small”, without GPUs")
    expect(dialog).to_contain_text("What 1 kernel of this server holds is lost")
    picture(page, "give-back")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert own.call(get_holding, Nothing()).gpus == 2

    execute(page, "blueno:give-back-gpus")
    dialog.get_by_role("button", name="Give back").click()
    page.wait_for_url("**/hub/spawn-pending/**", timeout=60_000)
    page.wait_for_selector(".jp-NotebookPanel", timeout=120_000)  # the tab is back
    server = hub.api("GET", "/users/gwen")["servers"][""]
    assert (server["user_options"], server["started"] > begun) == ({"profile": "small"}, True)
    assert own.call(get_holding, Nothing()).gpus == 0
    saved = json.loads((hub.volume / "home" / "gwen" / "Untitled.ipynb").read_text())
    assert "kept = 41" in "".join(saved["cells"][0]["source"])
    assert not page.evaluate("jupyterapp.commands.isEnabled('blueno:give-back-gpus')")
    assert service.call(get_job, JobRef(job.id)).state == "RUNNING"
    service.call(cancel_job, JobRef(job.id))
    ended(service, job.id)
    page.context.close()


def test_who_has_no_notebook_is_told_so(hub: Hub) -> None:
    service = hub.asks(hub.sign_in("without-a-notebook"))
    with pytest.raises(Conflict, match="not running") as refused:
        service.call(restart_notebook, NotebookProfile("small"))
    assert refused.value.code == "no_notebook"


@pytest.mark.parametrize(("groups", "other"), [(["staff"], "staff For staff"), ([], "small Small")])
def test_a_notebook_with_gpus_becomes_the_first_that_its_person_may_have_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: list[str], other: str
) -> None:
    profiles = [
        {"name": "GPU", "slug": "gpu", "gpu": 1},
        {"name": "Make room", "slug": "room", "rescue": True},
        {"name": "For staff", "slug": "staff", "groups": ["staff"]},
        {"name": "Small", "slug": "small"},
    ]
    (tmp_path / "values.json").write_text(json.dumps(VALUES | {"profiles": profiles}))
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("BLUENO_SERVICE_TOKEN", "0" * 64)
    c = Config()
    cluster.configure(c, tmp_path / "values.json")
    person = SimpleNamespace(user=SimpleNamespace(groups=[SimpleNamespace(name=one) for one in groups]))
    told = {
        one["slug"]: one["kubespawner_override"].get("environment", {})
        for one in c.KubeSpawner.profile_list(person)
    }
    name = "BLUENO_PROFILE_WITHOUT_GPUS"
    assert told["gpu"][name] == other
    assert not any(name in environment for slug, environment in told.items() if slug != "gpu")
