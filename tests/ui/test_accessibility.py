"""What axe-core finds in our own nodes, in the light and in the dark theme: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import nibabel as nib
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from jupyter_blueno.api.jobs import JobRef, SubmitJob, delete_job, submit_job
from jupyter_blueno.catalog.model import Dataset
from jupyter_blueno.jobs.model import JobSpec
from tests.servers import Lab
from tests.ui.conftest import execute

LONG = 60_000  # ms: a job has a Python to start

# JupyterLab's own: a button of its toolkit, and the clear button in its search box.
LABS = [["jp-button"], [".jp-FilterBox"]]

LOSS = """\
import jupyter_blueno as blueno
for n in range(9):
    blueno.log_metrics({"loss": 1 / (n + 1), "val_loss": n})
blueno.checkpoint(blueno.__file__)
"""

COLOURS = "for n in (*range(30, 38), *range(90, 98)): print(f'\\033[{n}mcolour {n} \\033[1mbold\\033[0m')"


# What a theme decides; names, roles and keys are the same in both.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
THEMES: list[tuple[str, str, dict[str, Any]]] = [
    ("JupyterLab Dark", "#111", {"runOnly": {"type": "rule", "values": OF_COLOURS}}),
    ("JupyterLab Light", "white", {}),
]


def assert_accessible(page: Page, selector: str) -> None:
    """Look at the node in both themes; the light one stays."""
    # Lab's body has no height: axe takes all that is in it for hidden.
    style = page.add_style_tag(content="body { height: 100vh }")
    found = []
    for theme, ground, rules in THEMES:
        execute(page, "apputils:change-theme", {"theme": theme})
        page.wait_for_function(
            "([name, ground]) => document.body.dataset.jpThemeName === name &&"
            " !document.getElementById('jupyterlab-splash') &&"  # it lies over all while a theme comes
            " getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim() === ground",
            arg=[theme, ground],
            timeout=LONG,
        )
        for violation in look(page, selector, rules):
            for node in violation["nodes"]:
                found.append(f"{theme}: {violation['id']}: {node['failureSummary']}\n{node['html'][:200]}")
    style.evaluate("node => node.remove()")
    assert found == [], "\n\n".join(found)


def look(page: Page, selector: str, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """The violations, once there was text to look at: not while Lab lays out its widgets."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    what = {"include": [[selector]], "exclude": LABS}
    options = {"resultTypes": ["violations"], **rules}
    while True:
        answer = page.evaluate("([what, options]) => axe.run(what, options)", [what, options])
        if any(one["id"] == "color-contrast" for one in answer["passes"]):
            return answer["violations"]  # type: ignore[no-any-return]


@pytest.fixture
def jobs(lab: Lab) -> Iterator[tuple[str, str]]:
    """The ids of a job that ended well, in all colours, and of one that failed."""
    ids = (uuid4().hex, uuid4().hex)
    for job_id, source in zip(ids, (f"{LOSS}{COLOURS}\n41 + 1", "1 / 0"), strict=True):
        spec = JobSpec("cell", source=source, folder=str(lab.root))
        lab.transport.call(submit_job, SubmitJob(job_id, "in colours", spec))
    yield ids
    for job_id in ids:
        lab.transport.call(delete_job, JobRef(job_id))


def wait_for_end(page: Page, job_id: str, state: str) -> str:
    """Open the job's tab; return its selector once it is over."""
    execute(page, "blueno:open-job", {"id": job_id})
    header = page.locator(f"#jp-blueno-job-{job_id} .jp-blueno-job-header")
    expect(header).to_have_attribute("data-state", state, timeout=LONG)
    return f"#jp-blueno-job-{job_id}"


def test_panel(page: Page, digits: Dataset, jobs: tuple[str, str]) -> None:
    execute(page, "blueno:show-panel")
    panel = page.locator("#jp-blueno-panel")
    expect(panel.get_by_text(digits.name, exact=True)).to_be_visible()
    expect(panel.locator(f"[data-job='{jobs[0]}']")).to_have_attribute(
        "data-state", "SUCCEEDED", timeout=LONG
    )
    expect(panel.locator(f"[data-job='{jobs[1]}']")).to_have_attribute("data-state", "FAILED", timeout=LONG)
    assert_accessible(page, "#jp-blueno-panel")


