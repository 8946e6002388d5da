"""Jobs in JupyterLab: started by a click, alive without kernel and across restarts."""

from __future__ import annotations

import json
import re
import sys
import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Job, JobSpec
from jupyter_blueno.jobs.sending.amounts import parse_memory
from tests.servers import TOKEN, Lab
from tests.ui.conftest import execute, picture, wait_for_idle_kernel

LONG = 60_000  # ms: a job has a Python to start, on a machine that does other things too
MIME = "application/vnd.blueno.job+json"

PICTURE = """\
# draw-loss
import matplotlib.pyplot as plt
print("drawing the loss")
plt.plot([3, 1, 0.5])
plt.show()
"""

# Goes on until the file is there: no test waits for a clock.
UNTIL_FILE = """\
# long-train
import pathlib, time
print("epoch 1", flush=True)
while not pathlib.Path({file!r}).exists():
    time.sleep(0.05)
print("epoch 2", flush=True)
"""


def open_notebook(page: Page, lab: Lab, name: str, *cells: str, kernel: bool = True) -> None:
    lab.write_notebook(name, *cells)
    show_notebook(page, name, kernel=kernel)


def show_notebook(page: Page, name: str, kernel: bool = True) -> None:
    arguments: dict[str, object] = {"path": name}
    if not kernel:
        arguments["kernelPreference"] = {"shouldStart": False, "canStart": False, "autoStartDefault": False}
    execute(page, "docmanager:open", arguments)
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell-inputArea")
    if kernel:
        wait_for_idle_kernel(page, name)


def run_cell_as_job(page: Page, cell: int = 0) -> Locator:
    """Press the cell's own button; return the card that appears below it."""
    chosen = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").nth(cell)
    chosen.locator(".jp-InputPrompt").click()
    chosen.locator(".jp-cell-toolbar [data-command='blueno:run-cell-as-job']").click()
    card = chosen.locator(".jp-blueno-card[data-job]")
    card.wait_for()
    return card


def wait_for_state(card: Locator, state: str) -> None:
    expect(card).to_have_attribute("data-state", state, timeout=LONG)


def job_of(lab: Lab, card: Locator) -> Job:
    return lab.transport.call(get_job, JobRef(card.get_attribute("data-job") or ""))


def submit_cell(lab: Lab, name: str, source: str) -> str:
    """Start a cell as the page would, without the page."""
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=source, folder=str(lab.root))
    lab.transport.call(submit_job, SubmitJob(job_id, name, spec))
    return job_id


def open_job(page: Page, job_id: str) -> Locator:
    execute(page, "blueno:open-job", {"id": job_id})
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    tab.wait_for()
    return tab


def header_state(tab: Locator, state: str) -> None:
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", state, timeout=LONG)


def row(page: Page, job_id: str) -> Locator:
    execute(page, "blueno:show-jobs")
    return page.locator(f".jp-blueno-job[data-job='{job_id}']")


@pytest.fixture
def release(lab: Lab) -> str:
    """The name of a file that ends the long job of the test."""
    return str(lab.root / f"release-{uuid.uuid4().hex}")


def end(file: str) -> None:
    with open(file, "w"):
        pass


def test_cell_runs_as_job_and_shows_its_picture(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "picture.ipynb", PICTURE)
    card = run_cell_as_job(page)
    wait_for_state(card, "SUCCEEDED")
    expect(card).to_contain_text("draw-loss")
    expect(card.locator(".jp-blueno-card-log")).to_contain_text("drawing the loss")
    picture = card.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    job = job_of(lab, card)
    assert job.kind == "cell"
    assert job.origin.notebook == "picture.ipynb"
    assert job.origin.cell_id


def test_unsaved_source_is_what_runs(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "unsaved.ipynb", "print('on disk')")
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .cm-content").fill("print('on screen')")
    card = run_cell_as_job(page)
    wait_for_state(card, "SUCCEEDED")
    expect(card.locator(".jp-blueno-card-log")).to_have_text("on screen")


def test_job_outlives_the_server_and_the_tab_goes_on(lab: Lab, page: Page, release: str) -> None:
    job_id = submit_cell(lab, "long-train", UNTIL_FILE.format(file=release))
    tab = open_job(page, job_id)
    log = tab.locator(".jp-blueno-log")
    expect(log).to_contain_text("epoch 1", timeout=LONG)
    lab.stop()
    expect(page.locator(".jp-Dialog, .jp-blueno-away").first).to_be_attached(timeout=LONG)
    lab.start()
    end(release)
    header_state(tab, "SUCCEEDED")
    expect(log).to_contain_text("epoch 2")


