"""Metrics and usage of a job in Lab: curves that grow, values that can be read."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from jupyter_blueno.api.jobs import SubmitJob, submit_job
from jupyter_blueno.jobs.model import JobSpec
from tests.servers import Lab
from tests.ui.conftest import execute, painted

TRAIN = """\
import math, pathlib, time
import jupyter_blueno as blueno
for epoch in range(40):
    loss = math.exp(-epoch / 12)
    blueno.log_metrics({"loss": loss, "val_loss": 0.1 + loss, "accuracy": 1 - loss}, step=epoch)
blueno.log_metric("learning rate", 1e-3)
blueno.log_metric("learning rate", float("nan"))
while not pathlib.Path("FILE").exists():
    time.sleep(0.05)
blueno.log_metrics({"loss": 0.0125, "val_loss": 0.2}, step=40)
"""


def submit(lab: Lab, source: str) -> str:
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=source, folder=str(lab.root))
    lab.transport.call(submit_job, SubmitJob(job_id, "train", spec))
    return job_id


@pytest.mark.usefixtures("fresh_page")  # the charts' code was not asked for yet
def test_curves_grow_and_are_read(lab: Lab, page: Page) -> None:
    file = lab.root / f"release-{uuid.uuid4().hex}"
    job_id = submit(lab, TRAIN.replace("FILE", file.name))
    execute(page, "blueno:open-job", {"id": job_id})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    expect(tab.locator(".jp-blueno-job-metrics")).to_contain_text("accuracy 0.9612")
    assert page.evaluate("() => performance.getEntriesByType('resource').every(r => !/uPlot/.test(r.name))")
    tab.get_by_role("tab", name="Metrics").click()
    charts = tab.locator(".jp-blueno-chart")
    expect(charts).to_have_count(3)
    loss = charts.filter(has_text="val_loss")
    expect(loss.locator(".jp-blueno-chart-title")).to_have_text("loss")
    expect(loss.get_by_role("button", name="val_loss")).to_contain_text("0.1388")
    colours = {tuple(pixel) for pixel in painted(loss.locator("canvas")).reshape(-1, 3)}
    assert len(colours) > 10  # two lines in two colours, smooth at their edges
    expect(charts.last).to_contain_text("learning rate is no number at step 1.")

    # The arrow keys read values; End is the newest.
    loss.get_by_role("group").focus()
    page.keyboard.press("Home")
    expect(loss.locator(".jp-blueno-chart-at")).to_have_text("step 0")
    expect(loss.get_by_role("button", name="val_loss")).to_contain_text("1.1")
    page.keyboard.press("ArrowRight")
    expect(loss.locator(".jp-blueno-chart-at")).to_have_text("step 1")

    tab.get_by_label("Log scale").check()
    tab.get_by_label("Smoothing").fill("0.9")
    expect(tab.locator(".jp-blueno-curves-amount")).to_have_text("0.90")
    loss.get_by_role("button", name="val_loss").click()
    expect(loss.get_by_role("button", name="val_loss")).to_have_attribute("aria-pressed", "false")
    expect(loss.locator("canvas")).to_be_visible()

    file.touch()  # the job goes on, and the curve with it
    page.mouse.move(0, 0)
    tab.get_by_role("button", name="Table").click()
    row = tab.get_by_role("row").filter(has=page.get_by_role("rowheader", name="loss", exact=True))
    expect(row).to_contain_text("0.0125")
    expect(row.get_by_role("cell")).to_have_text(["0.0125", "0.0125 at 40", "1 at 0", "41"])
    execute(page, "blueno:show-jobs")
    expect(page.locator(f".jp-blueno-job[data-job='{job_id}']")).to_contain_text("loss 0.0125")


def test_usage_is_measured_without_asking(lab: Lab, page: Page) -> None:
    file = lab.root / f"release-{uuid.uuid4().hex}"
    source = f"import pathlib\nwhile not pathlib.Path({file.name!r}).exists(): pass"
    job_id = submit(lab, source)
    execute(page, "blueno:open-job", {"id": job_id})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    tab.get_by_role("tab", name="Usage").click()
    expect(tab.locator(".jp-blueno-chart-title")).to_have_text(["Processors", "Memory", "Disk", "Processes"])
    memory = tab.locator(".jp-blueno-chart").nth(1)
    expect(memory.get_by_role("button", name="memory")).to_contain_text("MB")
    file.touch()
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED")


def test_checkpoints_are_listed_and_gone_on_from(lab: Lab, page: Page) -> None:
    source = """\
from pathlib import Path
import jupyter_blueno as blueno
before = blueno.latest_checkpoint()
print("after", before and Path(before).name)
for step in range(5):
    Path("model.pt").write_bytes(b"w" * 2000)
    blueno.checkpoint("model.pt", step=step, keep=2)
"""
    execute(page, "blueno:open-job", {"id": (job_id := submit(lab, source))})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    tab.get_by_role("tab", name="Results").click()
    rows = tab.locator(".jp-blueno-checkpoints tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first.get_by_role("cell")).to_contain_text(["4", "2.0 kB", "just now", ""])
    rows.first.get_by_role("button", name="Copy the path of model.pt").click()
    expect(page.get_by_text(f"/jobs/{job_id}/checkpoints/000004/model.pt").last).to_be_visible()
    tab.get_by_role("button", name="Go on from the newest").click()
    expect(page.get_by_text("after model.pt")).to_be_visible()


def test_nothing_logged_says_how(lab: Lab, page: Page) -> None:
    job_id = submit(lab, "1 + 1")
    execute(page, "blueno:open-job", {"id": job_id})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    tab.get_by_role("tab", name="Metrics").click()
    expect(tab.get_by_text('blueno.log_metric("loss", loss)')).to_be_visible()
