"""A server that nobody uses stops itself, and not before what runs in it has ended."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from jupyter_blueno.api.idle import Present, get_idleness, say_present
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.jobs.testing import until
from tests.gpus import stand_in
from tests.servers import TOKEN, Lab


@pytest.fixture
def soon(tmp_path: Path) -> Iterator[Lab]:
    """A Lab that stops after 3 seconds without anything."""
    (tmp_path / "root").mkdir()
    lab = Lab(tmp_path / "root", tmp_path / "home", arguments=["--Config.idle_timeout=3"])
    lab.start()
    yield lab
    lab.stop()


def asked(lab: Lab, path: str) -> Any:
    headers = {"Authorization": f"token {TOKEN}"}
    request = urllib.request.Request(f"{lab.url}/api/{path}", b"{}", headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def opened(lab: Lab, path: str) -> websocket.WebSocket:
    address = f"{lab.url.replace('http', 'ws')}/{path}"
    return websocket.create_connection(address, header={"Authorization": f"token {TOKEN}"}, timeout=60)


def code(text: str) -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "test"}
    content = {"code": text, "silent": False, "store_history": False, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    return json.dumps({**message, "channel": "shell", "buffers": []})


def test_it_ends_when_its_work_has(soon: Lab) -> None:
    kernel = opened(soon, f"api/kernels/{asked(soon, 'kernels')['id']}/channels")
    kernel.send(code(f"import time; time.sleep(7); open({str(soon.root / 'kernel')!r}, 'w').close()"))
    terminal = opened(soon, f"terminals/websocket/{asked(soon, 'terminals')['name']}")
    terminal.send(json.dumps(["stdin", f"sleep 10; touch {soon.root}/terminal\r"]))
    while not soon.transport.call(get_idleness, Nothing()).working:
        pass
    for one in (kernel, terminal):
        one.close()
    assert soon.process is not None
    assert soon.process.wait(120) == 0
    assert {path.name for path in soon.root.iterdir()} >= {"kernel", "terminal"}


def test_who_is_there_says_so(soon: Lab) -> None:
    before = soon.transport.call(get_idleness, Nothing())
    after = soon.transport.call(say_present, Present())
    assert before.left is not None
    assert after.left is not None
    assert after.left > before.left
    assert after.timeout == 3


def test_a_laptop_s_never_stops(lab: Lab) -> None:
    found = lab.transport.call(say_present, Present())
    assert (found.timeout, found.left) == (0, None)


def test_one_whose_gpus_are_hardly_used_stops_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    environment, busy = stand_in(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = ["--Config.gpu_idle_timeout=6", "--Config.notebook_gpus=2", "--Config.gpu_idle_below=0.1"]
    lab = Lab(tmp_path / "root", tmp_path / "home", arguments=settings)

    def left() -> float:
        seen = lab.transport.call(get_idleness, Nothing())
        assert (seen.timeout, seen.for_gpus) == (6, True)
        assert seen.left is not None
        return seen.left

    busy.write_text("40")
    lab.start()
    try:
        until(lambda: left() > 5, "the GPUs to be seen at work")
        busy.write_text("5")
        until(lambda: left() < 4, "the time to run out")
        assert (lab.transport.call(say_present, Present()).left or 0) < 4, "typing keeps no GPUs"
        assert (lab.transport.call(say_present, Present(keep=True)).left or 0) > 5
        assert lab.process is not None
        assert lab.process.wait(120) == 0
    finally:
        lab.stop()
