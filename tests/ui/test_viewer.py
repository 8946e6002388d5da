"""The viewer in a real JupyterLab: pixels against nibabel, hands on mouse and keys."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page

from tests.ui.conftest import Lab, execute, wait_for_idle_kernel
from tests.ui.viewing import FRONT, hover, open_file, pane, pixels, readout, save_known, wait_for_slice

BIG = (400, 512, 512)


@pytest.fixture(scope="module")
def files(lab: Lab) -> Path:
    """Volumes with known numbers, a real brain, and a file that lies."""
    import nilearn

    data = Path(nilearn.__file__).parent / "datasets" / "data"
    shutil.copy(data / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz", lab.root / "t1.nii.gz")
    save_known(lab.root / "known.nii")
    np.save(lab.root / "picture.npy", np.arange(48 * 64, dtype=np.uint16).reshape(48, 64))
    np.save(lab.root / "colour.npy", np.random.default_rng(0).integers(0, 256, (9, 10, 12, 3), np.uint8))
    (lab.root / "wrong.dcm").write_text("This is a letter.")
    with open(lab.root / "big.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": BIG})
        file.truncate(file.tell() + 2 * np.prod(BIG, dtype=int))
    return lab.root


def wait_for_neighbours(page: Page) -> None:
    """Wait until the slices around the first one were fetched."""
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').filter("
        "one => one.name.includes('/volumes/slice')).length >= 9"
    )


KEYS = {"axial": "1", "coronal": "2", "sagittal": "3"}


@pytest.mark.parametrize("plane", list(KEYS))
def test_pixels_values_and_places_are_those_of_nibabel(page: Page, files: Path, plane: str) -> None:
    open_file(page, "known.nii")
    image = nib.load(files / "known.nii")
    page.locator(f"{FRONT}[aria-label='Window preset']").select_option(label="Full range")
    page.keyboard.press("Escape")
    pane(page, "axial").focus()
    page.keyboard.press("s")  # square pixels
    page.keyboard.press(KEYS[plane])
    page.wait_for_selector(f"{FRONT}[data-plane={plane}][data-state=ready]")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(f"{FRONT}[aria-label='Smooth pixels (S)'][aria-pressed=false]")
    wait_for_slice(page, plane, {"axial": 16, "coronal": 13, "sagittal": 19}[plane])
    values = image.get_fdata()
    low, high = values.min(), values.max()
    painted, seen = pixels(page, plane), set()
    for x, y in [(0.42, 0.4), (0.51, 0.52), (0.55, 0.45), (0.47, 0.62)]:
        column, row = hover(page, plane, x, y)
        page.wait_for_selector(f"{FRONT}[data-name=voxel]")
        told = readout(page)
        voxel = tuple(int(n) for n in told["voxel"])
        seen.add(voxel)
        assert told["value"] == [values[voxel]]
        assert np.allclose(told["mm"], (image.affine @ [*voxel, 1])[:3], atol=0.051)
        grey = (values[voxel] - low) / (high - low) * 255
        assert abs(int(painted[row, column, 0]) - grey) <= 1.01
    assert len(seen) == 4


def test_a_volume_in_colour_is_shown_in_its_colours(page: Page, files: Path) -> None:
    open_file(page, "colour.npy")
    array = np.load(files / "colour.npy")
    pane(page, "axial").focus()
    page.keyboard.press("s")  # square pixels
    page.wait_for_selector(f"{FRONT}[aria-label='Smooth pixels (S)'][aria-pressed=false]")
    page.keyboard.press("3")
    page.wait_for_selector(f"{FRONT}[data-plane=sagittal][data-state=ready]")
    wait_for_slice(page, "sagittal", 6)
    shown = pixels(page, "sagittal")
    for x, y in [(0.42, 0.4), (0.55, 0.6)]:
        column, row = hover(page, "sagittal", x, y)
        page.wait_for_selector(f"{FRONT}[data-name=voxel]")
        told = readout(page)
        z, y_, x_ = (int(n) for n in told["voxel"])
        assert x_ == 6
        assert told["value"] == array[z, y_, x_].tolist()
        assert np.abs(shown[row, column].astype(int) - array[z, y_, x_]).max() <= 1


def test_the_patients_right_is_on_the_left_and_voxels_have_their_size(page: Page, files: Path) -> None:
    open_file(page, "known.nii")
    letters = pane(page, "axial").locator(".blueno-edge").all_inner_texts()
    assert letters == ["A", "P", "R", "L"]
    hover(page, "axial", 0.45, 0.5)
    page.wait_for_selector(f"{FRONT}[data-name=mm]")
    left = readout(page)["mm"]
    hover(page, "axial", 0.55, 0.5)
    page.wait_for_function(
        "old => document.querySelector('.blueno-readout [data-name=mm] b').innerText !== old",
        arg=" ".join(f"{n:g}".replace("-", "−") for n in left),
    )
    assert readout(page)["mm"][0] < left[0]
    page.keyboard.press("2")
    page.wait_for_selector(f"{FRONT}[data-plane=coronal][data-state=ready]")
    lit = pixels(page, "coronal")[..., 0] > 0
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    shown = (np.ptp(rows) + 1) / (np.ptp(columns) + 1)
    assert abs(shown - (30 * 2.5) / (36 * 1.5)) < 0.03


def test_wheel_slider_and_keys_scroll(page: Page, files: Path) -> None:
    open_file(page, "t1.nii.gz")
    hover(page, "axial", 0.5, 0.5)
    page.mouse.wheel(0, 100)
    wait_for_slice(page, "axial", 95)
    page.mouse.wheel(0, -300)
    wait_for_slice(page, "axial", 92)
    pane(page, "axial").focus()
    for key, index in [("PageDown", 102), ("ArrowUp", 101), ("End", 188), ("Home", 0), ("ArrowRight", 1)]:
        page.keyboard.press(key)
        wait_for_slice(page, "axial", index)
    slider = page.locator(f"{FRONT}input[type=range]")
    slider.fill("60")
    wait_for_slice(page, "axial", 60)
    assert page.locator(f"{FRONT}.blueno-counter").inner_text() == "61 / 189"
    page.keyboard.press("Home")
    wait_for_slice(page, "axial", 0)
    brain = np.asarray(nib.load(files / "t1.nii.gz").dataobj)
    page.keyboard.press("3")
    wait_for_slice(page, "sagittal", 98)
    assert brain[98].max() > 228  # the window's upper end: white
    assert pixels(page, "sagittal")[..., 0].max() == 255


def test_a_click_moves_the_other_planes(page: Page, files: Path) -> None:
    open_file(page, "t1.nii.gz")
    pane(page, "axial").focus()
    page.keyboard.press("4")
    for plane in KEYS:
        page.wait_for_selector(f"{FRONT}[data-plane={plane}][data-state=ready]")
    hover(page, "axial", 0.6, 0.4)
    page.wait_for_selector(f"{FRONT}[data-name=voxel]")
    i, j, k = (int(n) for n in readout(page)["voxel"])
    page.mouse.down()
    page.mouse.up()
    wait_for_slice(page, "sagittal", i)
    wait_for_slice(page, "coronal", j)
    wait_for_slice(page, "axial", k)
    facts = page.locator(f"{FRONT}.blueno-facts").inner_text()
    brain = np.asarray(nib.load(files / "t1.nii.gz").dataobj)
    assert re.search(rf"crosshair\s+{i} {j} {k}\s", facts)
    assert re.search(rf"value\s+{brain[i, j, k]}\b", facts)


def test_window_and_level_cost_no_request(page: Page, files: Path) -> None:
    open_file(page, "t1.nii.gz")
    wait_for_neighbours(page)
    before = pixels(page, "axial").astype(int)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/volumes/" in request.url else None)
    hover(page, "axial", 0.5, 0.5)
    page.mouse.down()
    for step in range(1, 11):
        hover(page, "axial", 0.5 + 0.01 * step, 0.5 - 0.01 * step)
    page.mouse.up()
    width = page.locator(f"{FRONT}[aria-label='Window width']")
    assert float(width.input_value()) > 228
    assert np.abs(pixels(page, "axial") - before).max() > 5
    width.fill("100")
    width.press("Enter")
    page.wait_for_function("() => /W 100 /.test(document.querySelector('.blueno-note').textContent)")
    box = pane(page, "axial").bounding_box()
    page.mouse.dblclick(box["x"] + 50, box["y"] + 50)
    page.wait_for_function("() => /W 228 /.test(document.querySelector('.blueno-note').textContent)")
    assert asked == []


def test_a_210_mb_file_stays_on_the_server(page: Page, files: Path) -> None:
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    received: list[int] = []
    client.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    open_file(page, "big.npy")
    wait_for_neighbours(page)
    assert 0 < max(received) < 600_000  # one slice
    assert sum(received) < 30 * 2 * 512 * 512
    assert not list((files / ".ipynb_checkpoints").glob("big*"))  # no copy either
    entries = page.evaluate("performance.getEntriesByName('blueno:slice-paint').map(e => e.detail)")
    assert entries[0] == {"kind": "open", "plane": "axial", "index": 200}


def test_a_picture_in_an_array_file_and_a_file_that_lies(page: Page, files: Path) -> None:
    open_file(page, "picture.npy")
    assert page.locator(f"{FRONT}.blueno-segments").count() == 0
    hover(page, "axial", 0.5, 0.5)
    page.wait_for_selector(f"{FRONT}[data-name='row, column']")
    told = readout(page)
    row, column = told["row, column"]
    assert told["value"] == [row * 64 + column]
    page.locator('.jp-DirListing-item[title^="Name: wrong.dcm"]').dblclick()
    alert = page.locator(f"{FRONT}.blueno-message[role=alert]")
    alert.wait_for()
    assert "wrong.dcm" in alert.inner_text()
    assert "Traceback" not in alert.inner_text()


def test_a_busy_kernel_does_not_slow_an_output(lab: Lab, page: Page, files: Path) -> None:
    lab.write_notebook(
        "busy.ipynb",
        f"import jupyter_blueno as blueno\nblueno.show({str(files / 't1.nii.gz')!r})",
        "print('busy')\nwhile True: pass",
    )
    execute(page, "docmanager:open", {"path": "busy.ipynb"})
    wait_for_idle_kernel(page)
    execute(page, "notebook:run-all-cells")
    page.wait_for_selector(".jp-OutputArea pre:has-text('busy')", timeout=60_000)
    output = page.locator(".jp-OutputArea .blueno-pane[data-plane=axial]")
    output.and_(page.locator("[data-state=ready]")).wait_for()
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for step in range(1, 6):
        page.mouse.wheel(0, 100)
        output.and_(page.locator(f"[data-index='{94 + step}'][data-state=ready]")).wait_for(timeout=3000)
    assert "Busy" in page.locator("#jp-main-statusbar").inner_text()
    execute(page, "notebook:interrupt-kernel")
    wait_for_idle_kernel(page)
    saved = json.dumps(page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.toJSON()"))
    assert "image/png" in saved
    assert "application/vnd.blueno.view+json" in saved


def test_an_array_view_is_steered_from_both_sides(lab: Lab, page: Page) -> None:
    lab.write_notebook(
        "array.ipynb",
        "import numpy as np, jupyter_blueno as blueno\n"
        "volume = np.arange(20 * 30 * 40, dtype='int16').reshape(20, 30, 40)\n"
        "view = blueno.show(volume, index=3)\nview",
        "view.index = 12",
        "print('at', view.index, view.crosshair)",
    )
    execute(page, "docmanager:open", {"path": "array.ipynb"})
    wait_for_idle_kernel(page)
    execute(page, "notebook:run-cell-and-select-next")
    output = page.locator(".jp-OutputArea .blueno-pane[data-plane=axial]")
    output.and_(page.locator("[data-index='3'][data-state=ready]")).wait_for(timeout=60_000)
    execute(page, "notebook:run-cell-and-select-next")
    output.and_(page.locator("[data-index='12'][data-state=ready]")).wait_for()
    output.focus()
    page.keyboard.press("ArrowUp")
    output.and_(page.locator("[data-index='11'][data-state=ready]")).wait_for()
    page.locator(".jp-Notebook .jp-Cell").nth(2).click()
    execute(page, "notebook:run-cell")
    page.wait_for_selector(".jp-OutputArea pre:has-text('at 11 [11, 15, 20]')")


def test_a_saved_array_is_a_picture_without_its_kernel(lab: Lab, page: Page) -> None:
    lab.write_notebook(
        "saved.ipynb",
        "import numpy as np, jupyter_blueno as blueno\nblueno.show(np.ones((8, 9, 10), 'uint8'))",
    )
    execute(page, "docmanager:open", {"path": "saved.ipynb"})
    wait_for_idle_kernel(page)
    execute(page, "notebook:run-cell")
    page.locator(".jp-OutputArea .blueno-pane[data-state=ready]").wait_for(timeout=60_000)
    assert page.locator(".jp-blueno-array > img").count() == 0
    with page.expect_response(lambda answer: "/api/contents/saved.ipynb" in answer.url):
        execute(page, "docmanager:save")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.goto(f"{lab.url}/lab?reset")
    page.wait_for_selector('.jp-DirListing-item[title^="Name: saved.ipynb"]')
    nobody = {"shouldStart": False, "canStart": False, "autoStartDefault": False}
    execute(page, "docmanager:open", {"path": "saved.ipynb", "kernelPreference": nobody})
    still = page.locator(".jp-blueno-array > img")
    still.wait_for()
    assert still.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert page.get_by_text("displaying widget").and_(page.locator(":visible")).count() == 0


def test_a_server_that_restarts_is_waited_for(lab: Lab, page: Page, files: Path) -> None:
    shutil.copy(files / "t1.nii.gz", files / "waits.nii.gz")  # nothing of it is in the browser's cache
    open_file(page, "waits.nii.gz")
    wait_for_neighbours(page)
    lab.stop()
    hover(page, "axial", 0.5, 0.5)
    pane(page, "axial").focus()
    page.keyboard.press("Home")
    page.wait_for_selector(f"{FRONT}.blueno-banner:has-text('Trying again')")
    lab.start()
    wait_for_slice(page, "axial", 0)
    page.wait_for_selector(f"{FRONT}.blueno-banner", state="hidden")
