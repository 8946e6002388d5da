"""Requests as a hostile client writes them: the raw bytes go out, the raw answer comes back."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from jupyter_blueno.api.operation import PREFIX, Nothing
from jupyter_blueno.api.status import get_status
from jupyter_blueno.server.handlers.operation import Problem
from tests.servers import TOKEN, Lab

# What only a program says: stack traces, exceptions of Python and its libraries, objects.
_INTERNAL = re.compile(r"Traceback|File \"|[a-z]+\.[a-zA-Z.]*Error\b|psycopg|sqlalchemy|<class|object at 0x")


class Reply(NamedTuple):
    """What came back, whatever it is."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> Problem:
        """The error, checked to be the documented one."""
        assert self.status >= 400, self
        found = msgspec.json.decode(self.body, type=Problem)
        assert re.fullmatch(r"[a-z][a-z0-9_]+", found.code), found
        assert len(found.message) < 1500, len(found.message)
        assert found.message.rstrip().endswith((".", "?", ")", "s3fs", "gcsfs", "adlfs")), found
        assert not _INTERNAL.search(found.message), found
        return found


def ask(
    lab: Lab, method: str, path: str, body: Any = None, *, query: Any = (), raw: bytes | None = None
) -> Reply:
    """One request: `body` is sent as JSON, `raw` as it is; `query` are pairs."""
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    url = f"{lab.url}{PREFIX}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, said = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, said = error.code, error.read()
    return Reply(status, said, time.monotonic() - began)


def refused(reply: Reply, status: int, *codes: str) -> Problem:
    """The error of a reply with this status and one of these codes."""
    assert reply.status == status, reply
    assert not codes or reply.problem.code in codes, reply
    return reply.problem


def alive(lab: Lab) -> None:
    """The server answers."""
    assert lab.transport.call(get_status, Nothing()).version


def quoted(text: str) -> str:
    return quote(text, safe="")


def until(condition: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")
