"""A real JupyterLab in a real Chromium."""

from __future__ import annotations

import base64
import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from tests.servers import TOKEN as TOKEN
from tests.servers import Lab

expect.set_options(timeout=30_000)  # a job or a kernel has a Python to start

COUNT = 600  # pictures of `digits`


@pytest.fixture
def page(lab: Lab, cached: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page, signed in, with Lab open; a failing test leaves a screenshot."""
    opened = cached.new_page()
    opened.set_default_timeout(20_000)
    opened.goto(f"{lab.url}/lab?token={TOKEN}&reset", timeout=60_000)
    opened.wait_for_selector("#jp-main-dock-panel", timeout=90_000)
    opened.wait_for_function("() => window.jupyterapp !== undefined")
    yield opened
    stop_kernels(lab)
    folder = Path(__file__).with_name("screenshots")
    folder.mkdir(exist_ok=True)
    opened.screenshot(path=folder / f"{request.node.name}.png")
    cached.set_offline(False)
    cached.unroute_all(behavior="ignoreErrors")
    for one in cached.pages:
        one.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        one.close()
    cached.clear_cookies()
    cached.clear_permissions()


def stop_kernels(lab: Lab) -> None:
    """End what a test's notebooks started; a kernel that nobody uses costs the next test its speed."""
    sign = {"Authorization": f"token {TOKEN}"}
    sessions = urllib.request.Request(f"{lab.url}/api/sessions", headers=sign)
    for session in json.load(urllib.request.urlopen(sessions)):
        one = urllib.request.Request(f"{sessions.full_url}/{session['id']}", headers=sign, method="DELETE")
        urllib.request.urlopen(one).close()


def wait_for_idle_kernel(page: Page) -> None:
    """Wait until the notebook in front has a kernel that is idle."""
    page.wait_for_function(
        "() => /\\| Idle/.test(document.querySelector('#jp-main-statusbar')?.innerText ?? '')", timeout=90_000
    )


def execute(page: Page, command: str, arguments: dict[str, object] | None = None) -> None:
    """Run a Lab command without waiting for its end (some never end)."""
    given = json.dumps(arguments or {})
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute({json.dumps(command)}, {given}) }}")


def painted(canvas: Locator) -> np.ndarray:
    """What is on a canvas, (height, width, RGB)."""
    url = canvas.evaluate("canvas => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def shades(count: int) -> np.ndarray:
    """Pictures 28×28 that can be told apart: picture n has the grey n % 256."""
    grey = np.arange(count).astype(np.uint8)
    return np.repeat(grey, 28 * 28).reshape(count, 28, 28)


@pytest.fixture(scope="session")
def digits(lab: Lab) -> Dataset:
    """600 pictures, labels 0-9, every sixth in the test split."""
    return ingest_arrays(
        OperationsDestination(lab.transport.call),
        "digits-ui",
        shades(COUNT),
        labels=[str(n % 10) for n in range(COUNT)],
        split=["test" if n % 6 == 0 else "train" for n in range(COUNT)],
    )
