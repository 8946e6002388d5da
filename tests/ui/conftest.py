"""A real JupyterLab in a real Chromium."""

from __future__ import annotations

import base64
import io
import json
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from jupyter_blueno.api.catalog import DatasetRef, ListDatasets, delete_dataset, list_datasets
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from tests.servers import TOKEN as TOKEN
from tests.servers import Lab
from tests.ui.desk import Desk

expect.set_options(timeout=30_000)  # a job or a kernel has a Python to start

FAILED = pytest.StashKey[bool]()
COUNT = 600  # pictures of `digits`


@pytest.fixture(scope="session")
def desk(lab: Lab, cached: BrowserContext) -> Iterator[Desk]:
    opened = Desk(lab, cached)
    yield opened
    opened.close()


@pytest.fixture
def page(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page, signed in, with an empty Lab open; a failing test leaves a screenshot.

    The tests of a process share it; one with ``fresh_page`` among its fixtures has a new one.
    """
    given = desk.fresh() if "fresh_page" in request.fixturenames else desk.cleared()
    yield given
    failed = FAILED in request.node.stash
    if failed:
        folder = Path(__file__).with_name("screenshots")
        folder.mkdir(exist_ok=True)
        given.screenshot(path=folder / f"{request.node.name}.png")
    desk.give_back(whole=not failed)


@pytest.fixture
def fresh_page(page: Page) -> Page:
    """A page that no other test has seen: for what is told from its first moment on."""
    return page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep whether the test failed, for its fixtures."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


# Not the status bar, which tells of the notebook before until the next one is in front; and Lab asks
# for a kernel when cells are run before the first one has a name.
IDLE = """
path => {
  const { currentWidget } = window.jupyterapp?.shell ?? {};
  const { context, sessionContext } = currentWidget ?? {};
  return (
    sessionContext?.isReady &&
    sessionContext.kernelDisplayStatus === 'idle' &&
    (path === null || context?.path === path)
  );
}
"""


def wait_for_idle_kernel(page: Page, path: str | None = None) -> None:
    """Wait until a notebook (the one at this path) is in front, and its kernel is idle."""
    page.wait_for_function(IDLE, arg=path, timeout=90_000)


def execute(page: Page, command: str, arguments: dict[str, object] | None = None) -> None:
    """Run a Lab command without waiting for its end (some never end)."""
    given = json.dumps(arguments or {})
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute({json.dumps(command)}, {given}) }}")


def picture(page: Page, name: str, ready: Callable[[], object] = lambda: None) -> None:
    """Take a picture for the guide, light and dark; `ready` waits for what a new theme draws anew."""
    folder = os.environ.get("BLUENO_PICTURES")
    if not folder:
        return
    for theme in ("Dark", "Light"):
        page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
                      f"JupyterLab {theme}")  # fmt: skip
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
        )
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        ready()
        page.screenshot(path=Path(folder) / f"{name}-{theme.lower()}.png")


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


@pytest.fixture
def passing(lab: Lab) -> Iterator[str]:
    """A name for a dataset of one test."""
    name = f"passing-{uuid.uuid4().hex[:8]}"
    yield name
    for one in lab.transport.call(list_datasets, ListDatasets(name=name)).datasets:
        lab.transport.call(delete_dataset, DatasetRef(one.id))
