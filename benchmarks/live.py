"""How soon one sees what a job does: a notebook's first output, a line of the log in the browser."""

from __future__ import annotations

import importlib.util
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.api import jobs as api
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.config import Config
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import TERMINAL, JobSpec
from tests.browser import CHROMIUM_FLAGS, NO_GL, chromium
from tests.servers import TOKEN, Lab
from tests.ui.conftest import execute

ROUNDS = 7
LINES = 60
PAUSE = 0.2  # seconds between lines
TALK = f"""\
import time
time.sleep(5)
for n in range({LINES}):
    print("line", time.time(), flush=True)
    time.sleep({PAUSE})
"""
# Notes when a line is on the screen: after the frame in which it was added.
WATCH = """() => {
    window.seen = {};
    const look = () => {
        for (const node of document.querySelectorAll('.jp-blueno-log *')) {
            if (node.childElementCount === 0) {
                for (const [, when] of node.textContent.matchAll(/line ([0-9.]+)/g)) {
                    window.seen[when] ??= Date.now() / 1000;
                }
            }
        }
        requestAnimationFrame(look);
    };
    look();
}"""


def measure() -> list[Figure]:
    return [_notebook(), _line()]


def _notebook() -> Figure:
    """A notebook of one cell, by papermill and as a job, in turn."""
    if importlib.util.find_spec("papermill") is None:
        raise SystemExit("papermill is what is compared with: pip install -e '.[benchmarks]'")
    cell = nbformat.v4.new_code_cell("print('first output')")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[cell], metadata=metadata))
    with tempfile.TemporaryDirectory() as folder:
        context = Context(Platform(Config(home=folder, roots=[folder])), User("bench"))
        context.platform.jobs.start_monitor()
        path = Path(folder, "note.ipynb")
        path.write_text(text)
        words = [sys.executable, "-m", "papermill", "--log-output", str(path), str(Path(folder, "out.ipynb"))]
        peers, ours = [], []
        for number in range(ROUNDS + 1):
            begun = time.perf_counter()
            with subprocess.Popen(words, stderr=subprocess.PIPE, cwd=folder) as peer:
                assert peer.stderr is not None
                while b"first output" not in peer.stderr.readline():
                    assert peer.poll() is None, "papermill ended without a word"
                said = time.perf_counter() - begun
                peer.stderr.read()
            begun = time.perf_counter()
            spec = JobSpec(kind="notebook", source=text, folder=folder)
            job = api.submit_job(context, api.SubmitJob(secrets.token_hex(16), "note", spec))
            log = JobFolder.of(context.config, job.id).path / "log"
            while not log.exists() or b"first output" not in log.read_bytes():
                time.sleep(0.002)
            if number:  # the first is for the caches
                peers.append(said)
                ours.append(time.perf_counter() - begun)
            while api.get_job(context, api.JobRef(job.id)).state not in TERMINAL:
                time.sleep(0.01)
        context.platform.close()
    ratio = percentile(ours, 50) / percentile(peers, 50)
    return Figure(
        "notebook as a job: submit → first output",
        spread(ours),
        f"papermill {spread(peers)}: {ratio:.2f} ×",
        "≤ 0.7 ×",
        ratio <= 0.7,
    )


def _line() -> Figure:
    """Lines of a job's log, from the print to the frame that shows them."""
    folder = Path(tempfile.mkdtemp(prefix="blueno-live-"))
    lab = Lab(folder / "root", folder / "home")
    lab.root.mkdir()
    lab.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS + NO_GL)
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{lab.url}/lab?token={TOKEN}&reset")
            page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
            taken = _seen(lab, page)
            browser.close()
    finally:
        lab.stop()
        shutil.rmtree(folder, ignore_errors=True)
    late = percentile(taken, 95)
    return Figure("log line → screen", spread(taken), "", "p95 ≤ 300 ms", late <= 0.3)


def _seen(lab: Lab, page: Page) -> list[float]:
    """Seconds that each line took."""
    spec = JobSpec(kind="command", command=[sys.executable, "-c", TALK])
    job = lab.transport.call(api.submit_job, api.SubmitJob(secrets.token_hex(16), "talk", spec))
    execute(page, "blueno:open-job", {"id": job.id})
    page.locator(".jp-blueno-log").first.wait_for()
    page.evaluate(WATCH)
    page.wait_for_function(f"() => Object.keys(window.seen).length >= {LINES}", timeout=120_000)
    return [shown - float(said) for said, shown in json.loads(page.evaluate("JSON.stringify(seen)")).items()]
