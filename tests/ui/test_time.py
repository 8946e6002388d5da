"""A volume over time in the viewer: every point of time has its own pixels."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.servers import Lab
from tests.ui.conftest import execute, painted

FRAMES = 6


@pytest.fixture
def pane(lab: Lab, page: Page) -> Locator:
    """The axial plane of a 4D NIfTI; a voxel is ten times its time, and its slice."""
    z, t = np.meshgrid(np.arange(8), np.arange(FRAMES), indexing="ij")
    numbers = np.broadcast_to((10 * t + z).astype(np.int16), (9, 10, 8, FRAMES))
    nib.save(nib.Nifti1Image(numbers, np.eye(4)), lab.root / "time.nii")
    execute(page, "docmanager:open", {"path": "time.nii"})
    pane = page.locator(".blueno-pane[data-plane=axial]")
    wait_for(pane, index=4, frame=0)
    for label, value in [("Window width", "100"), ("Window level", "50")]:
        page.get_by_label(label).fill(value)
        page.get_by_label(label).press("Enter")
    pane.focus()
    return pane


def wait_for(pane: Locator, index: int, frame: int) -> None:
    """Wait until this very slice is on the screen."""
    there = pane.page.locator(f"[data-index='{index}'][data-frame='{frame}'][data-state=ready]")
    pane.and_(there).wait_for()  # looks at each frame; a point of time may be gone soon


def brightness(pane: Locator) -> float:
    """The value that is painted, by its grey."""
    return float(painted(pane.locator("canvas")).max()) / 2.55


def test_keys_and_slider_go_through_time(page: Page, pane: Locator) -> None:
    assert abs(brightness(pane) - 4) < 0.5
    page.keyboard.press(".")
    wait_for(pane, index=4, frame=1)
    assert abs(brightness(pane) - 14) < 0.5
    page.keyboard.press("ArrowDown")
    wait_for(pane, index=5, frame=1)
    assert abs(brightness(pane) - 15) < 0.5
    page.get_by_label("time point").fill("5")
    wait_for(pane, index=5, frame=5)
    assert abs(brightness(pane) - 55) < 0.5
    expect(page.locator("[data-part=time] .blueno-counter")).to_have_text("t 6 / 6")
    pane.focus()
    page.keyboard.press(",")
    wait_for(pane, index=5, frame=4)
    assert abs(brightness(pane) - 45) < 0.5
    box = pane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".blueno-readout [data-name=value] b")).to_have_text("45")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and mouse")).to_contain_text("previous, next point of time")


def test_three_planes_share_the_time_and_it_plays(page: Page, pane: Locator) -> None:
    page.keyboard.press("4")
    page.keyboard.press(".")
    for plane, index in [("axial", 4), ("coronal", 5), ("sagittal", 4)]:
        wait_for(page.locator(f".blueno-pane[data-plane={plane}]"), index=index, frame=1)
    page.get_by_role("button", name="Play through time").click()
    stop = page.get_by_role("button", name="Stop time")
    expect(stop).to_be_visible()
    wait_for(pane, index=4, frame=5)
    wait_for(pane, index=4, frame=0)  # and from the beginning
    stop.click()
    expect(page.get_by_role("button", name="Play through time")).to_be_visible()
