"""The chart on a real cluster, by clicks: two people of a team, their data, and a cell that is a Job.

With ``BLUENO_PICTURES`` naming a folder, the pictures of the operator's guide are taken on the way.
"""

from __future__ import annotations

import os
import re

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jupyter_blueno.hub.cluster import USER
from tests.cluster.installation import Installation
from tests.ui.conftest import execute, picture, wait_for_idle_kernel
from tests.ui.datasets import show_panel

WELCOME = "welcome/01-browse.ipynb"
FRONT = ".lm-DockPanel-widget:not(.lm-mod-hidden) "
LONG = 90_000  # ms: a pod has to start
DEMO = "import jupyter_blueno as blueno\nblueno.demo()"
TRAIN = """\
# count-digits
import pathlib, time
import jupyter_blueno as blueno
digits = blueno.dataset("mnist-5k").where(split="test")
images, labels = digits.numpy()
for step in range(1, 11):
    blueno.log_metric("mean", images[: step * 100].mean(), step)
    blueno.progress(step, 10)
    while step == 5 and not pathlib.Path.home().joinpath("go-on").exists():
        time.sleep(0.05)
print(len(labels), "digits, mean", round(float(images.mean()), 2))
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def signed_in(browser: Browser, chart: Installation, name: str) -> Page:
    """Lab as this person has it, from the hub's page on."""
    page = sign_in(browser, chart, name)
    enter(page)
    wait_for_idle_kernel(page, WELCOME)  # the first time with a notebook to begin with
    return page


def sign_in(browser: Browser, chart: Installation, name: str) -> Page:
    """The page on which they choose what is started."""
    chart.stop_server(name)  # another test's
    page = browser.new_context(viewport={"width": 1400, "height": 860}).new_page()
    page.set_default_timeout(30_000)
    page.goto(chart.url)
    page.fill("#username_input", name)
    page.fill("#password_input", "any: the hub of the tests believes everybody")
    page.click("#login_submit")
    return page


def enter(page: Page) -> None:
    """Choose what is offered, wait for the pod, and find the panel."""
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#jp-main-dock-panel", timeout=LONG)
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.evaluate("() => window.jupyterapp.restored")
    show_panel(page)


def row(page: Page, name: str) -> Locator:
    return page.locator(".jp-blueno-row", has=page.get_by_text(name, exact=True))


def test_two_people_of_a_team_from_the_first_page_to_a_result_that_outlives_a_server(
    chart: Installation, browser: Browser
) -> None:
    alice = signed_in(browser, chart, "alice")
    write(chart, "alice", "demo.ipynb", DEMO)
    open_notebook(alice, "demo.ipynb")
    execute(alice, "notebook:run-all-cells")
    expect(row(alice, "mni152")).to_contain_text("3D", timeout=LONG)
    expect(row(alice, "mnist-5k")).to_contain_text("5,000")

    # A teammate sees them: the gallery, and a volume.
    bob = signed_in(browser, chart, "bob")
    row(bob, "mnist-5k").locator(".jp-blueno-row-main").click()
    tab = bob.locator(f"{FRONT}.jp-blueno-dataset")
    expect(tab.locator(".jp-blueno-gallery canvas").first).to_be_visible()
    tab.locator(".jp-blueno-facet-value", has_text=re.compile("^7")).click()
    expect(tab.get_by_role("status").filter(has_text="500")).to_be_visible()
    picture(bob, "cluster-gallery")
    row(bob, "mni152").locator(".jp-blueno-row-main").click()
    bob.locator(f"{FRONT}.jp-blueno-gallery [role=gridcell]").first.dblclick()
    bob.locator(f"{FRONT}.blueno-pane[data-state=ready]:visible").first.click()
    bob.keyboard.press("1")
    pane = bob.locator(f"{FRONT}.blueno-pane[data-plane=axial][data-state=ready]")
    before = pane.get_attribute("data-index")
    pane.hover()
    bob.mouse.wheel(0, 100)
    expect(pane).not_to_have_attribute("data-index", before or "")
    picture(bob, "cluster-volume")

    # A cell becomes a Job of the cluster; the server goes while it runs, and is back when it is over.
    write(chart, "alice", "count.ipynb", TRAIN)
    card = open_notebook(alice, "count.ipynb").locator(".jp-blueno-card[data-job]")
    alice.locator(f"{FRONT}.jp-InputPrompt").first.click()
    alice.locator(f"{FRONT}.jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    expect(card).to_have_attribute("data-state", "RUNNING", timeout=LONG)
    expect(card).to_contain_text("5 of 10")
    picture(alice, "cluster-job")
    (pod,) = chart.pods(**{"app.kubernetes.io/component": "job"})
    assert pod["metadata"]["labels"]["blueno.dev/team"] == "radiology"
    assert pod["status"]["phase"] == "Running"
    alice.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
    chart.stop_server("alice")
    (chart.volume / "home" / "alice" / "go-on").touch()
    job = card.get_attribute("data-job")
    chart.cluster.until(lambda: not chart.pods(**{"blueno.dev/job": str(job)}), chart.says)

    alice.goto(f"{chart.url}/hub/spawn/alice?next=%2Fuser%2Falice%2Flab%2Ftree%2Fcount.ipynb")
    enter(alice)
    expect(card).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(card).to_contain_text("1000 digits, mean")
    picture(alice, "cluster-result")


def write(chart: Installation, person: str, name: str, *cells: str) -> None:
    """Put a notebook into a person's home."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = chart.volume / "home" / person / name
    nbformat.write(made, path)
    os.chown(path, USER, USER)


def open_notebook(page: Page, name: str) -> Locator:
    """Open a notebook, and return its first cell."""
    execute(page, "docmanager:open", {"path": name})
    wait_for_idle_kernel(page, name)
    return page.locator(f"{FRONT}.jp-CodeCell").first
