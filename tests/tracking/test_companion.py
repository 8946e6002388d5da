"""A server beside Jupyter's: shared, started anew after any end, and gone when nobody holds it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.testing import until
from jupyter_blueno.tracking import companion as module
from jupyter_blueno.tracking.companion import Companion

# A small one that says who it is.
SERVE = """
import http.server, os, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())
    def address_string(self):
        return "somebody"
socketserver.UnixStreamServer(sys.argv[1], Handler).serve_forever()
"""

# Another process that shows it.
HOLD = """
import sys
from pathlib import Path
from jupyter_blueno.tracking.companion import Companion
held = Companion("Small", Path(sys.argv[1]), lambda socket: [sys.executable, "-c", sys.argv[2], socket])
held.ready()
print("ready", flush=True)
sys.stdin.read()
"""


def command(socket: str) -> list[str]:
    return [sys.executable, "-c", SERVE, socket]


@pytest.fixture
def small(tmp_path: Path) -> Companion:
    return Companion("Small", tmp_path / "small", command)


def pid(companion: Companion) -> int:
    connection = companion.connect()
    connection.request("GET", "/")
    return int(connection.getresponse().read())


def ended(process: int) -> Callable[[], bool]:
    return lambda: not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie"


def test_it_ends_when_it_is_not_used(small: Companion, monkeypatch: pytest.MonkeyPatch) -> None:
    assert small.state == "stopped"
    small.ready()
    served = pid(small)
    assert small.state == "running"
    assert not small.release_idle()
    monkeypatch.setattr(module, "IDLE", 0.0)
    assert small.release_idle()
    until(ended(served), "the end of the server")
    assert small.state == "stopped"


def test_one_that_was_killed_is_started_anew(small: Companion) -> None:
    small.ready()
    served = pid(small)
    psutil.Process(served).send_signal(signal.SIGKILL)
    until(ended(served), "its end")
    assert small.state == "stopped"
    small.ready()
    assert pid(small) != served
    small.close()


def test_two_processes_share_one_and_it_outlives_the_first(small: Companion) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(small.folder), SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    small.ready()
    served = pid(small)
    holder.kill()  # as Lab ends by kill -9
    holder.wait()
    holder.stdout.close()
    assert small.state == "running"
    assert pid(small) == served
    small.close()
    until(ended(served), "the end of the server")


def test_nobody_is_left_when_server_and_holder_are_killed(small: Companion) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(small.folder), SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    served = pid(small)
    keeper = psutil.Process(served).ppid()
    for one in (holder.pid, served):
        psutil.Process(one).send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    until(ended(keeper), "the end of its keeper")
    small.ready()  # what they left behind is no obstacle
    assert pid(small) != served
    small.close()


def test_why_it_does_not_start_is_said(tmp_path: Path) -> None:
    failing = Companion(
        "Small",
        tmp_path / "failing",
        lambda _: [sys.executable, "-c", "raise SystemExit('no such table: runs')"],
    )
    started = time.monotonic()
    with pytest.raises(Unavailable, match="no such table: runs"):
        failing.ready()
    assert failing.state == "failed"
    assert time.monotonic() - started < module.PATIENCE / 2
    assert failing.trouble is not None
    assert str(failing.folder / "log") in failing.trouble
