"""The extension in Notebook 7, which has fewer places than JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

from jupyter_blueno.catalog.model import Dataset
from tests.ui.conftest import TOKEN, Lab, painted
from tests.ui.desk import stop_kernels

LONG = 60_000  # ms: a kernel or a job has a Python to start


@pytest.fixture(scope="module")
def signed_in(lab: Lab, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that keeps what its pages loaded."""
    made = browser.new_context(viewport={"width": 1400, "height": 900})
    made.request.get(f"{lab.url}/tree?token={TOKEN}")
    yield made
    made.close()


@pytest.fixture
def context(lab: Lab, signed_in: BrowserContext) -> Iterator[BrowserContext]:
    """Nothing on the pages of a test may fail in our code."""
    complaints: list[str] = []

    def fails(error: WebError) -> None:
        complaints.append(str(error.error.stack or error.error))

    def says(line: ConsoleMessage) -> None:
        if line.type == "error":
            complaints.append(line.text)

    signed_in.on("weberror", fails)
    signed_in.on("console", says)
    yield signed_in
    for page in signed_in.pages:
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.close()
    stop_kernels(lab)
    signed_in.remove_listener("weberror", fails)
    signed_in.remove_listener("console", says)
    assert [one for one in complaints if "blueno" in one.lower()] == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    return opened


def open_notebook(lab: Lab, page: Page, name: str, *cells: str) -> None:
    """Open a notebook and wait for its kernel."""
    lab.write_notebook(name, *cells)
    page.goto(f"{lab.url}/notebooks/{name}")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=LONG)


def choose(page: Page, menu: str, *items: str) -> None:
    """Choose from the menu bar."""
    page.locator(".lm-MenuBar-item", has_text=menu).click()
    for item in items:
        page.locator(".lm-Menu-item", has_text=item).first.click()


def cell(page: Page, number: int) -> Locator:
    return page.locator(".jp-CodeCell").nth(number)


def test_outputs_are_alive(lab: Lab, page: Page, digits: Dataset) -> None:
    open_notebook(
        lab,
        page,
        "seven.ipynb",
        "import numpy as np, jupyter_blueno as blueno\n"
        "volume = np.arange(9)[:, None, None].repeat(8, 1).repeat(8, 2).astype('uint8')\n"
        "blueno.show(volume, window=8, level=4)",
        "blueno.dataset('digits-ui')[200].show()",
        "blueno.dataset('digits-ui').show()",
    )
    choose(page, "Run", "Run All Cells")
    array = cell(page, 0).locator(".blueno-pane[data-plane=axial]")
    expect(array.and_(page.locator("[data-index='4'][data-state=ready]"))).to_be_visible(timeout=LONG)
    array.hover()
    page.mouse.wheel(0, 100)
    expect(array.and_(page.locator("[data-index='5'][data-state=ready]"))).to_be_visible()
    assert painted(array.locator("canvas")).max() == round(5 / 8 * 255)
    expect(cell(page, 1).get_by_role("img")).to_be_visible()
    strip = cell(page, 2)
    strip.get_by_role("button", name="Sample 3", exact=True).click()
    beside = page.locator("#jp-right-stack .jp-blueno-sample")
    expect(beside).to_contain_text("digits-ui")
    expect(beside.get_by_role("img")).to_be_visible()
    strip.get_by_role("button", name="Sample 5", exact=True).click()
    expect(beside).to_have_count(1)  # the sidebar has no way to close what it hides
    expect(beside).to_be_visible()


def test_a_cell_and_the_notebook_run_as_jobs(lab: Lab, page: Page) -> None:
    open_notebook(lab, page, "jobs-seven.ipynb", "# counted\nprint('one', 'two')")
    cell(page, 0).locator(".jp-InputPrompt").click()
    cell(page, 0).locator(".jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    card = cell(page, 0).locator(".jp-blueno-card[data-job]")
    expect(card).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(card.locator(".jp-blueno-card-log")).to_have_text("one two")
    page.locator(".jp-NotebookPanel-toolbar [data-command='blueno:run-notebook-as-job']").click()
    tab = page.locator("#jp-right-stack .jp-blueno-job-tab")
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(tab).to_contain_text("jobs-seven")


def test_the_panel_is_a_sidebar_of_a_notebook(lab: Lab, page: Page, digits: Dataset) -> None:
    open_notebook(lab, page, "panel-seven.ipynb", "1")
    choose(page, "View", "Left Sidebar", "Show Blueno")
    panel = page.locator("#jp-left-stack #jp-blueno-panel")
    panel.get_by_text("digits-ui", exact=True).click()
    gallery = page.locator("#jp-right-stack .jp-blueno-dataset")
    expect(gallery).to_be_visible()
    panel.get_by_role("button", name="Add dataset").click()
    expect(page.locator("#jp-right-stack #jp-blueno-add")).to_be_visible()
    expect(gallery).to_have_count(0)


def test_the_front_page_has_the_panel_and_tabs(lab: Lab, page: Page, digits: Dataset) -> None:
    page.goto(f"{lab.url}/tree")
    tabs = page.locator("#main-panel .lm-TabBar-tab")
    tabs.filter(has_text="Blueno").click()
    page.locator("#jp-blueno-panel").get_by_text("digits-ui", exact=True).click()
    gallery = page.locator(".jp-blueno-dataset")
    expect(gallery).to_be_visible()
    tabs.filter(has_text="digits-ui").locator(".lm-TabBar-tabCloseIcon").click()
    expect(gallery).to_have_count(0)


def test_a_volume_opens_on_a_page_of_its_own(lab: Lab, context: BrowserContext, page: Page) -> None:
    numbers = np.arange(12, dtype=np.int16).repeat(100).reshape(12, 10, 10).T
    nib.save(nib.Nifti1Image(numbers, np.eye(4)), lab.root / "seven.nii")
    page.goto(f"{lab.url}/tree")
    with context.expect_page() as opening:
        page.locator('.jp-DirListing-item[title^="Name: seven.nii"]').dblclick()
    viewer = opening.value
    pane = viewer.locator(".blueno-pane[data-plane=axial]")
    expect(pane.and_(viewer.locator("[data-index='6'][data-state=ready]"))).to_be_visible()
    for label, value in [("Window width", "11"), ("Window level", "5.5")]:
        viewer.get_by_label(label).fill(value)
        viewer.get_by_label(label).press("Enter")
    pane.hover()
    viewer.mouse.wheel(0, -300)
    expect(pane.and_(viewer.locator("[data-index='3'][data-state=ready]"))).to_be_visible()
    assert abs(int(painted(pane.locator("canvas")).max()) - 3 / 11 * 255) <= 1
