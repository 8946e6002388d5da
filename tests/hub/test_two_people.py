"""Two people of one team, by clicks: one prepares and runs, the other sees it; a stranger does not."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.conftest import Hub
from tests.ui.conftest import execute, picture, wait_for_idle_kernel
from tests.ui.datasets import show_panel

CELL = """\
%load_ext jupyter_blueno
import numpy as np, jupyter_blueno as blueno
rng = np.random.default_rng(0)
labels = [str(n % 10) for n in range(60)]
blueno.ingest(rng.integers(0, 255, (60, 28, 28), np.uint8), labels=labels, name="scans")
"""
JOB = """\
%%blueno run --name count-scans
import jupyter_blueno as blueno
for number, sample in enumerate(blueno.dataset("scans"), 1):
    blueno.progress(number, 60)
print(number, "scans counted")
"""


IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def signed_in(browser: Browser, hub: Hub, name: str) -> Page:
    """Lab as this person has it, after the hub's own sign-in page."""
    page = browser.new_context(viewport={"width": 1300, "height": 850}).new_page()
    page.set_default_timeout(30_000)
    page.goto(hub.url)
    page.fill("#username_input", name)
    page.fill("#password_input", "any: the hub of the tests believes everybody")
    page.click("#login_submit")
    page.wait_for_selector("#jp-main-dock-panel", timeout=90_000)
    page.wait_for_function("() => window.jupyterapp?.restored", timeout=60_000)
    page.evaluate("async () => { await window.jupyterapp.restored }")
    # Who was here before comes back to what they had open.
    if page.locator("#jp-main-dock-panel .jp-Launcher").count() == 0:
        execute(page, "launcher:create")
    page.wait_for_selector("#jp-main-dock-panel .jp-Launcher", timeout=60_000)
    show_panel(page)
    return page


def run(page: Page, *cells: str) -> None:
    """Run cells in a new notebook."""
    page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    wait_for_idle_kernel(page)
    for number, text in enumerate(cells):
        page.locator(f"{IN_FRONT} .jp-CodeCell .cm-content").nth(number).click()
        page.keyboard.insert_text(text)
        page.keyboard.press("Shift+Enter")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_team_shares_its_data_and_jobs(hub: Hub, browser: Browser) -> None:
    alice = signed_in(browser, hub, "alice")
    run(alice, CELL, JOB)
    panel = alice.locator("#jp-blueno-panel")
    expect(panel.get_by_text("scans", exact=True)).to_be_visible()
    expect(alice.locator(".jp-Notebook").get_by_text("60 scans counted")).to_be_visible(timeout=60_000)
    picture(alice, "hub-alice")

    bob = signed_in(browser, hub, "bob")
    seen = bob.locator("#jp-blueno-panel")
    expect(seen.get_by_text("scans", exact=True)).to_be_visible()
    expect(seen.get_by_text("count-scans")).to_be_visible()
    seen.get_by_text("scans", exact=True).click()
    expect(bob.get_by_text(re.compile("60 samples"))).to_be_visible()
    expect(bob.locator(".jp-blueno-gallery canvas").first).to_be_visible()
    picture(bob, "hub-bob")

    carol = signed_in(browser, hub, "carol")
    expect(carol.locator("#jp-blueno-panel")).to_contain_text("Add")
    expect(carol.locator("#jp-blueno-panel").get_by_text("scans", exact=True)).to_have_count(0)
