"""What a new user does in the first five minutes, by clicks, in one go.

With ``BLUENO_PICTURES`` naming a folder, the pictures of the user's guide are
taken on the way.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jupyter_blueno.client import session
from jupyter_blueno.client.demo import demo
from tests.ui.conftest import TOKEN, Lab, execute, picture, wait_for_idle_kernel

FRONT = ".lm-DockPanel-widget:not(.lm-mod-hidden) "
LONG = 60_000  # ms

TRAIN = """\
# train-digits
import pathlib, time
import jupyter_blueno as blueno
import matplotlib.pyplot as plt
import numpy as np

digits = blueno.dataset("mnist-5k")
tests = digits.where(split="test")
(images, labels), (others, truth) = digits.where(split="train").numpy(), tests.numpy()
x, u = (np.c_[one.reshape(len(one), -1) / 255, np.ones(len(one))] for one in (images, others))
weights = np.zeros((x.shape[1], 10))

def chances(pixels):
    scores = np.exp(pixels @ weights - (pixels @ weights).max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)

curve = []
for epoch in range(1, 31):  # softmax regression
    weights -= 0.5 * x.T @ (chances(x) - np.eye(10)[labels]) / len(x)
    found = chances(u)
    accuracy = (found.argmax(axis=1) == truth).mean()
    curve.append(accuracy)
    blueno.log_metric("accuracy", accuracy, epoch)
    print(f"epoch {epoch}/30  accuracy {accuracy:.3f}", flush=True)
    blueno.progress(epoch, 30, f"epoch {epoch}/30")
    while epoch == 25 and not pathlib.Path("go-on").exists():
        time.sleep(0.05)

confusion = np.zeros((10, 10), int)
np.add.at(confusion, (truth, found.argmax(axis=1)), 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
left.plot(range(1, 31), curve)
left.set(xlabel="epoch", ylabel="accuracy")
right.imshow(confusion, cmap="Blues")
right.set(xlabel="predicted", ylabel="true")
plt.show()
confidence = found[np.arange(len(truth)), truth]
tests.record(confidence=confidence, predicted=[str(one) for one in found.argmax(axis=1)])
tests[np.argsort(confidence)[:12]].show()
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A Lab as the first start leaves it: the demo datasets and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    if "BLUENO_PICTURES" in os.environ:  # which show where a file lies
        folder = Path(tempfile.gettempdir(), "blueno")
        folder.mkdir()
    running = Lab(root=folder / "notebooks", home=folder / "home")
    running.root.mkdir()
    running.start()
    session.use(transport=running.transport)
    demo()
    session.use()
    yield running
    running.stop()


@pytest.fixture
def first_page(fresh: Lab, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 860})
    opened = context.new_page()
    opened.set_default_timeout(LONG)
    opened.goto(f"{fresh.url}/lab?token={TOKEN}&blueno-panel")
    opened.wait_for_selector("#jp-main-dock-panel")
    opened.wait_for_function("() => window.jupyterapp !== undefined")
    yield opened
    context.close()


