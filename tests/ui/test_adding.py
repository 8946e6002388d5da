"""What "Add dataset" offers: a folder, files from this computer, public sets."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from jupyter_blueno.api.catalog import DatasetRef, ListDatasets, delete_dataset, list_datasets
from jupyter_blueno.config import Config
from jupyter_blueno.ingest.sources import public
from tests.ingest import archives
from tests.ui.conftest import Lab, execute
from tests.ui.datasets import LONG, row, show_panel


def write_pictures(folder: Path) -> None:
    """Two labels with three pictures each, and a file that is none."""
    from PIL import Image

    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for n in range(3):
            Image.fromarray(np.full((20, 30, 3), 40 * n, np.uint8)).save(folder / label / f"{n}.png")
    (folder / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")


def test_folder_becomes_a_dataset(page: Page, lab: Lab, passing: str) -> None:
    write_pictures(lab.root / passing)
    show_panel(page)
    page.locator("#jp-blueno-panel").get_by_role("button", name="Add dataset", exact=True).click()
    add = page.locator("#jp-blueno-add")
    add.get_by_role("tab", name="Folder on this server").click()
    add.get_by_label("Folder", exact=True).fill("/etc")
    add.get_by_role("button", name="Add dataset").click()
    expect(add.get_by_role("alert")).to_contain_text("outside the folders")
    add.get_by_role("button", name="Browse").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(passing).click()
    dialog.get_by_role("button", name="Select").click()
    expect(add.get_by_label("Name of the dataset")).to_have_value(passing)
    add.get_by_role("button", name="Add dataset").click()
    expect(row(page, passing).locator(".jp-blueno-row-count")).to_have_text("6", timeout=LONG)
    tab = page.locator(".jp-blueno-tab:not(.lm-mod-hidden)")
    expect(tab.locator(".jp-blueno-tile")).to_have_count(6)
    expect(tab.get_by_label("label", exact=True)).to_contain_text("cat")
    tab.get_by_role("button", name="1 could not be read").click()
    expect(page.get_by_role("dialog")).to_contain_text("broken.png")


def test_chosen_folder_is_uploaded(page: Page, passing: str, tmp_path: Path) -> None:
    write_pictures(tmp_path / passing)
    show_panel(page)
    execute(page, "blueno:add-dataset", {"choice": "upload"})
    add = page.locator("#jp-blueno-add")
    add.locator("input[type=file]").last.set_input_files(tmp_path / passing)
    expect(add).to_contain_text("7 files")
    expect(add.get_by_label("Name of the dataset")).to_have_value(passing)
    add.get_by_role("button", name="Upload and add").click()
    expect(row(page, passing).locator(".jp-blueno-row-count")).to_have_text("6", timeout=LONG)
    tab = page.locator(".jp-blueno-tab:not(.lm-mod-hidden)")
    expect(tab.get_by_label("label", exact=True)).to_contain_text("dog")


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files on the form, as a hand does that drags them out of a folder."""
    page.evaluate(
        """files => {
            const dataTransfer = new DataTransfer();
            for (const [name, bytes] of Object.entries(files)) {
                dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
            }
            const zone = document.querySelector('.jp-blueno-dropzone');
            for (const kind of ['dragenter', 'dragover', 'drop']) {
                zone.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
            }
        }""",
        {name: list(content) for name, content in files.items()},
    )


def test_dropped_files_are_uploaded(page: Page, passing: str, tmp_path: Path) -> None:
    write_pictures(tmp_path / "some")
    found = sorted((tmp_path / "some").rglob("*.png"))
    show_panel(page)
    execute(page, "blueno:add-dataset", {"choice": "upload"})
    add = page.locator("#jp-blueno-add")
    expect(add.locator(".jp-blueno-dropzone")).to_be_visible()
    drop(page, {f"{n}-{file.name}": file.read_bytes() for n, file in enumerate(found)})
    expect(add).to_contain_text(f"{len(found)} files")
    add.get_by_label("Name of the dataset").fill(passing)
    add.get_by_role("button", name="Upload and add").click()
    expect(row(page, passing).locator(".jp-blueno-row-count")).to_have_text("6", timeout=LONG)


def test_a_cancelled_upload_leaves_nothing(page: Page, lab: Lab, passing: str) -> None:
    execute(page, "blueno:add-dataset", {"choice": "upload"})
    add = page.locator("#jp-blueno-add")
    expect(add.locator(".jp-blueno-dropzone")).to_be_visible()
    drop(page, {"first.png": b"first", "second.png": b"second"})
    add.get_by_label("Name of the dataset").fill(passing)
    # The second file never arrives: there is time to think better of it.
    page.route("**/uploads/*name=second.png*", lambda _: None)
    with page.expect_response(lambda answer: "name=first.png" in answer.url):
        add.get_by_role("button", name="Upload and add").click()
    assert list((lab.home / "uploads").rglob("first.png"))
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        add.get_by_role("button", name="Cancel").click()
    assert deleted.value.ok
    assert not list((lab.home / "uploads").iterdir())
    expect(add.get_by_role("button", name="Upload and add")).to_be_enabled()


def test_public_sets_are_searched_and_chosen(page: Page) -> None:
    execute(page, "blueno:add-dataset", {"choice": "public"})
    add = page.locator("#jp-blueno-add")
    sets = add.get_by_role("list", name="Public sets").get_by_role("listitem")
    expect(sets.first).to_contain_text("classic", timeout=LONG)
    assert sets.count() > 100
    add.locator(".jp-FilterBox input").fill("mnist")
    expect(sets.filter(has_not_text=re.compile("mnist", re.I))).to_have_count(0)
    assert 1 < sets.count() < 30
    button = add.get_by_role("button", name="Prepare")
    expect(button).to_be_disabled()
    sets.nth(0).get_by_role("checkbox").check()
    sets.nth(1).get_by_role("checkbox").check()
    expect(add).to_contain_text("2 sets chosen")
    expect(button).to_be_enabled()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_public_set_is_prepared_by_a_click(lab: Lab, page: Page) -> None:
    config = Config(home=str(lab.home))
    files, _ = archives.mnist(config.folder("tfds", "downloads", "manual"), 20, 10)
    with archives.offline(files, mnist___TRAIN_EXAMPLES=20, mnist___TEST_EXAMPLES=10):
        public.prepare(config, "mnist", lambda words: None)  # so that the job needs no network
    execute(page, "blueno:add-dataset", {"choice": "public"})
    add = page.locator("#jp-blueno-add")
    sets = add.get_by_role("list", name="Public sets").get_by_role("listitem")
    add.locator(".jp-FilterBox input").fill("mnist")
    sets.filter(has_text="downloaded").get_by_role("checkbox").check()
    add.get_by_role("button", name="Prepare").click()
    show_panel(page)
    line = page.locator(".jp-blueno-row").filter(has=page.get_by_text("mnist", exact=True))
    expect(line).to_contain_text("2D · 10 labels", timeout=LONG)
    expect(line.locator(".jp-blueno-row-count")).to_have_text("30")
    for one in lab.transport.call(list_datasets, ListDatasets(name="mnist")).datasets:
        lab.transport.call(delete_dataset, DatasetRef(one.id))
