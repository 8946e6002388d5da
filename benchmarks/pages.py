"""What people wait for in the browser: gallery, first slice, scrolling; the kernel idle and busy."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.client import session
from jupyter_blueno.client.demo import demo
from tests.browser import CHROMIUM_FLAGS, chromium
from tests.servers import TOKEN, Lab
from tests.ui.conftest import execute, wait_for_idle_kernel

SHAPE = (400, 512, 512)  # voxels; int16: 210 MB
STEPS = 60  # turns of the wheel a plane
BUSY = "while True: pass"
FRONT = ".lm-DockPanel-widget:not(.lm-mod-hidden) "


def measure() -> list[Figure]:
    """Open a gallery of 5,000 and a volume of 210 MB, and scroll, in Chromium."""
    with _opened() as (lab, page):
        page.get_by_text("mnist-5k", exact=True).wait_for(timeout=60_000)
        gallery = [_gallery(page, name) for name in ("mnist-5k", "mnist-5k")]
        first, wire = _first_slice(page)
        calm = _scroll(page)
        _start_busy_kernel(lab, page)
        execute(page, "docmanager:open", {"path": "volume.nii"})
        busy = _scroll(page)
    painted = f"{gallery[0]:.0f} ms, again {gallery[1]:.0f} ms"
    whole = f"the file: {np.prod(SHAPE) * 2 / 1e6:.0f} MB"
    return [
        Figure("gallery of 5,000: click → painted", painted, "", "≤ 300 ms", min(gallery) <= 300),
        Figure(
            "volume of 210 MB: click → first slice painted", f"{first:.0f} ms", "", "≤ 300 ms", first <= 300
        ),
        Figure("… received until then", f"{wire / 1e6:.2f} MB", whole, "≤ 1 MB", wire <= 1e6),
        _scrolling("wheel → slice painted, kernel idle", calm),
        _scrolling("wheel → slice painted, kernel busy", busy),
    ]


def _scrolling(name: str, by_plane: dict[str, list[float]]) -> Figure:
    times = [time for plane in by_plane.values() for time in plane]
    planes = ", ".join(f"{name} {1000 * percentile(one, 95):.0f}" for name, one in by_plane.items())
    return Figure(
        name, spread(times), f"p95 by plane: {planes} ms", "p95 ≤ 50 ms", percentile(times, 95) <= 0.05
    )


@contextlib.contextmanager
def _opened() -> Iterator[tuple[Lab, Page]]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder) / "root", Path(folder) / "home")
        lab.root.mkdir()
        noise = np.random.default_rng(0).integers(-1000, 2000, SHAPE, dtype=np.int16)
        nibabel.Nifti1Image(noise, np.diag([0.7, 0.7, 1, 1])).to_filename(lab.root / "volume.nii")
        lab.start()
        session.use(transport=lab.transport)
        demo()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{lab.url}/lab?token={TOKEN}&reset&blueno-panel")
        page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        try:
            yield lab, page
        finally:
            browser.close()
            lab.stop()


def _gallery(page: Page, name: str) -> float:
    """Milliseconds from the command that opens the dataset to its first full screen."""
    page.evaluate("() => performance.clearMeasures()")
    page.get_by_text(name, exact=True).first.click()
    found = _measures(page, "blueno:gallery-first-paint", 1)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")
    return float(found[0]["duration"])


def _first_slice(page: Page) -> tuple[float, float]:
    """Milliseconds from the command that opens the file to its first slice, and the bytes until then."""
    clicked = page.evaluate(
        """() => { performance.clearMeasures(); performance.clearResourceTimings();
        const now = performance.now();
        jupyterapp.commands.execute('docmanager:open', {path: 'volume.nii'}); return now; }"""
    )
    _measures(page, "blueno:slice-paint", 1)
    painted, received = page.evaluate(
        """() => { const [first] = performance.getEntriesByName('blueno:slice-paint');
        const painted = first.startTime + first.duration;
        const came = performance.getEntriesByType('resource').filter(one => one.responseEnd <= painted);
        return [painted, came.reduce((sum, one) => sum + one.transferSize, 0)]; }"""
    )
    return painted - clicked, received


def _scroll(page: Page) -> dict[str, list[float]]:
    """Seconds from a turn of the wheel to the painted slice, by plane."""
    times = {}
    for key, plane in (("1", "axial"), ("2", "coronal"), ("3", "sagittal")):
        page.locator(f"{FRONT}.blueno-pane:visible").first.click()
        page.keyboard.press(key)
        page.locator(f"{FRONT}.blueno-pane[data-plane={plane}][data-state=ready]").hover()
        page.evaluate("() => performance.clearMeasures()")
        for step in range(STEPS):
            page.mouse.wheel(0, 100)
            _measures(page, "blueno:slice-paint", step + 1)
        times[plane] = [one["duration"] / 1000 for one in _measures(page, "blueno:slice-paint", STEPS)]
    return times


def _measures(page: Page, name: str, count: int) -> list[dict[str, Any]]:
    """The measures of a name, once there are `count`."""
    page.wait_for_function(
        "([name, count]) => performance.getEntriesByName(name).length >= count", arg=[name, count], polling=5
    )
    found: list[dict[str, Any]] = page.evaluate(
        "name => performance.getEntriesByName(name).map(m => ({duration: m.duration, detail: m.detail}))",
        name,
    )
    return found


def _start_busy_kernel(lab: Lab, page: Page) -> None:
    lab.write_notebook("busy.ipynb", BUSY)
    execute(page, "docmanager:open", {"path": "busy.ipynb"})
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
    wait_for_idle_kernel(page)
    execute(page, "notebook:run-all-cells")
    page.wait_for_function("() => /\\| Busy/.test(document.querySelector('#jp-main-statusbar').innerText)")
