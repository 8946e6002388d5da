"""What a new user does in the first five minutes, by clicks, in one go.

With ``BLUENO_PICTURES`` naming a folder, the pictures of the user's guide are
taken on the way.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jupyter_blueno.api.jobs import SubmitJob, submit_job
from jupyter_blueno.client import session
from jupyter_blueno.client.demo import demo
from jupyter_blueno.jobs.model import JobSpec
from tests.ui.conftest import TOKEN, Lab, execute, picture, wait_for_idle_kernel
from tests.ui.test_accessibility import assert_accessible

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

# What a framework logs by itself, and what is read, is all that is said.
NETWORK = """\
import jupyter_blueno as blueno
import mlflow
from sklearn.neural_network import MLPClassifier

mlflow.sklearn.autolog(log_models=False)
digits = blueno.dataset("mnist-5k")
images, labels = digits.where(split="train").numpy()
others, truth = digits.where(split="test").numpy()
network = MLPClassifier(width, max_iter=12, random_state=0)
network.fit(images.reshape(len(images), -1) / 255, labels)
for loss in network.loss_curve_:
    blueno.log_metric("loss", loss)
blueno.log_metric("accuracy", network.score(others.reshape(len(others), -1) / 255, truth))
blueno.register_model("digits", network, description="Handwritten digits, 28×28")
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
    wait_for_idle_kernel(page, "train.ipynb")
    cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").first
    cell.locator(".jp-InputPrompt").click()
    cell.locator(".jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    card = cell.locator(".jp-blueno-card[data-job]")
    expect(card).to_have_attribute("data-state", "RUNNING")
    expect(card).to_contain_text("epoch 25/30")
    card.scroll_into_view_if_needed()
    picture(page, "job-running")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
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


def trained(lab: Lab, **values: int) -> tuple[str, str]:
    """A job that trains a network on the demo digits, from a folder under git; and its commit."""
    folder = lab.root / "network"
    if not folder.exists():
        folder.mkdir()
        (folder / "README.md").write_text("Networks for digits")
        git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
            subprocess.run([*git, *words], check=True)
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=NETWORK, folder=str(folder), parameters=values)
    lab.transport.call(submit_job, SubmitJob(job_id, "network", spec))
    commit = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True)
    return job_id, commit.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_trained_is_found_in_mlflow_and_tensorboard(fresh: Lab, first_page: Page) -> None:
    page = first_page
    (first, commit), (second, _) = (trained(fresh, width=width) for width in (16, 64))
    jobs = [first, second]
    for job_id in jobs:
        execute(page, "blueno:open-job", {"id": job_id})
        header = page.locator(f"#jp-blueno-job-{job_id} .jp-blueno-job-header")
        expect(header).to_have_attribute("data-state", "SUCCEEDED", timeout=4 * LONG)

    # From a job to its run: parameters, metrics, the commit, the datasets that it read.
    page.locator(f"#jp-blueno-job-{jobs[1]}").get_by_role("button", name="MLflow").click()
    mlflow = page.frame_locator("#jp-blueno-mlflow iframe")
    expect(mlflow.get_by_role("heading", name="network")).to_be_visible(timeout=2 * LONG)
    expect(mlflow.get_by_text(commit[:7])).to_be_visible()
    expect(mlflow.get_by_role("link", name=re.compile("^digits"))).to_be_visible()  # the model
    expect(mlflow.get_by_text("hidden_layer_sizes").first).to_be_attached()
    expect(mlflow.get_by_text("training_accuracy_score").first).to_be_attached()

    def look_at_datasets() -> None:
        mlflow.get_by_text("+2", exact=True).click()  # the first is what autologging saw of the arrays
        expect(mlflow.get_by_text("mnist-5k (v1-")).to_have_count(2)

    look_at_datasets()
    picture(page, "mlflow-run", look_at_datasets)

    # Both, side by side; and their curves in one TensorBoard.
    execute(page, "blueno:compare-jobs", {"ids": jobs})
    both = page.locator("#jp-blueno-compare")
    expect(both).to_contain_text("width")
    both.get_by_role("button", name="MLflow").click()
    expect(mlflow.get_by_text("Comparing 2 Runs").first).to_be_visible(timeout=LONG)
    execute(page, "blueno:compare-jobs", {"ids": jobs})
    both.get_by_role("button", name="TensorBoard").click()
    board = page.frame_locator(".jp-blueno-tensorboard iframe")

    def look_at_curves() -> None:
        for job_id in jobs:
            expect(board.get_by_text(f"network-{job_id[:8]}").first).to_be_visible(timeout=LONG)
        board.get_by_role("combobox", name="Filter tags (regex)").fill("^loss$")
        page.keyboard.press("Escape")
        expect(board.locator("card-view").first).to_be_visible()

    look_at_curves()
    picture(page, "tensorboard", look_at_curves)
    assert_accessible(page, "#jp-blueno-compare")

    # What the jobs registered: from the panel to the model, to its job and its data, and back.
    row = page.locator("[data-model=digits]")
    expect(row).to_contain_text("v2")
    row.locator(".jp-blueno-row-main").click()
    model = page.locator("#jp-blueno-model-digits")
    expect(model.get_by_role("article")).to_contain_text("MLPClassifier(hidden_layer_sizes=")
    expect(model.get_by_role("article")).to_contain_text("Loading it runs no code of the files")
    model.get_by_role("button", name="Set alias").click()
    page.get_by_role("textbox", name="A name that means").fill("production")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(model.get_by_role("navigation")).to_contain_text("production")
    picture(page, "model")
    assert_accessible(page, "#jp-blueno-model-digits")
    model.get_by_role("button", name="split:test").click()
    used = page.locator(f"{FRONT}.jp-blueno-used-by")
    used.get_by_role("button", name="digits v1").click()
    expect(model.get_by_role("heading", name="Version 1")).to_be_visible()
    model.get_by_role("button", name="network").click()
    front = page.locator(f"{FRONT}.jp-blueno-job-footer")
    wrote = front.evaluate("node => node.closest('[id^=jp-blueno-job-]').id")  # either may be faster
    footer = page.locator(f"#{wrote} .jp-blueno-job-footer")
    footer.get_by_role("button", name="digits v1").click()
    model.get_by_role("button", name="Actions for version 1").click()
    page.get_by_role("menuitem", name="Delete Version").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(model.get_by_role("navigation")).to_contain_text("1 version")
    expect(footer).not_to_contain_text("digits")
