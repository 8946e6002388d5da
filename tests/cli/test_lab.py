"""`blueno lab` as a person starts and stops it: a process, its words, Chromium, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.client.transport import Http
from jupyter_blueno.config import Config
from jupyter_blueno.jobs.model import JobSpec
from tests.database.clients import servers_of, wait_until

pytestmark = pytest.mark.timeout(400)

PATIENCE = 180  # seconds; other tests may run beside
ADDRESS = re.compile(r"http://\S+token=[0-9a-f]+")

# Processes below a background shell are born deaf to Ctrl-C; below a terminal they are not.
START = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in sys.argv.pop(1).split():
    sys.modules[name] = None
from jupyter_blueno.cli import main
main()
"""

UNTIL_RELEASED = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.05)
"""


class Terminal:
    """What runs `blueno lab` in a terminal of its own, with the notebook folder `root`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.home = folder / "home"
        self.root.mkdir()
        self._folder = folder
        self._log = folder / "said"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, without: str = "") -> None:
        """Type ``blueno lab …``, as if the packages `without` were not installed."""
        environment = {
            **os.environ,
            "BLUENO_HOME": str(self.home),
            "BLUENO_DATABASE_URL": "",
            **{f"JUPYTER_{name}_DIR": str(self._folder / name) for name in ("CONFIG", "RUNTIME", "DATA")},
            "JUPYTERLAB_SETTINGS_DIR": str(self._folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._folder / "workspaces"),
            "IPYTHONDIR": str(self._folder / "ipython"),
        }
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, without, "lab", "--no-browser", *words],
                env=environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C goes to a group of processes
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def address(self) -> str:
        """The printed address, once it is printed."""
        self.wait_for(ADDRESS.pattern)
        return ADDRESS.findall(self.said)[0]

    def wait_for(self, pattern: str) -> None:
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self) -> int:
        """The exit code, once it ended."""
        assert self.process is not None
        code = self.process.wait(PATIENCE)
        assert not re.search('File ".*jupyter_blueno/', self.said), self.said
        return code

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.press_ctrl_c()
            try:
                self.process.wait(PATIENCE)
            finally:
                self.process.kill()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_the_first_start_to_ctrl_c_and_again(
    terminal: Terminal, tmp_path: Path, browser: Browser
) -> None:
    terminal.start("--demo")
    address = terminal.address()
    steps = ["Database …", "Database ready (", "Demo data …", "mnist-5k", "Demo data ready (", "JupyterLab …"]
    places = [terminal.said.find(step) for step in steps]
    assert -1 not in places, terminal.said
    assert places == sorted(places), terminal.said
    assert see(browser, address) == ["mni152", "mnist-5k"]

    parts = urlsplit(address)
    server = Http(f"{parts.scheme}://{parts.netloc}", parts.query.partition("=")[2])
    release = tmp_path / "release"
    command = [sys.executable, "-c", UNTIL_RELEASED, str(release)]
    job = server.call(submit_job, SubmitJob("a" * 32, "patient", JobSpec(kind="command", command=command)))
    wait_until(lambda: server.call(get_job, JobRef(job.id)).state == "RUNNING", PATIENCE)
    changed = terminal.root / "blueno-examples" / "01-browse.ipynb"
    changed.write_text(changed.read_text().replace("Welcome.", "My own words."))

    terminal.press_ctrl_c()
    assert terminal.wait() == 0
    last = terminal.said.partition("JupyterLab has stopped.")[2]
    for words in ("1 background job goes on", "patient", "blueno cancel ID"):
        assert words in last
    wait_until(lambda: not servers_of(terminal.home), PATIENCE)

    terminal.start("--demo")
    server_again = terminal.address()
    assert "mnist-5k" not in terminal.said
    assert "My own words." in changed.read_text()
    assert server_again != address
    terminal.press_ctrl_c()
    assert terminal.wait() == 0
    assert "1 background job goes on" in terminal.said

    release.touch()
    context = Context.local(Config(home=str(terminal.home), database_url=""))
    wait_until(lambda: get_job(context, JobRef(job.id)).state == "SUCCEEDED", PATIENCE)
    context.platform.close()
    assert not servers_of(terminal.home)


def see(browser: Browser, address: str) -> list[str]:
    """Open the address; the names in the panel, beside the welcome notebook."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(address)
    expect(page.locator("#jp-blueno-panel")).to_be_visible(timeout=1000 * PATIENCE)
    expect(page.locator(".jp-NotebookPanel")).to_contain_text("Welcome.", timeout=1000 * PATIENCE)
    names = page.locator("#jp-blueno-panel .jp-blueno-row-name")
    names.nth(1).wait_for()
    found = sorted(names.all_inner_texts())
    # One that is stopped while it starts says so, at length.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=1000 * PATIENCE)
    context.close()
    return found


def test_without_the_demo_packages_lab_still_starts(terminal: Terminal) -> None:
    terminal.start("--demo", without="mlxtend nilearn")
    terminal.address()
    assert "pip install 'jupyter-blueno[demo]'" in terminal.said
    terminal.press_ctrl_c()
    assert terminal.wait() == 0
    assert "No background jobs are running." in terminal.said
    wait_until(lambda: not servers_of(terminal.home), PATIENCE)


def test_ctrl_c_while_the_demo_is_made(terminal: Terminal) -> None:
    terminal.start("--demo")
    terminal.wait_for("Demo data …")
    terminal.press_ctrl_c()
    assert terminal.wait() != 0
    wait_until(lambda: not servers_of(terminal.home), PATIENCE)
    terminal.start("--demo")
    terminal.wait_for("Demo data ready")
    assert "mni152" in terminal.said


def test_a_port_in_use_is_said(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        terminal.start("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0")
        assert terminal.wait() == 1
    assert re.search(rf"port {port} is (already in use|not available)", terminal.said, re.IGNORECASE)


def test_a_data_folder_that_cannot_be_used_is_said(terminal: Terminal) -> None:
    terminal.home.write_text("a file is in its place")
    terminal.start()
    assert terminal.wait() == 1
    last = terminal.said.splitlines()[-1]
    for words in ("Error: ", str(terminal.home), "BLUENO_HOME"):
        assert words in last
