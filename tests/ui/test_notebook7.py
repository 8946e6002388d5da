"""The extension in Notebook 7, which has fewer places than JupyterLab."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.ingest.sources.arrays import ingest_arrays
from tests.ui.conftest import TOKEN, Lab
from tests.ui.test_datasets import shades


def test_outputs_and_the_button_work_and_nobody_complains(lab: Lab, browser: Browser) -> None:
    ingest_arrays(OperationsDestination(lab.transport.call), "in-notebook-7", shades(4))
    lab.write_notebook(
        "seven.ipynb",
        "import numpy as np, jupyter_blueno as blueno\nblueno.show(np.ones((8, 9, 10), 'uint8'))",
        "blueno.dataset('in-notebook-7')[2].show()",
        "blueno.dataset('in-notebook-7').show()",
    )
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error.stack)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto(f"{lab.url}/notebooks/seven.ipynb?token={TOKEN}")
    page.locator(".jp-NotebookKernelStatus, .jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(
        timeout=60_000
    )
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    outputs = page.locator(".jp-OutputArea-output")
    expect(outputs.nth(0).locator(".blueno-pane[data-state=ready]")).to_be_visible(timeout=60_000)
    expect(outputs.nth(1).get_by_role("img")).to_be_visible(timeout=20_000)
    expect(outputs.nth(2).get_by_role("button", name="Sample 3")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Run as job").first).to_be_visible()
    outputs.nth(2).get_by_role("button", name="Sample 3").click()
    expect(page.locator(".jp-blueno-sample")).to_contain_text("in-notebook-7")
    page.screenshot(path="/tmp/viewer2-lab/n7.png")
    context.close()
    assert [one for one in complaints if "blueno" in one.lower()] == []