def test_reopened_without_kernel_the_card_shows_the_present_state(lab: Lab, page: Page, release: str) -> None:
    open_notebook(page, lab, "reopened.ipynb", UNTIL_FILE.format(file=release))
    card = run_cell_as_job(page)
    wait_for_state(card, "RUNNING")
    job_id = job_of(lab, card).id
    execute(page, "docmanager:save")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    outputs = json.loads((lab.root / "reopened.ipynb").read_text())["cells"][0]["outputs"]
    assert outputs[0]["data"][MIME] == {"id": job_id}
    assert job_id in "".join(outputs[0]["data"]["text/plain"])
    execute(page, "application:close")
    page.locator(".jp-NotebookPanel").wait_for(state="detached")
    end(release)

    show_notebook(page, "reopened.ipynb", kernel=False)
    again = page.locator(f".jp-blueno-card[data-job='{job_id}']")
    wait_for_state(again, "SUCCEEDED")
    expect(again.locator(".jp-blueno-card-log")).to_contain_text("epoch 2")


def test_cancel_from_the_card(lab: Lab, page: Page, release: str) -> None:
    open_notebook(page, lab, "cancel.ipynb", UNTIL_FILE.format(file=release))
    card = run_cell_as_job(page)
    wait_for_state(card, "RUNNING")
    card.get_by_role("button", name="Cancel").click()
    wait_for_state(card, "CANCELLED")
    assert job_of(lab, card).state == "CANCELLED"


def test_failure_tells_its_reason(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "failing.ipynb", "# breaks\nsize = 0\n1 / size")
    card = run_cell_as_job(page)
    wait_for_state(card, "FAILED")
    expect(card.locator(".jp-blueno-job-why")).to_contain_text("ZeroDivisionError")
    card.locator("summary", has_text="Traceback").click()
    expect(card.locator(".jp-mod-error")).to_contain_text("1 / size")
    job_id = card.get_attribute("data-job") or ""
    reason = row(page, job_id).locator(".jp-blueno-job-reason")
    expect(reason).to_contain_text("ZeroDivisionError")
    notice = page.locator(".Toastify__toast", has_text="breaks failed")
    expect(notice).to_be_visible()
    notice.get_by_role("button", name="Open").click()
    expect(page.locator(f"#jp-blueno-job-{job_id}")).to_be_visible()


def test_run_again_is_a_new_job(lab: Lab, page: Page) -> None:
    job_id = submit_cell(lab, "again", "print('ran')")
    tab = open_job(page, job_id)
    header_state(tab, "SUCCEEDED")
    tab.get_by_role("button", name="Run again").click()
    fresh = page.locator(f".jp-blueno-job-tab:not(.lm-mod-hidden):not(#jp-blueno-job-{job_id})")
    header_state(fresh, "SUCCEEDED")
    expect(fresh.locator(".jp-blueno-log")).to_contain_text("ran")


def test_notebook_runs_as_job(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "whole.ipynb", "value = 6 * 7", "print('value is', value)")
    page.locator(".jp-NotebookPanel-toolbar [data-command='blueno:run-notebook-as-job']").click()
    tab = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")
    tab.wait_for()
    header_state(tab, "SUCCEEDED")
    expect(tab.locator(".jp-blueno-job-title")).to_have_text("whole")
    tab.get_by_role("button", name="More").click()
    page.locator(".lm-Menu-item[data-command='blueno:open-job-notebook']").click()
    executed = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)", has_text="value is 42")
    expect(executed).to_be_visible()


