"""Quotas of the chart on a real cluster: a notebook is refused, a job waits, and both say who holds what."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Browser, expect

from jupyter_blueno.api.accounting import UsageSince, get_team_usage
from jupyter_blueno.api.jobs import JobRef, SubmitJob, cancel_job, get_job, submit_job
from jupyter_blueno.jobs.model import TERMINAL, JobSpec, Resources
from tests.cluster.installation import Installation
from tests.cluster.test_chart import LONG, enter, sign_in
from tests.ui.conftest import execute, picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# A notebook of the tests holds 0.05 cores.
QUOTAS = {"teams": {"radiology": {"team": {"cpu": 0.15}}}}
FULL = "The team radiology holds 0.15 of its 0.15 cores"


@pytest.fixture
def limited(release: Installation) -> Installation:
    release.having(quotas=QUOTAS)
    for person in ("alice", "bob"):
        release.stop_server(person)
    return release


def test_what_the_quota_has_no_room_for_waits_or_is_refused_in_words(
    limited: Installation, browser: Browser
) -> None:
    chart = limited
    alice = sign_in(browser, chart, "alice")
    enter(alice)
    beside = chart.start_server("alice")

    def submit(name: str) -> str:
        spec = JobSpec(kind="command", command=["sleep", "1000"], resources=Resources(cpu=0.1))
        return beside.call(submit_job, SubmitJob(uuid.uuid4().hex, name, spec)).id

    train, second = submit("train"), submit("second")
    chart.cluster.until(lambda: beside.call(get_job, JobRef(train)).state == "RUNNING", chart.says)
    assert len(chart.pods(**{"blueno.dev/job": train})) == 1
    assert chart.pods(**{"blueno.dev/job": second}) == []
    execute(alice, "blueno:open-job", {"id": second})
    tab = alice.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")
    expect(tab).to_contain_text(f"{FULL}: alice's job 'train' (0.1 cores, for ", timeout=LONG)
    expect(tab).to_contain_text("alice's notebook")
    picture(alice, "cluster-quota-job")

    # Another notebook finds no room; its person is told by the hub's own page.
    bob = sign_in(browser, chart, "bob")
    bob.get_by_role("button", name="Start").click()
    expect(bob.locator("body")).to_contain_text(FULL, timeout=LONG)
    expect(bob.locator("body")).to_contain_text("alice's job 'train'")
    assert chart.pods(**{"hub.jupyter.org/username": "bob"}) == []

    execute(alice, "blueno:open-usage")
    usage = alice.locator(".jp-blueno-usage-tab:not(.lm-mod-hidden)")
    held = usage.get_by_role("table", name="Held now")
    expect(held.get_by_role("row", name="Notebook (Small) alice")).to_be_visible()
    expect(usage.get_by_role("table", name="Quotas")).to_contain_text("0.15 of 0.15")
    picture(alice, "cluster-quota-usage")

    # What becomes free goes to who waited; once that is over, there is room for the notebook.
    beside.call(cancel_job, JobRef(train))
    chart.cluster.until(lambda: beside.call(get_job, JobRef(second)).state == "RUNNING", chart.says)
    beside.call(cancel_job, JobRef(second))
    chart.cluster.until(lambda: beside.call(get_job, JobRef(second)).state in TERMINAL, chart.says)
    chart.start_server("bob")
    (holder,) = [one for one in beside.call(get_team_usage, UsageSince()).holders if one.owner == "bob"]
    assert (holder.kind, holder.cpu, holder.name) == ("notebook", 0.05, "Small")

    # One that is gone holds nothing: the hub has told so before it says that it is stopped.
    chart.stop_server("bob")
    assert [one for one in beside.call(get_team_usage, UsageSince()).holders if one.owner == "bob"] == []
