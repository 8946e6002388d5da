"""The button that runs a cell as a job: what it takes of the kernel, and what it asks."""

from __future__ import annotations

import uuid

from playwright.sync_api import Locator, Page, expect

from tests.servers import Lab
from tests.ui.conftest import execute, picture, wait_for_idle_kernel
from tests.ui.test_jobs import (
    LONG,
    UNTIL_FILE,
    end,
    job_of,
    open_notebook,
    release,
    run_cell_as_job,
    wait_for_state,
)

assert release  # a fixture

DEFINED = """\
import sqlite3, threading
import numpy as np
rate, images, base = 0.5, np.ones((60, 28, 28), np.float32), sqlite3.connect(":memory:")
def total(a): return rate * a.sum()
"""


def run_in_kernel(page: Page, cell: int) -> None:
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").nth(cell).locator(
        ".jp-InputPrompt"
    ).click()
    execute(page, "notebook:run-cell")


def press(page: Page, cell: int) -> Locator:
    """Press the button of a cell where a question is expected; return the question."""
    chosen = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").nth(cell)
    chosen.locator(".jp-InputPrompt").click()
    chosen.locator(".jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    return page.locator(".jp-Dialog")


def test_variables_of_the_kernel_go_along(lab: Lab, page: Page) -> None:
    cells = [
        DEFINED,
        "# sums\nprint('total', total(images))",
        "# asks\nprint(rate, base)",
        "# typo\nprint(imagse)",
    ]
    open_notebook(page, lab, "variables.ipynb", *cells)
    run_in_kernel(page, 0)
    expect(page.locator(".jp-CodeCell").first.locator(".jp-InputPrompt")).to_have_text("[1]:", timeout=LONG)
    wait_for_idle_kernel(page)
    card = run_cell_as_job(page, 1)
    wait_for_state(card, "SUCCEEDED")
    expect(card.locator(".jp-blueno-card-log")).to_have_text("total 23520.0")
    told = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea")
    expect(told).to_contain_text("Taken along: total (function")
    expect(told).to_contain_text("images (ndarray float32 (60, 28, 28), 188 kB)")
    job = job_of(lab, card)
    assert job.origin.notebook == "variables.ipynb"
    assert job.origin.cell_id
    assert job.origin.kernel_id

    question = press(page, 2)
    expect(question).to_contain_text(
        "a connection to a database belongs to one process. Connect in the cell."
    )
    picture(page, "cell-variables")
    question.get_by_role("button", name="Run without base").click()
    card = page.locator(".jp-CodeCell").nth(2).locator(".jp-blueno-card[data-job]")
    wait_for_state(card, "FAILED")
    expect(card.locator(".jp-blueno-job-why")).to_contain_text("base")

    question = press(page, 3)
    expect(question).to_contain_text("The cell uses imagse, which is defined neither in it nor in")
    question.get_by_role("button", name="Cancel").click()
    expect(page.locator(".jp-blueno-card")).to_have_count(2)


def test_a_busy_kernel_is_not_waited_for_unasked(lab: Lab, page: Page, release: str) -> None:
    kernel_release = f"{lab.root}/kernel-{uuid.uuid4().hex}"
    wait = f"while not pathlib.Path({kernel_release!r}).exists():\n    time.sleep(0.05)"
    busy = f"import pathlib, time\nvalue = 42\n{wait}"
    cells = [UNTIL_FILE.format(file=release), busy, "# needs\nprint('value', value)"]
    open_notebook(page, lab, "busy.ipynb", *cells)
    run_in_kernel(page, 1)
    status = page.locator("#jp-main-statusbar")
    expect(status).to_contain_text("| Busy")

    # One that needs nothing starts at once, and its log is live.
    card = run_cell_as_job(page)
    expect(card.locator(".jp-blueno-card-log")).to_contain_text("epoch 1", timeout=LONG)
    end(release)
    wait_for_state(card, "SUCCEEDED")
    expect(card.locator(".jp-blueno-card-log")).to_contain_text("epoch 2")

    question = press(page, 2)
    expect(question).to_contain_text(
        "The cell uses value of this notebook’s kernel, which runs something else"
    )
    picture(page, "cell-busy")
    question.get_by_role("button", name="Run without variables").click()
    card = page.locator(".jp-CodeCell").nth(2).locator(".jp-blueno-card[data-job]")
    wait_for_state(card, "FAILED")
    job_id = card.get_attribute("data-job")

    question = press(page, 2)
    question.get_by_role("button", name="Run when it is free").click()
    expect(page.locator(".Toastify__toast", has_text="as soon as the kernel")).to_be_visible()
    expect(status).to_contain_text("| Busy")
    end(kernel_release)
    fresh = page.locator(f".jp-blueno-card[data-job]:not([data-job='{job_id}'])", has_text="needs")
    wait_for_state(fresh, "SUCCEEDED")
    expect(fresh.locator(".jp-blueno-card-log")).to_have_text("value 42")
    wait_for_idle_kernel(page)
