"""A flow in Lab: its picture while it runs, what failed, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import jupyter_blueno as blueno
from jupyter_blueno.client import session
from tests.servers import Lab
from tests.ui.conftest import execute, picture
from tests.ui.test_accessibility import assert_accessible

LONG = 90_000  # ms: each step has a Python to start


@pytest.fixture
def spoken(lab: Lab) -> Iterator[None]:
    """The verbs, spoken to the Lab."""
    session.use(transport=lab.transport)
    yield
    session.use()


Digits = list[tuple[list[int], int]]


def prepare(count: int, seed: int = 0) -> Digits:
    """Digits of seven segments, some of them wrong, and what they are."""
    import random

    chance = random.Random(seed)
    segments = (0b1110111, 0b0100100, 0b1011101, 0b1101101, 0b0101110)
    whole = [[shape >> bit & 1 for bit in range(7)] for shape in segments]
    return [([bit ^ (chance.random() < 0.1) for bit in whole[at % 5]], at % 5) for at in range(count)]


def train(data: Digits, labels: int = 5) -> list[list[float]]:
    """The mean of each label."""
    means = []
    for label in range(labels):
        same = [bits for bits, found in data if found == label]
        means.append([sum(column) / len(same) for column in zip(*same, strict=True)])
    return means


def evaluate(model: list[list[float]], data: Digits, noise: float) -> float:
    import random

    import jupyter_blueno as blueno

    chance = random.Random(1)
    right = 0
    for bits, label in data:
        seen = [bit ^ (chance.random() < noise) for bit in bits]
        errors = [sum((a - b) ** 2 for a, b in zip(seen, mean, strict=True)) for mean in model]
        right += errors.index(min(errors)) == label
    blueno.log_metric("accuracy", right / len(data))
    return right / len(data)


def made(folder: Path) -> blueno.FlowRun:
    """A flow with a step that fails as long as its file is not there."""

    def export(model: list[list[float]]) -> str:
        if not (folder / "labels.txt").exists():
            raise FileNotFoundError("labels.txt is not beside the model yet")
        text = (folder / "labels.txt").read_text()
        return f"{len(model)} digits: {text}"

    with blueno.flow("digits") as flow:
        data = flow.step(prepare, 800)
        small = flow.step(prepare, 200, seed=1, name="hold out")
        model = flow.step(train, data)
        scores = flow.map(evaluate, [model] * 3, [small] * 3, [0.0, 0.1, 0.2])
        exported = flow.step(export, model)
        flow.command("echo", scores, exported, name="report")
        flow.command("echo", "clean", name="tidy", after=scores)
    return flow.submit()


def step(tab: Locator, name: str) -> Locator:
    return tab.locator(f".jp-blueno-flow-step[data-step='{name}']")


@pytest.mark.usefixtures("spoken")
@pytest.mark.timeout(240)
def test_a_flow_with_a_failing_step_is_resumed(lab: Lab, page: Page, tmp_path: Path) -> None:
    run = made(tmp_path)
    execute(page, "blueno:open-job", {"id": run.id})
    tab = page.locator(f"#jp-blueno-job-{run.id}")
    expect(tab.get_by_role("tab").first).to_have_text("Steps")
    expect(tab.locator(".jp-blueno-flow-step")).to_have_count(7)

    # What does not need the failed step goes on; the list says the same as the picture.
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "FAILED", timeout=LONG)
    for name, state in {
        "prepare": "SUCCEEDED", "train": "SUCCEEDED", "evaluate": "SUCCEEDED", "tidy": "SUCCEEDED",
        "export": "FAILED", "report": "NOT_RUN",
    }.items():  # fmt: skip
        expect(step(tab, name)).to_have_attribute("data-state", state)
        expect(tab.locator(f"tr[data-step='{name}']")).to_have_attribute("data-state", state)
    expect(tab.locator("tr[data-step=report]")).to_contain_text("'export' failed.")
    label = step(tab, "export").get_attribute("aria-label") or ""
    assert label.startswith("export: failed")
    assert "FileNotFoundError" in label
    expect(tab.locator(".jp-blueno-job-why")).to_contain_text("'export' failed; 1 step was not run.")
    picture(page, "flow-failed")

    # Keys lead along the lines; a step of many jobs shows what they were given and what they measured.
    step(tab, "prepare").focus()
    page.keyboard.press("ArrowRight")
    expect(step(tab, "train")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(step(tab, "evaluate")).to_be_focused()
    page.keyboard.press("Enter")
    table = tab.get_by_role("table", name="Jobs of evaluate")
    expect(table.locator("tbody tr")).to_have_count(3)
    table.get_by_role("button", name="noise").click()
    table.get_by_role("button", name="noise").click()
    expect(table.locator("tbody tr").first).to_contain_text("0.2")
    expect(table.locator("thead")).to_contain_text("accuracy")

    assert_accessible(page, f"#jp-blueno-job-{run.id}")

    # What is missing is put there, and the flow goes on from where it failed.
    (tmp_path / "labels.txt").write_text("0-9")
    tab.get_by_role("button", name="Resume").click()
    again = page.locator(f".jp-blueno-job-tab:not(.lm-mod-hidden):not(#jp-blueno-job-{run.id})")
    expect(again.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(again.get_by_role("toolbar", name="About the flow")).to_contain_text(
        "7 of 7 steps done · 5 reused"
    )
    expect(again.locator("tr[data-step=train]")).to_contain_text(f"Reused from job {run['train'].job.id[:8]}")
    picture(page, "flow")

    # A click opens a step's job; what it was given is said there, too.
    step(again, "report").click()
    opened = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)").last
    expect(opened.locator(".jp-blueno-job-title")).to_have_text("report")
    expect(opened.locator(".jp-blueno-log")).to_contain_text("5 digits: 0-9")

    # At its cell a flow shows the same picture, live; here from what the notebook keeps of it.
    shown = {"data": run._repr_mimebundle_(), "metadata": {}, "output_type": "display_data"}
    cell = {"cell_type": "code", "id": "a", "source": "run", "metadata": {}, "outputs": [shown]}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {"kernelspec": kernel}}
    (lab.root / "flow.ipynb").write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}))
    execute(page, "docmanager:open", {"path": "flow.ipynb"})
    card = page.locator(f".jp-blueno-card[data-job='{run.id}']")
    expect(step(card, "export")).to_have_attribute("data-state", "FAILED")
