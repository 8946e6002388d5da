"""JupyterLab's start with the extension, against the same Lab without it."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import Figure, percentile
from tests.browser import CHROMIUM_FLAGS, chromium
from tests.servers import TOKEN, Lab

ROUNDS = 10


def measure() -> list[Figure]:
    """Start Lab in turn with and without; from the command to the painted main area."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        with tempfile.TemporaryDirectory() as folder:
            labs = {extended: _lab(Path(folder) / str(extended), extended) for extended in times}
            for lab in labs.values():
                _start(browser, lab)  # the first start makes the database and fills caches
            for number in range(ROUNDS):
                # Who goes first changes: the machine may be getting busier, or less so.
                for extended in (True, False) if number % 2 else (False, True):
                    times[extended].append(_start(browser, labs[extended]))
        browser.close()
    # Round by round: what slows both down is left out.
    ratio = statistics.median(one / other for one, other in zip(times[True], times[False], strict=True))
    return [
        Figure(
            "Lab: command → main area painted",
            _spread(times[True]),
            f"without the extension {_spread(times[False])}: {100 * (ratio - 1):+.1f} %",
            "≤ +5 %",
            ratio <= 1.05,
        )
    ]


def _spread(times: Sequence[float]) -> str:
    """The median of seconds, and where the middle half lies."""
    low, high = percentile(times, 25), percentile(times, 75)
    return f"{statistics.median(times):.2f} s ({low:.2f} to {high:.2f})"


def _lab(folder: Path, extended: bool) -> Lab:
    arguments = [] if extended else ["--ServerApp.jpserver_extensions={'jupyter_blueno': False}"]
    lab = Lab(folder / "root", folder / "home", arguments=arguments)
    lab.root.mkdir(parents=True)
    if not extended:
        settings = folder / "config" / "labconfig"
        settings.mkdir(parents=True)
        disabled = {"disabledExtensions": {"jupyter-blueno": True}}
        (settings / "page_config.json").write_text(json.dumps(disabled))
    return lab


def _start(browser: Browser, lab: Lab) -> float:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    begin = time.perf_counter()
    lab.start()
    page.goto(f"{lab.url}/lab?token={TOKEN}&reset")
    page.wait_for_selector(".jp-LauncherCard", timeout=60_000)
    seconds = time.perf_counter() - begin
    context.close()
    lab.stop()
    return seconds