def test_a_form_asks_for_other_values(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "values.ipynb", "lr: float = 0.1  # how fast\ndeep = False", "print(lr, deep)")
    cell = "window.jupyterapp.shell.currentWidget.content.widgets[0]"
    page.evaluate(f"() => {cell}.model.setMetadata('tags', ['parameters'])")
    page.locator(".jp-NotebookPanel-toolbar [data-command='blueno:run-notebook-with']").click()
    form = page.locator(".jp-Dialog")
    rate = form.get_by_label("lr")
    expect(rate).to_have_value("0.1")
    expect(rate).to_be_focused()
    expect(form).to_contain_text("how fast")
    rate.fill("fast")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("alert")).to_have_text("lr is 'fast', and takes a number.")
    expect(rate).to_have_value("fast")
    rate.fill("0.5")
    form.get_by_label("deep").check()
    memory = form.get_by_label("Memory")
    memory.fill("8 apples")
    form.get_by_role("button", name="Run").click()
    with pytest.raises(InvalidInput) as caught:
        parse_memory("8 apples")  # the same sentence as in Python
    expect(form.get_by_role("alert")).to_have_text(caught.value.message)
    expect(memory).to_have_attribute("aria-invalid", "true")
    memory.fill("900 MB")
    form.get_by_role("button", name="Preview").click()
    told = form.get_by_role("status")
    expect(told).to_contain_text("Nothing was started")
    expect(told.get_by_role("row", name="Values")).to_contain_text("lr = 0.5, deep = true")
    expect(told.get_by_role("row", name="May use")).to_contain_text("900 MB of memory")
    expect(told.get_by_role("row", name="Free now")).to_contain_text("places")
    form.get_by_label("Only after").fill("connection, memry")
    form.get_by_label("Tries again").fill("2")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("alert")).to_contain_text("'memry', which is no kind of failure")
    picture(page, "job-form")
    form.get_by_label("Only after").fill("connection, memory")
    place = form.get_by_label("Environment")
    place.select_option("another Python …")
    form.get_by_label("Python", exact=True).fill("/no/python")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("alert")).to_contain_text("There is no Python at '/no/python'")
    place.select_option("of packages …")
    form.get_by_label("Packages").fill("torch==2.8 pandas")
    form.get_by_role("button", name="Preview").click()
    words = "an environment of torch==2.8, pandas, which will be built first"
    expect(told.get_by_role("row", name="Python")).to_contain_text(words)
    place.select_option("another Python …")
    form.get_by_label("Python", exact=True).fill(sys.executable)
    form.get_by_label("Name").fill("half")
    page.keyboard.press("Enter")
    tab = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")
    header_state(tab, "SUCCEEDED")
    expect(tab.locator(".jp-blueno-job-title")).to_have_text("half")
    expect(tab.locator(".jp-blueno-log")).to_contain_text("0.5 True")
    tab.get_by_role("button", name="With other values").click()
    expect(form.get_by_label("lr")).to_have_value("0.5")
    expect(memory).to_have_value("900 MB")
    expect(form.get_by_label("deep")).to_be_checked()
    expect(place.locator("option").first).to_have_text(sys.executable)
    form.get_by_label("lr").fill("2")
    form.get_by_role("button", name="Run").click()
    again = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)", has_text="2 True")
    header_state(again, "SUCCEEDED")


def test_footer_leads_back_to_the_cell(lab: Lab, page: Page) -> None:
    cells = ["# first", *["x = 1\n" * 30] * 5, "# last-cell\nprint('from below')"]
    open_notebook(page, lab, "origin.ipynb", *cells)
    cell = page.locator(".jp-CodeCell").nth(6)
    cell.scroll_into_view_if_needed()
    card = run_cell_as_job(page, 6)
    wait_for_state(card, "SUCCEEDED")
    card.get_by_role("button", name="Open").click()
    tab = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")
    tab.locator(".jp-blueno-job-footer").get_by_role("button", name="origin.ipynb, cell 7").click()
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").nth(6)).to_be_in_viewport()


def test_progress_bar_is_one_line_and_colours_are_kept(lab: Lab, page: Page) -> None:
    source = (
        "import sys\n"
        "for i in range(200):\n    sys.stdout.write(f'\\rstep {i + 1}/200')\n    sys.stdout.flush()\n"
        "print()\nprint('\\x1b[31mred\\x1b[0m <b>not markup</b>')"
    )
    tab = open_job(page, submit_cell(lab, "bar", source))
    header_state(tab, "SUCCEEDED")
    log = tab.locator(".jp-blueno-log")
    expect(log.locator(".ansi-red-fg")).to_have_text("red")
    expect(log).to_contain_text("<b>not markup</b>")
    expect(log).to_contain_text("step 200/200")
    assert "step 199/200" not in (log.text_content() or "")


