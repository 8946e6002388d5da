"""MLflow's server of a team, as its pod runs it: for who has the key, and no longer than it is needed."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from jupyter_blueno.tracking.serve_team import IDLE, KEY_DIGEST, KEY_HEADER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def started(folder: Path, idle: int) -> tuple[subprocess.Popen[bytes], str]:
    pytest.importorskip("mlflow.version")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    told = {KEY_DIGEST: hashlib.sha256(b"the key").hexdigest(), IDLE: str(idle)}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "jupyter_blueno.tracking.serve_team",
        str(folder),
        str(port),
    ]
    return subprocess.Popen(command, env={**os.environ, **told}), f"http://127.0.0.1:{port}"


def asked(address: str, path: str, key: str | None) -> int:
    """The status of an answer; 0 while nobody listens."""
    headers = {"Host": "localhost"} | ({KEY_HEADER: key} if key else {})
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address + path, headers=headers), timeout=60
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_it_answers_who_has_the_key_alone(tmp_path: Path) -> None:
    process, address = started(tmp_path, 3600)
    try:
        while not asked(address, "/health", "the key"):
            assert process.poll() is None
        for path in ("/health", "/", "/api/2.0/mlflow/experiments/search?max_results=5"):
            assert asked(address, path, "the key") == 200
            for key in (None, "another", hashlib.sha256(b"the key").hexdigest()):
                assert asked(address, path, key) == 403
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert (tmp_path / "mlflow.db").exists()


def test_it_ends_well_when_nobody_asks(tmp_path: Path) -> None:
    process, _ = started(tmp_path, 0)
    assert process.wait(200) == 0
