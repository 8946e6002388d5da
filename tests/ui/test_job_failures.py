"""What Lab says of jobs that failed or wait, and what one can do about it there."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_blueno.api.jobs import JobRef, SubmitJob, cancel_job, get_job, submit_job
from jupyter_blueno.config import usable_cores
from jupyter_blueno.jobs.model import JobSpec, Resources
from jupyter_blueno.jobs.testing import until
from tests.servers import Lab
from tests.ui.conftest import execute, wait_for_idle_kernel

LONG = 60_000  # ms

BAD = """\
import numpy as np

batch = np.ones((32, 5), "float32")
weight = np.zeros((3, 4))
batch @ weight
"""


def submit(lab: Lab, name: str, spec: JobSpec) -> str:
    job_id = uuid.uuid4().hex
    lab.transport.call(submit_job, SubmitJob(job_id, name, spec))
    return job_id


def open_job(page: Page, job_id: str, state: str) -> Locator:
    execute(page, "blueno:open-job", {"id": job_id})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", state, timeout=LONG)
    return tab


def keep_picture(page: Page, name: str) -> None:
    """For people who look; nothing is compared."""
    if place := os.environ.get("BLUENO_SCREENSHOTS"):
        page.screenshot(path=str(Path(place) / f"{name}.png"))


def test_failing_line_and_a_notebook_there(lab: Lab, page: Page) -> None:
    job_id = submit(lab, "bad shapes", JobSpec("cell", source=BAD, folder=str(lab.root)))
    tab = open_job(page, job_id, "FAILED")
    why = tab.locator(".jp-blueno-job-why")
    expect(why).to_contain_text("ValueError: matmul")
    expect(why).to_contain_text("cell, line 5")
    expect(why.locator(".jp-blueno-failure-line")).to_have_text("batch @ weight")
    values = why.get_by_label("Values in this line").locator("div")
    expect(values).to_have_text(["batchfloat32 (32, 5)", "weightfloat64 (3, 4)"])
    keep_picture(page, "failure-light")
    execute(page, "apputils:change-theme", {"theme": "JupyterLab Dark"})
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    keep_picture(page, "failure-dark")
    execute(page, "apputils:change-theme", {"theme": "JupyterLab Light"})
    why.get_by_role("button", name="Open a notebook here").click()
    cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
    expect(cells).to_have_count(2, timeout=LONG)
    wait_for_idle_kernel(page)
    execute(page, "notebook:run-all-cells")
    expect(cells.nth(1).locator(".jp-OutputArea")).to_contain_text("ValueError", timeout=LONG)
    expect(cells.nth(0).locator(".jp-OutputArea-output")).to_have_count(0)
    keep_picture(page, "failure-bench")


def test_run_again_with_more_memory(lab: Lab, page: Page) -> None:
    spec = JobSpec(
        "cell",
        source="x = b'x' * 250_000_000\nlen(x)",
        folder=str(lab.root),
        resources=Resources(memory=200_000_000),
    )
    tab = open_job(page, submit(lab, "big", spec), "FAILED")
    expect(tab.locator(".jp-blueno-job-why")).to_contain_text("killed for memory at its limit of 200 MB")
    keep_picture(page, "memory-light")
    tab.get_by_role("button", name="Run again with 400 MB").click()
    again = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden) .jp-blueno-job-header")
    expect(again).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    shown = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)").get_attribute("id") or ""
    job = lab.transport.call(get_job, JobRef(shown.removeprefix("jp-blueno-job-")))
    assert job.resources.memory == 400_000_000


@pytest.fixture
def busy(lab: Lab) -> str:
    """The name of a file that ends a job which takes all cores."""
    gate = str(lab.root / f"gate-{uuid.uuid4().hex}")
    source = f"import os, time\nwhile not os.path.exists({gate!r}): time.sleep(0.05)"
    spec = JobSpec("cell", source=source, folder=str(lab.root), resources=Resources(cpu=usable_cores()))
    holder = submit(lab, "holder", spec)
    until(lambda: lab.transport.call(get_job, JobRef(holder)).state == "RUNNING", "the job to run")
    return gate


def test_a_waiting_job_says_who_holds_what_and_takes_a_priority(lab: Lab, page: Page, busy: str) -> None:
    job_id = submit(lab, "later", JobSpec("command", command=["true"], resources=Resources(cpu=1)))
    tab = open_job(page, job_id, "QUEUED")
    expect(tab.locator(".jp-blueno-job-why")).to_contain_text("Held by 'holder'")
    tab.get_by_role("button", name="More").click()
    page.locator(".lm-Menu-item[data-type='submenu']", has_text="Priority").hover()
    keep_picture(page, "priority-menu")
    page.locator(".lm-Menu-item", has_text="Sooner (5)").click()
    until(lambda: lab.transport.call(get_job, JobRef(job_id)).resources.priority == 5, "the new priority")
    Path(busy).touch()
    lab.transport.call(cancel_job, JobRef(job_id))


def test_paused_from_its_menu_and_continued_by_a_button(lab: Lab, page: Page) -> None:
    source = "import time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.05)"
    job_id = submit(lab, "ticking", JobSpec("cell", source=source, folder=str(lab.root)))
    tab = open_job(page, job_id, "RUNNING")
    tab.get_by_role("button", name="More").click()
    page.locator(".lm-Menu-item", has_text="Pause Job").click()
    expect(tab.locator(".jp-blueno-job-state")).to_contain_text("paused")
    expect(tab.locator(".jp-blueno-job-why")).to_contain_text("keeps its place")
    keep_picture(page, "paused")
    tab.get_by_role("button", name="Continue").click()
    expect(tab.locator(".jp-blueno-job-state")).to_contain_text("running")
    lab.transport.call(cancel_job, JobRef(job_id))
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "CANCELLED", timeout=LONG)
