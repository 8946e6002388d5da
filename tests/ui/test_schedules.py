"""Schedules in JupyterLab: made above a notebook, seen in the panel, fired while it is open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_blueno.api.context import Platform
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.schedules import ScheduleRef, delete_schedule, list_schedules
from jupyter_blueno.config import Config
from tests.servers import Lab
from tests.ui.conftest import execute
from tests.ui.test_accessibility import assert_accessible
from tests.ui.test_jobs import open_notebook
from tests.ui.test_whole_path import picture

LONG = 60_000  # ms


@pytest.fixture(autouse=True)
def no_schedules(lab: Lab) -> Iterator[None]:
    yield
    for one in lab.transport.call(list_schedules, Nothing()).schedules:
        lab.transport.call(delete_schedule, ScheduleRef(one.id))


def let_nights_pass(lab: Lab, nights: int) -> None:
    """As if nobody had looked for so long: what was next lies that far back."""
    platform = Platform(Config(home=str(lab.home), database_url=""))
    night = datetime.now(UTC).replace(hour=3, minute=0, second=0, microsecond=0) - timedelta(days=nights)
    with platform.database.begin() as connection:
        connection.exec_driver_sql("UPDATE schedule SET next_due = %s WHERE cron IS NOT NULL", (night,))
    platform.close()


def section(page: Page) -> Locator:
    return page.locator("#jp-blueno-panel")


def test_a_notebook_runs_by_itself(page: Page, lab: Lab) -> None:
    open_notebook(page, lab, "report.ipynb", "lr = 0.1", "print('lr', lr)\n1 / (lr > 0.05)", kernel=False)
    page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='schedule']").click()
    dialog = page.get_by_role("dialog")
    means = dialog.locator(".jp-blueno-timing-means")
    expect(means).to_contain_text("At 03:00 every day. Next:")
    expect(means.get_by_role("listitem")).to_have_count(5)
    cron = dialog.get_by_label("At", exact=True)
    cron.fill("0 0 31 2 *")
    expect(dialog.get_by_role("alert")).to_contain_text("never comes")
    assert_accessible(page, ".jp-Dialog-content")
    dialog.get_by_role("button", name="on workdays").click()
    expect(means).to_contain_text("At 06:30 on Monday through Friday. Next:")
    dialog.get_by_role("button", name="every night").click()
    zone = dialog.get_by_label("Time zone")
    zone.fill("Europe/Berln")
    expect(dialog.get_by_role("alert")).to_contain_text("Did you mean Europe/Berlin")
    dialog.get_by_role("button", name="Schedule", exact=True).click()
    # Asked again; Lab moves the cursor into the first field a moment after all is drawn.
    expect(dialog.locator(".jp-blueno-form-error")).to_contain_text("Did you mean Europe/Berlin")
    expect(dialog.get_by_label("At", exact=True)).to_be_focused()
    dialog.get_by_label("Time zone").fill("UTC")
    expect(means).to_contain_text("03:00")
    picture(page, "schedule-form")
    dialog.get_by_role("button", name="Schedule", exact=True).click()

    row = section(page).locator("[data-schedule='report']")
    expect(row).to_contain_text(re.compile(r"Next \w+ \d+ \w+, 03:00"))
    expect(section(page).get_by_role("note")).to_contain_text("blueno scheduler install")
    let_nights_pass(lab, 3)
    dots = row.locator(".jp-blueno-dot")
    expect(dots).to_have_class(re.compile("jp-mod-done"), timeout=LONG)
    expect(dots).to_have_attribute("aria-label", re.compile(r"succeeded · made up for · missed \d, ran once"))

    row.get_by_role("button", name="Actions for report").click()
    page.get_by_role("menuitem", name="Run Now").click()
    expect(dots).to_have_count(2)
    expect(page.locator(".jp-blueno-job-view:visible")).to_contain_text("report")
    expect(dots.last).to_have_class(re.compile("jp-mod-done"), timeout=LONG)
    dots.first.click()  # opens the job of that night
    expect(page.locator(".jp-blueno-job-view:visible .jp-blueno-job-header")).to_have_attribute(
        "data-state", "SUCCEEDED"
    )
    assert_accessible(page, "#jp-blueno-panel")
    picture(page, "schedule")


def test_a_job_is_scheduled_changed_paused_and_deleted(page: Page, lab: Lab) -> None:
    import secrets

    from jupyter_blueno.api.jobs import SubmitJob, submit_job
    from jupyter_blueno.jobs.model import JobSpec

    job_id = secrets.token_hex(16)
    spec = JobSpec("cell", source="1 / 0", folder=str(lab.root))
    lab.transport.call(submit_job, SubmitJob(job_id, "divide", spec))
    execute(page, "blueno:show-panel")
    job = section(page).locator(f"[data-job='{job_id}']")
    expect(job).to_have_attribute("data-state", "FAILED", timeout=LONG)
    job.click(button="right")
    page.get_by_role("menuitem", name="Schedule Job …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("At", exact=True).fill("0 * * * *")
    expect(dialog.locator(".jp-blueno-timing-means")).to_contain_text("every hour")
    dialog.get_by_role("button", name="Schedule", exact=True).click()

    job.click(button="right")  # the same menu shows it in TensorBoard
    page.get_by_role("menuitem", name="Open in TensorBoard").click()
    board = page.frame_locator(".jp-blueno-tensorboard iframe")
    expect(board.locator("tf-dashboard, tb-webapp").first).to_be_attached(timeout=LONG)

    row = section(page).locator("[data-schedule='divide']")
    row.get_by_role("button", name="Change divide").click()
    dialog.get_by_label("Name").fill("hourly")
    dialog.get_by_label("Time zone").fill("Asia/Tokyo")
    dialog.get_by_role("button", name="Change", exact=True).click()
    row = section(page).locator("[data-schedule='hourly']")
    expect(row).to_contain_text("Asia/Tokyo")

    row.get_by_role("button", name="Actions for hourly").click()
    page.get_by_role("menuitem", name="Run Now").click()
    expect(row.locator(".jp-blueno-schedule-wrong")).to_contain_text("ZeroDivisionError", timeout=LONG)
    switch = row.get_by_role("switch", name="hourly starts by itself")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(row).to_contain_text("Paused")
    switch.click()
    expect(row).to_contain_text("Next")

    row.get_by_role("button", name="Actions for hourly").click()
    page.get_by_role("menuitem", name="Delete …").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)
    expect(section(page)).to_contain_text("No schedules yet")
