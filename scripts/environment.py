"""The environment that the scripts of this folder run in: made once, renewed when needed.

Only the standard library of Python 3.11: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
LOG = ROOT / ".cache" / "install.log"
FRONT_END = ("src", "style", "schema", "package.json", "yarn.lock", "tsconfig.json", "build.py")


def ensure(*extras: str) -> None:
    """Make ``.venv`` with the package (editable) and `extras`, unless it is there and current.

    Uses `uv` when it is on the PATH, else `venv` and `pip`. Exits with a
    sentence when a step fails.
    """
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    wanted = set(extras)
    stamp = ENVIRONMENT / "installed"
    before = stamp.read_text().splitlines() if stamp.exists() else [""]
    wanted |= set(before[1:])  # never take away what another script installed
    state = _fingerprint()
    if [state, *sorted(wanted)] == before:
        return
    uv = shutil.which("uv")
    if not PYTHON.exists():
        with step("Making the environment .venv"):
            if uv:
                run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)])
            else:
                venv.create(ENVIRONMENT, clear=True, with_pip=True)
    package = f"{ROOT}[{','.join(sorted(wanted))}]"
    installer = (
        [uv, "pip", "install", "--python", str(PYTHON)] if uv else [str(PYTHON), "-m", "pip", "install"]
    )
    with step("Installing jupyter-blueno and building its Lab extension (some minutes, the first time)"):
        run([*installer, "--constraint", str(ROOT / "constraints.txt"), "--editable", package])
    stamp.write_text("\n".join([state, *sorted(wanted)]))


def run(command: list[str], **environment: str) -> None:
    """Run a command, its output in the log; exit with the log's end when it fails."""
    LOG.parent.mkdir(exist_ok=True)
    with open(LOG, "ab") as log:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )
    if done.returncode != 0:
        tail = LOG.read_text(errors="replace")[-2500:]
        sys.exit(f"\n{tail}\nThis step failed; the whole log is in {LOG}. Mend it and start again.")


class step:  # noqa: N801 - reads as a statement
    """Say what is being done, and for how long, while it is done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.done = threading.Event()
        self.ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> step:
        self.start = time.monotonic()
        if not sys.stdout.isatty():
            print(f"· {self.title} …", flush=True)
        self.ticker.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.done.set()
        self.ticker.join()
        mark = "✗" if kind else "✓"
        start = "\r" if sys.stdout.isatty() else ""
        print(f"{start}{mark} {self.title}: {time.monotonic() - self.start:.0f} s", flush=True)

    def _tick(self) -> None:
        while sys.stdout.isatty() and not self.done.wait(0.2):
            print(f"\r· {self.title} … {time.monotonic() - self.start:.0f} s", end="", flush=True)


def _fingerprint() -> str:
    """A digest of everything that decides what is installed."""
    files: Iterable[Path] = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    for name in FRONT_END:
        path = ROOT / "labextension" / name
        files = [*files, *([path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()))]
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in files:
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()
