"""The panel and the tab of a dataset, by clicks and keys."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from jupyter_blueno.api.catalog import CreateDataset, create_dataset
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.model import Dataset, Problem, Progress
from jupyter_blueno.ingest.model import Batch, BeginVersion
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from tests.ui.conftest import COUNT, TOKEN, Lab, execute, shades
from tests.ui.datasets import LONG, filter_of, row, show_panel

FIRST_PAINT = "blueno:gallery-first-paint"


@pytest.fixture
def tab(page: Page, digits: Dataset) -> Locator:
    """The tab of `digits`, its first screen painted."""
    show_panel(page)
    row(page, digits.name).locator(".jp-blueno-row-main").click()
    page.wait_for_function(f"() => performance.getEntriesByName('{FIRST_PAINT}').length > 0")
    return page.locator(f"#jp-blueno-dataset-{digits.id}")


def current_ordinal(tab: Locator) -> int:
    value = tab.locator(".jp-mod-current").get_attribute("data-ordinal")
    assert value is not None
    return int(value)


def grey_of_tile(tab: Locator, ordinal: int) -> int:
    """The red of the canvas in the middle of a tile."""
    value = tab.locator(f".jp-blueno-tile[data-ordinal='{ordinal}']").evaluate(
        """tile => {
            const canvas = tile.parentElement.querySelector('canvas');
            const ratio = canvas.width / canvas.clientWidth;
            const x = (tile.offsetLeft + tile.offsetWidth / 2) * ratio;
            return canvas.getContext('2d').getImageData(x, canvas.height / 2, 1, 1).data[0];
        }"""
    )
    return int(value)


def test_panel_shows_facts_and_real_thumbnails(page: Page, digits: Dataset) -> None:
    show_panel(page)
    line = row(page, digits.name)
    expect(line.locator(".jp-blueno-row-count")).to_have_text("600")
    expect(line.locator(".jp-blueno-row-second")).to_contain_text("2D · 10 labels · v1")
    page.wait_for_function(
        """name => {
            const rows = [...document.querySelectorAll('.jp-blueno-row')];
            const row = rows.find(one => one.textContent.includes(name));
            const canvas = row.querySelector('canvas');
            return canvas.width && canvas.getContext('2d').getImageData(5, 5, 1, 1).data[3] === 255;
        }""",
        arg=digits.name,
    )
    page.get_by_title("Search datasets").click()
    expect(page.locator("#jp-blueno-panel jp-search input")).to_be_focused()
    page.keyboard.type("no such name")
    expect(page.locator("#jp-blueno-panel")).to_contain_text("No dataset matches")
    page.keyboard.press("Escape")
    expect(line).to_be_visible()


def test_screen_of_tiles_is_few_requests_and_each_tile_is_its_sample(page: Page, tab: Locator) -> None:
    loaded = page.evaluate("() => performance.getEntriesByType('resource').map(one => one.name)")
    requests = [one for one in loaded if "/thumbnails?" in one]
    assert tab.locator(".jp-blueno-tile").count() > 60
    assert len([one for one in requests if "ordinals=0-199" in one]) == 1
    assert len(requests) < 10  # the tab's, and one a dataset in the panel
    assert grey_of_tile(tab, 0) == 0
    assert grey_of_tile(tab, 37) == 37


def test_facets_filter_and_count_each_under_the_others(tab: Locator) -> None:
    split = tab.get_by_label("split", exact=True)
    label = tab.get_by_label("label", exact=True)
    expect(split.get_by_role("button", name="test 100")).to_be_visible()
    label.get_by_role("button", name="4 60").click()
    expect(filter_of(tab)).to_have_value("label:4")
    expect(tab.locator(".jp-blueno-matches")).to_have_text("60 of 600 samples")
    # Of the ordinals that end in 4, every third is divisible by six.
    expect(split.get_by_role("button", name="test 20")).to_be_visible()
    expect(label.get_by_role("button", name="5 60")).to_be_visible()
    split.get_by_role("button", name="test 20").click()
    expect(tab.locator(".jp-blueno-matches")).to_have_text("20 of 600 samples")
    expect(tab.locator(".jp-blueno-tile").first).to_have_attribute("data-ordinal", "24")
    label.get_by_role("button", name="clear").click()
    expect(tab.locator(".jp-blueno-matches")).to_have_text("100 of 600 samples")


def test_typed_filter_is_kept_in_step_and_copied_as_python(page: Page, tab: Locator) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    filter_of(tab).fill("split:test label:6 label:2 01")
    expect(tab.locator(".jp-blueno-matches")).to_have_text("1 of 600 samples")
    expect(tab.locator(".jp-blueno-tile")).to_have_attribute("data-ordinal", "12")
    chosen = tab.locator(".jp-blueno-facet-value[aria-pressed=true] .jp-blueno-facet-name")
    assert sorted(chosen.all_inner_texts()) == ["2", "6", "test"]
    tab.get_by_text("Copy as Python").click()
    expect(page.get_by_text("Copied: blueno.dataset").first).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == (
        'blueno.dataset("digits-ui").where(split="test", label=["6", "2"], text="01")'
    )
    filter_of(tab).fill("nothing like that")
    expect(tab.get_by_text("No sample matches")).to_be_visible()
    tab.get_by_role("button", name="Clear the filter").last.click()
    expect(tab.locator(".jp-blueno-matches")).to_have_count(0)
    expect(tab.locator(".jp-blueno-tile").first).to_be_visible()


def test_keys_move_select_and_reach_the_filter(page: Page, tab: Locator) -> None:
    grid = tab.get_by_role("grid", name="Samples")
    expect(tab.get_by_label("split", exact=True)).to_be_visible()
    columns = int(grid.get_attribute("aria-colcount") or 0)
    grid.focus()
    page.keyboard.press("ArrowRight")
    assert current_ordinal(tab) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert current_ordinal(tab) == columns + 1
    page.keyboard.press("x")
    expect(tab.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(tab.locator("[aria-selected=true]")).to_have_count(3)
    expect(tab.locator(".jp-blueno-details")).to_contain_text("3 samples selected")
    page.keyboard.press("Escape")
    expect(tab.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("End")
    expect(tab.locator(f".jp-blueno-tile[data-ordinal='{COUNT - 1}']")).to_be_visible()
    assert current_ordinal(tab) == COUNT - 1
    page.keyboard.press("Home")
    expect(tab.locator(".jp-blueno-tile[data-ordinal='0']")).to_be_visible()
    page.keyboard.press("/")
    expect(filter_of(tab)).to_be_focused()


def test_clicks_select_and_details_tell(page: Page, tab: Locator) -> None:
    tile = tab.locator(".jp-blueno-tile")
    tile.nth(12).click()
    details = tab.locator(".jp-blueno-details")
    for fact in ("012", "28 × 28 uint8", "test"):
        expect(details).to_contain_text(fact)
    tile.nth(14).click(modifiers=["ControlOrMeta"])
    tile.nth(16).click(modifiers=["Shift"])
    expect(tab.locator("[aria-selected=true]")).to_have_count(3)
    page.evaluate(
        """() => {
            window.executed = [];
            const { commands } = window.jupyterapp;
            commands.commandExecuted.connect((_, { id, args }) => {
                if (id === 'blueno:open-sample') { window.executed.push(args); }
            });
        }"""
    )
    tile.nth(7).dblclick()
    page.wait_for_function("() => window.executed.length > 0")
    assert page.evaluate("() => window.executed[0].ordinal") == 7


def test_zoom_shows_captions_and_table_scrolls_to_its_end(page: Page, tab: Locator) -> None:
    before = tab.locator(".jp-blueno-tile").first.bounding_box()
    tab.get_by_role("button", name="Larger tiles").click()
    tab.get_by_role("button", name="Larger tiles").click()
    expect(tab.locator(".jp-blueno-tile-caption").first).to_have_text("0")
    after = tab.locator(".jp-blueno-tile").first.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    tab.get_by_role("radio", name="Table").click()
    lines = tab.locator(".jp-blueno-line")
    expect(lines.nth(3)).to_contain_text("003")
    assert lines.count() < 80
    tab.get_by_role("grid", name="Samples").focus()
    page.keyboard.press("End")
    expect(tab.locator(f".jp-blueno-line[data-ordinal='{COUNT - 1}']")).to_contain_text("599")


def test_tab_is_restored_with_the_layout(page: Page, tab: Locator, lab: Lab, digits: Dataset) -> None:
    def saves(one: object) -> bool:
        return "/workspaces/" in one.url and "label:7" in (one.post_data or "")  # type: ignore[attr-defined]

    with page.expect_request(saves):
        filter_of(tab).fill("label:7")
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    again = page.locator(f"#jp-blueno-dataset-{digits.id}")
    expect(again.locator(".jp-blueno-matches")).to_have_text("60 of 600 samples", timeout=LONG)


def test_preparing_dataset_is_alive_and_fills_in(page: Page, lab: Lab, passing: str) -> None:
    show_panel(page)
    destination = OperationsDestination(lab.transport.call)
    version = destination.begin(BeginVersion(passing, count=8))
    line = row(page, passing)
    expect(line).to_be_visible()
    execute(page, "blueno:open-dataset", {"id": version.dataset_id})
    tab = page.locator(f"#jp-blueno-dataset-{version.dataset_id}")
    expect(tab).to_contain_text("The first samples show up here")

    def add(count: int) -> None:
        first = destination.reserve(version.dataset_id, count)
        names = [f"{first + n}" for n in range(count)]
        batch = Batch(first, names, f"file://{version.folder}/none.npy", kind="image2d")
        destination.add(version.version_id, batch, Progress(first + count, 8, "Reading"))

    add(2)
    expect(line.locator(".jp-blueno-row-count")).to_have_text("25 %")
    expect(tab.locator(".jp-blueno-tile")).to_have_count(2)
    expect(tab.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
    add(6)
    destination.finish(
        version.version_id, None, [Problem("a.png", "unreadable_data", "The file ends early.")]
    )
    expect(tab.locator(".jp-blueno-tile")).to_have_count(8)
    expect(tab.get_by_role("progressbar")).to_have_count(0)
    expect(line.locator(".jp-blueno-row-count")).to_have_text("8")
    tab.get_by_role("button", name="1 could not be read").click()
    expect(page.get_by_role("dialog")).to_contain_text("The file ends early.")


def test_failed_dataset_says_why(page: Page, lab: Lab, passing: str) -> None:
    show_panel(page)
    destination = OperationsDestination(lab.transport.call)
    version = destination.begin(BeginVersion(passing, count=8))
    destination.finish(version.version_id, "The disk is full: free some space and start again.", [])
    expect(row(page, passing)).to_contain_text("The disk is full")


def test_delete_asks_and_can_be_undone(page: Page, lab: Lab, passing: str) -> None:
    show_panel(page)
    ingest_arrays(OperationsDestination(lab.transport.call), passing, shades(3))
    expect(row(page, passing).locator(".jp-blueno-row-count")).to_have_text("3")
    row(page, passing).get_by_label(f"Actions for {passing}").click()
    page.locator(".lm-Menu-itemLabel", has_text="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 samples will leave the list")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(page, passing)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, passing)).to_be_visible()


def test_server_away_is_said_and_it_comes_back_by_itself(
    page: Page, lab: Lab, digits: Dataset, passing: str
) -> None:
    show_panel(page)
    expect(row(page, digits.name)).to_be_visible()
    page.context.set_offline(True)
    lab.transport.call(create_dataset, CreateDataset(passing))  # news: the page has to ask again
    away = page.locator(".jp-blueno-away")
    expect(away).to_contain_text("reconnecting", timeout=LONG)
    expect(row(page, digits.name)).to_be_visible()  # what was there stays
    page.context.set_offline(False)
    expect(away).to_have_count(0, timeout=LONG)


def test_everything_is_in_the_palette_and_the_settings(page: Page) -> None:
    # The palette hides when the focus goes elsewhere, as it does while Lab is still opening.
    entry = page.locator("#modal-command-palette input:visible, #command-palette input:visible").first
    labels = page.locator(".lm-CommandPalette-itemLabel:visible")
    wanted = {"Add Dataset …", "Open Dataset …", "Delete Dataset …", "Show Blueno Panel"}
    found: set[str] = set()
    for _ in range(10):
        execute(page, "apputils:activate-command-palette")
        with suppress(PlaywrightTimeoutError):
            entry.fill("Blueno", timeout=4_000)
            labels.filter(has_text="Show Blueno Panel").first.wait_for(timeout=4_000)
            found = set(labels.all_inner_texts())
        if wanted <= found:
            break
    assert wanted <= found
    page.keyboard.press("Escape")
    execute(page, "settingeditor:open", {"query": "Blueno"})
    expect(page.get_by_text("Tile size").first).to_be_visible(timeout=LONG)
