"""Ways to datasets in the panel and in their tabs."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.ui.conftest import execute

LONG = 60_000  # ms: an ingest has a Python to start, on a machine that does other things too


def show_panel(page: Page) -> None:
    execute(page, "blueno:show-panel")
    page.locator("#jp-blueno-panel").wait_for()


def row(page: Page, name: str) -> Locator:
    return page.locator("#jp-blueno-panel .jp-blueno-row").filter(has_text=name)


def filter_of(tab: Locator) -> Locator:
    return tab.locator("input[aria-label=Filter]")
