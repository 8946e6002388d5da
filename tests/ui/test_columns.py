"""Values of samples in the gallery; a notebook that runs on what is selected."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_blueno.api.columns import ColumnRef, WriteResults, delete_column, write_results
from jupyter_blueno.catalog.model import Dataset
from tests.ui.conftest import COUNT, Lab, execute

SAMPLES = list(range(0, COUNT, 2))  # those that have values


@pytest.fixture
def valued(lab: Lab, page: Page, digits: Dataset) -> Iterator[Locator]:
    """The tab of `digits`; every second sample has a Dice, the last one the least."""
    dice = [round(1 - ordinal / COUNT, 4) for ordinal in SAMPLES]
    lab.transport.call(write_results, WriteResults(digits.id, SAMPLES, {"dice": list(dice)}))
    execute(page, "blueno:open-dataset", {"id": digits.id})
    tab = page.locator(f"#jp-blueno-dataset-{digits.id}")
    tab.locator(".jp-blueno-tile").first.wait_for()
    yield tab
    for name in ("dice", "rank"):
        lab.transport.call(delete_column, ColumnRef(digits.id, name))


def ordinals(tab: Locator, count: int = 4) -> list[int]:
    found = tab.locator(".jp-blueno-tile").evaluate_all("all => all.map(one => Number(one.dataset.ordinal))")
    return list(found[:count])


def test_the_worst_come_first(valued: Locator) -> None:
    valued.get_by_label("Order of the samples").select_option("dice")
    expect(valued.locator(".jp-blueno-tile").first).to_have_attribute("data-ordinal", "598")
    assert ordinals(valued) == [598, 596, 594, 592]
    valued.get_by_role("slider", name="Tile size").fill("7")
    expect(valued.locator(".jp-blueno-tile-caption").first).to_have_text("8 0.0033")
    valued.locator(".jp-blueno-tile").nth(1).click()
    expect(valued.locator(".jp-blueno-facts")).to_contain_text("dice0.0067")
    valued.page.keyboard.press("ArrowRight")
    expect(valued.locator(".jp-blueno-facts")).to_contain_text("dice0.01")


def test_a_condition_filters_and_a_wrong_one_says_so(valued: Locator) -> None:
    box = valued.locator("input[aria-label=Filter]")
    box.fill("label:4 dice<0.1")
    expect(valued.locator(".jp-blueno-matches")).to_have_text("6 of 600 samples")
    box.fill("dise<0.1")
    expect(valued.get_by_role("alert").first).to_contain_text("no column 'dise'. There is dice")
    valued.get_by_role("radio", name="Table").click()
    box.fill("dice>=0.99")
    expect(valued.locator(".jp-blueno-line")).to_have_count(4)
    expect(valued.locator(".jp-blueno-line").nth(1)).to_contain_text("dice 0.9967")
    valued.get_by_role("radio", name="Gallery").click()


def test_values_show_up_as_they_are_written(lab: Lab, valued: Locator, digits: Dataset) -> None:
    valued.locator(".jp-blueno-tile").first.click()
    expect(valued.locator(".jp-blueno-facts")).to_contain_text("dice1")
    lab.transport.call(write_results, WriteResults(digits.id, [0], {"dice": [0.25]}))
    expect(valued.locator(".jp-blueno-facts")).to_contain_text("dice0.25")


def test_a_notebook_runs_on_what_is_selected(lab: Lab, page: Page, valued: Locator, digits: Dataset) -> None:
    lab.write_notebook(
        "rank.ipynb",
        "import jupyter_blueno as blueno\nsamples = blueno.selection()\n"
        "samples.record(rank=[2 * one.ordinal for one in samples])\nprint(len(samples), 'ranked')",
    )
    execute(page, "docmanager:open", {"path": "rank.ipynb"})
    page.locator(".jp-NotebookPanel").wait_for()
    execute(page, "blueno:open-dataset", {"id": digits.id})
    valued.locator(".jp-blueno-tile[data-ordinal='5']").click()
    valued.locator(".jp-blueno-tile[data-ordinal='7']").click(modifiers=["Shift"])
    valued.get_by_role("button", name="Run on these").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Run a notebook on 3 samples")
    dialog.locator("select").select_option("rank.ipynb")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog).to_contain_text("Run rank on 3 samples")
    dialog.get_by_role("button", name=re.compile("^Run")).click()
    expect(page.locator(".jp-blueno-job-tab").last).to_contain_text("succeeded")
    execute(page, "blueno:open-dataset", {"id": digits.id})
    valued.locator(".jp-blueno-tile[data-ordinal='6']").click()
    expect(valued.locator(".jp-blueno-facts")).to_contain_text("rank12")
    valued.get_by_role("region", name="Jobs that used it").get_by_role("button", name="rank on").first.click()
    expect(page.locator(".jp-blueno-job-tab").last).to_be_visible()
