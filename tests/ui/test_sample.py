"""The tab of a sample: from the gallery, along its neighbours, and back after a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_blueno.api.catalog import ListDatasets, list_datasets
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.ingest.sources import demo
from tests.ui.conftest import TOKEN, Lab, execute
from tests.ui.datasets import filter_of, row, show_panel


@pytest.fixture(scope="session")
def brain(lab: Lab) -> Dataset:
    """Three real volumes."""
    wanted = ListDatasets(name=demo.BRAIN)
    if not lab.transport.call(list_datasets, wanted).datasets:  # the examples may have made it
        demo.brain(OperationsDestination(lab.transport.call))
    (dataset,) = lab.transport.call(list_datasets, wanted).datasets
    return dataset


def front(page: Page) -> Locator:
    return page.locator(".jp-blueno-sample:not(.lm-mod-hidden)")


def fact(page: Page, name: str) -> Locator:
    line = front(page).locator(".jp-blueno-sample-side tr")
    return line.filter(has=page.locator("th", has_text=re.compile(f"^{name}$"))).locator("td")


def open_by_hand(page: Page, dataset: Dataset) -> Locator:
    """Click a dataset in the panel; its gallery has the keyboard."""
    show_panel(page)
    row(page, dataset.name).locator(".jp-blueno-row-main").click()
    tab = page.locator(f"#jp-blueno-dataset-{dataset.id}")
    tab.locator(".jp-blueno-gallery:focus").wait_for()
    return tab


def test_volumes_have_wide_tiles_and_open_by_keys(page: Page, brain: Dataset) -> None:
    tab = open_by_hand(page, brain)
    expect(tab.locator(".jp-blueno-tile")).to_have_count(3)
    box = tab.locator(".jp-blueno-tile").first.bounding_box()
    assert box is not None
    assert 2.9 < box["width"] / box["height"] < 3.1
    assert box["width"] >= 256
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    front(page).locator(".blueno-pane[data-plane=axial][data-state=ready]").wait_for()
    expect(front(page).locator(".jp-blueno-name")).to_have_text("t1")
    expect(fact(page, "shape")).to_have_text("197 × 233 × 189")
    expect(fact(page, "spacing")).to_have_text("1 × 1 × 1 mm")
    expect(fact(page, "shows")).to_have_text("T1-weighted template of 152 adults")


def test_brackets_walk_through_the_filtered_samples(page: Page, digits: Dataset) -> None:
    tab = open_by_hand(page, digits)
    filter_of(tab).fill("label:6 split:test")
    expect(tab.locator(".jp-blueno-tile")).to_have_count(20)
    shown = [str(n) for n in range(6, 600, 30)]
    tab.locator(".jp-blueno-tile").first.dblclick()
    expect(fact(page, "ordinal")).to_have_text(shown[0])
    expect(fact(page, "label")).to_have_text("6")
    expect(front(page).get_by_label("Previous sample")).to_be_disabled()
    page.keyboard.press("]")
    expect(fact(page, "ordinal")).to_have_text(shown[1])
    page.keyboard.press("]")
    expect(fact(page, "ordinal")).to_have_text(shown[2])
    page.keyboard.press("[")
    expect(fact(page, "ordinal")).to_have_text(shown[1])
    expect(front(page).locator(".jp-blueno-where")).to_have_text(f"2 / {len(shown)}")


def test_copy_as_python_names_the_sample(page: Page, digits: Dataset) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    execute(page, "blueno:open-sample", {"datasetId": digits.id, "ordinal": 12})
    name = front(page).locator(".jp-blueno-name")
    expect(fact(page, "ordinal")).to_have_text("12")
    front(page).get_by_role("button", name="Copy as Python").click()
    page.get_by_text("Copied: ").first.wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f'blueno.dataset("digits-ui")["{name.inner_text()}"]'


def test_a_reload_brings_the_sample_back(lab: Lab, page: Page, digits: Dataset) -> None:
    page.goto(f"{lab.url}/lab/workspaces/sample?token={TOKEN}&reset")
    page.wait_for_selector("#jp-main-dock-panel")
    execute(page, "blueno:open-sample", {"datasetId": digits.id, "ordinal": 3})
    expect(fact(page, "ordinal")).to_have_text("3")
    with page.expect_response(
        lambda answer: "/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        page.keyboard.press("]")
    expect(fact(page, "ordinal")).to_have_text("4")
    page.goto(f"{lab.url}/lab/workspaces/sample")
    expect(fact(page, "ordinal")).to_have_text("4", timeout=60_000)
    expect(front(page).get_by_role("img", name="the sample")).to_be_visible()
