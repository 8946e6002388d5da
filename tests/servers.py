"""A real JupyterLab server in a process of its own."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_blueno.client.transport import Http

TOKEN = "a-token-for-tests"
PASSWORD = "a password, for tests: ü"
NO_BUILD_CHECK = {"page_config_data": {"buildCheck": False, "buildAvailable": False}}


@dataclass
class Lab:
    """A running JupyterLab; `root` is its notebook folder, `home` its data folder."""

    root: Path
    home: Path
    port: int = 0
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def transport(self) -> Http:
        return Http(self.url, TOKEN)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        state = self.home.parent
        self.environment = {
            **os.environ,
            "BLUENO_HOME": str(self.home),
            "JUPYTER_CONFIG_DIR": str(state / "config"),
            "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
            "IPYTHONDIR": str(state / "ipython"),
        }
        # The question about news would lie over what the tests look at.
        notices = state / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        notices.parent.mkdir(parents=True, exist_ok=True)
        notices.write_text('{"fetchNews": "false"}')
        command = [
            sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--expose-app-in-browser",
            "--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}",
            f"--PasswordIdentityProvider.hashed_password={_hashed()}",
            "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            # Each page would start Node to see whether Lab has to be built again.
            f"--ServerApp.tornado_settings={NO_BUILD_CHECK}",
            *self.arguments,
        ]  # fmt: skip
        log = open(state / "lab.log", "ab")  # noqa: SIM115 - the child keeps it
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api", timeout=2).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((state / "lab.log").read_text()[-3000:]) from None
                time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop the server."""
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def write_notebook(self, name: str, *cells: str) -> Path:
        """Put a Python notebook with code `cells` into the root."""
        import nbformat

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        path = self.root / name
        nbformat.write(notebook, path)
        return path


@functools.cache
def _hashed() -> str:
    from jupyter_server.auth import passwd

    return passwd(PASSWORD)
