"""Somebody whose folder is full still gets into Lab, and can make room."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blueno.hub.cluster import ARGS, RESCUE, RESCUE_ARGS
from jupyter_blueno.jobs.testing import until

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder in which not a byte is left."""
    place = tmp_path / "home"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small file system")
    with contextlib.suppress(OSError), open(place / "large", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_lab_starts_and_room_is_made(full: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"BLUENO_HOME": str(tmp_path / "blueno"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    command = [
        sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", f"--port={port}",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={full}", *ARGS, *RESCUE_ARGS,
    ]  # fmt: skip
    log = open(tmp_path / "log", "wb")  # noqa: SIM115 - the child keeps it
    process = subprocess.Popen(command, cwd=full, env={**os.environ, **RESCUE, **own}, stdout=log, stderr=log)

    def ask(path: str, method: str = "GET") -> int:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    try:
        until(lambda: ask("/api/status") == 200, "the server to answer")
        assert ask("/blueno/open") == 200
        assert ask("/api/kernels", "POST") == 201
        assert ask("/api/contents/large", "DELETE") == 204
        (full / "small").write_bytes(bytes(100_000))
    except AssertionError as error:
        raise AssertionError(f"{error}: {(tmp_path / 'log').read_text()[-3000:]}") from None
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(RESCUE["HOME"], ignore_errors=True)