def test_an_updating_display_keeps_its_place_while_the_job_runs(lab: Lab, page: Page, release: str) -> None:
    source = (
        "import pathlib, time\n"
        "from tqdm import tqdm\n"
        "def until(file):\n    while not pathlib.Path(file).exists():\n        time.sleep(0.05)\n"
        "shown = display('round 0', display_id=True)\n"
        "display('beside')\n"
        f"until({release + '-1'!r})\n"
        "for n in range(1, 31):\n    shown.update(f'round {n}')\n"
        f"until({release + '-2'!r})\n"
        "for n in tqdm(range(40), desc='epochs', mininterval=0): pass\n"
    )
    tab = open_job(page, submit_cell(lab, "updates", source))
    tab.get_by_role("tab", name="Results").click()
    results = tab.locator(".jp-blueno-output")
    expect(results).to_have_text(["'round 0'", "'beside'"], timeout=LONG)
    end(release + "-1")
    expect(results).to_have_text(["'beside'", "'round 30'"], timeout=LONG)
    header_state(tab, "RUNNING")
    end(release + "-2")
    header_state(tab, "SUCCEEDED")
    expect(results).to_have_text(["'beside'", "'round 30'"])
    tab.get_by_role("tab", name="Log").click()
    bar = tab.locator(".jp-blueno-log-line", has_text="epochs")
    expect(bar).to_have_count(1)
    expect(bar).to_contain_text("100%")
    expect(bar).to_contain_text("40/40")


def test_long_log_opens_at_its_end_and_loads_upwards(lab: Lab, page: Page) -> None:
    source = "for i in range(400_000):\n    print(f'line {i:07d} of a log that is long')"
    job_id = submit_cell(lab, "long-log", source)
    tab = open_job(page, job_id)
    header_state(tab, "SUCCEEDED")
    log = tab.locator(".jp-blueno-log")
    expect(log.get_by_text("line 0399999")).to_be_in_viewport(timeout=LONG)
    assert "line 0000000" not in (log.text_content() or "")
    first = log.locator(".jp-blueno-log-line").first.text_content() or ""
    log.focus()
    page.keyboard.press("Home")
    expect(log.locator(".jp-blueno-log-line").first).not_to_have_text(first, timeout=LONG)
    expect(log.get_by_text(first)).to_be_attached()

    page.keyboard.press("Control+f")
    box = tab.get_by_role("searchbox", name="Search the log")
    box.fill("line 0000123")
    tab.get_by_role("button", name=re.compile("Search the .* above")).click()
    expect(log.get_by_text("line 0000123")).to_be_in_viewport(timeout=LONG)


def test_results_and_code(lab: Lab, page: Page) -> None:
    source = (
        "from IPython.display import HTML, display\n"
        'display(HTML(\'<b id="from-job" onclick="alert(1)">table</b><script>window.hacked = 1</script>\'))\n'
        "{'acc': 0.964}"
    )
    tab = open_job(page, submit_cell(lab, "results", source))
    header_state(tab, "SUCCEEDED")
    tab.get_by_role("tab", name="Results").click()
    results = tab.locator(".jp-blueno-results")
    expect(results).to_contain_text("0.964")
    expect(results.locator("b")).to_have_text("table")
    assert results.locator("b").get_attribute("onclick") is None
    assert page.evaluate("() => window.hacked") is None
    tab.get_by_role("tab", name="Results").press("ArrowRight")
    expect(tab.get_by_role("tab", name="Metrics")).to_be_focused()
    tab.get_by_role("tab", name="Code").click()
    expect(tab.locator(".jp-blueno-code .cm-content")).to_contain_text("from IPython.display import HTML")
    tab.get_by_role("tab", name="Environment").click()
    expect(tab.locator(".jp-blueno-environment")).to_contain_text("Python")


def test_job_tab_is_restored(lab: Lab, page: Page) -> None:
    job_id = submit_cell(lab, "restored", "print('kept')")
    header_state(open_job(page, job_id), "SUCCEEDED")
    # The layout is saved a moment after it changed.
    with page.expect_request(lambda sent: sent.method == "PUT" and "/lab/api/workspaces/" in sent.url):
        execute(page, "blueno:show-jobs")
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    tab = page.locator(f"#jp-blueno-job-{job_id}")
    tab.wait_for(timeout=LONG)
    expect(tab.locator(".jp-blueno-log")).to_contain_text("kept")


def test_card_of_an_unknown_job_keeps_the_text(lab: Lab, page: Page) -> None:
    path = lab.write_notebook("unknown.ipynb", "1")
    notebook = json.loads(path.read_text())
    bundle = {MIME: {"id": "0" * 32}, "text/plain": "Job gone-by (00000000)"}
    notebook["cells"][0]["outputs"] = [{"output_type": "display_data", "data": bundle, "metadata": {}}]
    path.write_text(json.dumps(notebook))
    show_notebook(page, "unknown.ipynb", kernel=False)
    card = page.locator(".jp-blueno-card.jp-mod-unknown")
    expect(card.locator("pre")).to_have_text("Job gone-by (00000000)")
    expect(card.locator(".jp-blueno-hint")).not_to_be_empty()