def dataset_row(page: Page, name: str) -> Locator:
    return page.locator(".jp-blueno-row", has=page.get_by_text(name, exact=True))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_from_the_panel_to_a_finished_job(fresh: Lab, first_page: Page) -> None:
    page = first_page
    # The panel is in view, with what the first start prepared.
    expect(dataset_row(page, "mnist-5k")).to_contain_text("5,000")
    expect(dataset_row(page, "mni152")).to_contain_text("3D")

    # A gallery, and a facet.
    dataset_row(page, "mnist-5k").locator(".jp-blueno-row-main").click()
    tab = page.locator(f"{FRONT}.jp-blueno-dataset")
    expect(tab.locator(".jp-blueno-gallery canvas").first).to_be_visible()
    tab.locator(".jp-blueno-facet-value", has_text=re.compile("^test")).click()
    tab.locator(".jp-blueno-facet-value", has_text=re.compile("^7")).click()
    expect(tab.get_by_role("status").filter(has_text="100")).to_be_visible()
    tab.locator("[role=gridcell]").nth(3).click()
    picture(page, "gallery")

    # A volume on three planes, by keys and wheel.
    dataset_row(page, "mni152").locator(".jp-blueno-row-main").click()
    page.locator(f"{FRONT}.jp-blueno-gallery [role=gridcell]").first.dblclick()
    for key, plane in (("1", "axial"), ("2", "coronal"), ("3", "sagittal")):
        page.locator(f"{FRONT}.blueno-pane[data-state=ready]:visible").first.click()
        page.keyboard.press(key)
        pane = page.locator(f"{FRONT}.blueno-pane[data-plane={plane}][data-state=ready]")
        before = int(pane.get_attribute("data-index") or "")
        pane.hover()
        page.mouse.wheel(0, 100)
        page.keyboard.press("PageUp")
        page.wait_for_function(
            "([plane, before]) => [...document.querySelectorAll(`.blueno-pane[data-plane=${plane}]`)]"
            ".some(one => one.dataset.state === 'ready' && Number(one.dataset.index) !== before)",
            arg=[plane, before],
        )
        picture(page, f"volume-{plane}")
    page.keyboard.press("4")
    expect(page.locator(f"{FRONT}.blueno-pane[data-state=ready]:visible")).to_have_count(3)
    picture(page, "volume")

    # A cell trains in the background, while the server restarts.
    fresh.write_notebook("train.ipynb", TRAIN)
    execute(page, "docmanager:open", {"path": "train.ipynb"})
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")
    wait_for_idle_kernel(page)
    cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").first
    cell.locator(".jp-InputPrompt").click()
    cell.locator(".jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    card = cell.locator(".jp-blueno-card[data-job]")
    expect(card).to_have_attribute("data-state", "RUNNING")
    expect(card).to_contain_text("epoch 25/30")
    card.scroll_into_view_if_needed()
    picture(page, "job-running")
    execute(page, "docmanager:save")
    expect(page.locator(".jp-NotebookPanel.jp-mod-dirty, .lm-mod-dirty")).to_have_count(0)
    fresh.stop()
    (fresh.root / "go-on").touch()
    fresh.start()

    # Opened again, the cell shows what came of it: confusion matrix and worst samples.
    page.goto(f"{fresh.url}/lab/tree/train.ipynb?token={TOKEN}&reset")
    expect(card).to_be_attached()
    execute(page, "blueno:show-panel")
    expect(card).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    card.scroll_into_view_if_needed()
    expect(card.locator("img")).to_have_count(2)
    picture(page, "job-card")
    execute(page, "blueno:open-job", {"id": card.get_attribute("data-job") or ""})
    job = page.locator(f"{FRONT}.jp-blueno-job-header")
    expect(job).to_have_attribute("data-state", "SUCCEEDED")
    tabs = page.locator(FRONT).get_by_role("tab")
    tabs.filter(has_text="Metrics").click()
    expect(page.locator(f"{FRONT}.u-wrap canvas").first).to_be_visible()
    picture(page, "job-metrics")
    tabs.filter(has_text="Results").click()
    expect(page.locator(f"{FRONT}.jp-blueno-results img")).to_have_count(2)
    picture(page, "job-finished")

    # What it computed of each sample: the worst first.
    execute(page, "blueno:open-dataset", {"name": "mnist-5k", "query": "split:test confidence<0.5"})
    tab = page.locator(f"{FRONT}.jp-blueno-dataset")
    tab.get_by_label("Order of the samples").select_option("confidence")
    tab.get_by_role("slider", name="Tile size").fill("6.6")
    tab.locator("[role=gridcell]").first.click()
    expect(tab.locator(".jp-blueno-facts")).to_contain_text("predicted")
    expect(tab.get_by_role("region", name="Jobs that used it")).to_contain_text("train-digits")
    picture(page, "columns")
