"""What a hand does in the viewer, and what an eye sees there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from playwright.sync_api import Page

from tests.ui.conftest import execute, painted

FRONT = ".lm-DockPanel-widget:not(.lm-mod-hidden) "


def save_known(path: Path) -> None:
    """Every voxel has its own number; axes are P, S, R in the file, voxels 1 × 2.5 × 1.5 mm."""
    numbers = np.arange(24 * 30 * 36, dtype=np.int16).reshape(24, 30, 36)
    affine = np.array([[0, 0, 1.5, -20], [-1, 0, 0, 12], [0, 2.5, 0, -30], [0, 0, 0, 1]])
    image = nib.Nifti1Image(numbers, affine)
    image.header.set_slope_inter(1, 0)
    nib.save(image, path)


def open_file(page: Page, name: str) -> None:
    """Double-click a file in the file browser and wait for its first picture."""
    execute(page, "filebrowser:refresh")  # which it does by itself, sometimes
    page.locator(f'.jp-DirListing-item[title^="Name: {name}"]').dblclick()
    page.wait_for_selector(f"{FRONT}.blueno-pane[data-state=ready]")


def pane(page: Page, plane: str) -> Any:
    return page.locator(f"{FRONT}.blueno-pane[data-plane={plane}]")


def wait_for_slice(page: Page, plane: str, index: int) -> None:
    pane(page, plane).and_(page.locator(f"[data-index='{index}'][data-state=ready]")).wait_for()


def pixels(page: Page, plane: str) -> np.ndarray:
    """What is painted, (height, width, RGB)."""
    return painted(pane(page, plane).locator("canvas"))


def readout(page: Page) -> dict[str, list[float]]:
    """Name → numbers of what is under the cursor."""
    found: dict[str, list[float]] = {}
    for one in page.locator(f"{FRONT}.blueno-readout [data-name]").all():
        text = one.locator("b").inner_text().replace("−", "-")
        found[one.get_attribute("data-name") or ""] = [float(n) for n in text.split()]
    return found


def hover(page: Page, plane: str, x: float, y: float) -> tuple[int, int]:
    """Move to a part of a pane; return the pixel of its canvas."""
    box = pane(page, plane).bounding_box()
    at = round(box["x"] + x * box["width"]), round(box["y"] + y * box["height"])
    page.mouse.move(*at)
    return int(at[0] - box["x"]), int(at[1] - box["y"])