def test_gallery_and_table(page: Page, digits: Dataset) -> None:
    execute(page, "blueno:open-dataset", {"id": digits.id})
    tab = page.locator(f"#jp-blueno-dataset-{digits.id}")
    tab.locator("[data-ordinal='3']").click()
    expect(tab.locator(".jp-blueno-details")).to_contain_text("label")
    assert_accessible(page, f"#jp-blueno-dataset-{digits.id}")
    tab.get_by_role("radio", name="Table").click()
    expect(tab.locator(".jp-blueno-line").first).to_contain_text("test")
    assert_accessible(page, f"#jp-blueno-dataset-{digits.id}")


def test_sample(page: Page, digits: Dataset) -> None:
    execute(page, "blueno:open-sample", {"datasetId": digits.id, "ordinal": 200})
    expect(page.locator(".jp-blueno-sample")).to_contain_text(digits.name)
    expect(page.locator(".jp-blueno-sample .blueno-picture")).to_be_visible()
    assert_accessible(page, ".jp-blueno-sample")


def test_volume(page: Page, lab: Lab) -> None:
    nib.save(
        nib.Nifti1Image(np.arange(720, dtype=np.int16).reshape(8, 9, 10), np.eye(4)), lab.root / "axe.nii"
    )
    execute(page, "docmanager:open", {"path": "axe.nii"})
    axial = page.locator(".blueno-pane[data-plane=axial]")
    expect(axial).to_have_attribute("data-state", "ready")
    assert_accessible(page, ".blueno-viewer")
    axial.focus()
    page.keyboard.press("4")
    for plane in ("axial", "coronal", "sagittal"):
        expect(page.locator(f".blueno-pane[data-plane={plane}]")).to_have_attribute("data-state", "ready")
    assert_accessible(page, ".blueno-viewer")
    page.get_by_role("button", name="Keys and mouse").click()
    expect(page.get_by_role("dialog", name="Keys and mouse")).to_be_visible()
    assert_accessible(page, ".blueno-viewer")


def test_jobs(page: Page, jobs: tuple[str, str]) -> None:
    for job_id, state in zip(jobs, ("SUCCEEDED", "FAILED"), strict=True):
        selector = wait_for_end(page, job_id, state)
        tab = page.locator(selector)
        expect(tab.locator(".jp-blueno-log [class^=ansi]").first).to_be_visible()
        assert_accessible(page, selector)
        tab.get_by_role("tab", name="Results").click()
        expect(tab.locator(".jp-blueno-results .jp-blueno-output").first).to_be_visible()
        assert_accessible(page, selector)
        tab.get_by_role("tab", name="Metrics").click()
        drawn = ".jp-blueno-chart canvas" if state == "SUCCEEDED" else ".jp-mod-empty"
        expect(tab.locator(".jp-blueno-curves").locator(drawn)).to_be_visible()
        assert_accessible(page, selector)
    tab.get_by_role("tab", name="Code").click()
    expect(tab.get_by_role("textbox", name="Code")).to_contain_text("1 / 0")
    assert_accessible(page, selector)
    tab.get_by_role("tab", name="Environment").click()
    expect(tab.locator(".jp-blueno-environment")).to_contain_text("numpy")
    assert_accessible(page, selector)


def test_other_values(page: Page, jobs: tuple[str, str]) -> None:
    wait_for_end(page, jobs[0], "SUCCEEDED")
    execute(page, "blueno:rerun-job-with", {"id": jobs[0]})
    expect(page.get_by_label("Memory")).to_be_visible()
    assert_accessible(page, ".jp-blueno-job-form")


def test_adding(page: Page) -> None:
    for choice in ("public", "folder", "upload", "notebook"):
        execute(page, "blueno:add-dataset", {"choice": choice})
        expect(page.locator(f"#blueno-add-{choice}")).to_have_attribute("aria-selected", "true")
        if choice == "public":
            expect(page.locator(".jp-blueno-public-set").first).to_be_visible(timeout=LONG)
        assert_accessible(page, "#jp-blueno-add")
