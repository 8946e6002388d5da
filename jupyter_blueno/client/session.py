"""The transport of this process: found on first use, and found again when its server went away."""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from jupyter_blueno import errors
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.client import transport as transports
from jupyter_blueno.client.transport import Http, InProcess, Transport

Answer = TypeVar("Answer")

_lock = threading.RLock()
_current: Transport | None = None
_homes: dict[str, Path] = {}  # of servers, by address
_chosen = False  # by `use`: then no other one is looked for


def connect() -> Transport:
    """The transport that this process uses; it is looked for when first asked for.

    Returns
    -------
    Transport
        To the running local Jupyter server when there is one, else this
        process itself.
    """
    global _current
    with _lock:
        if _current is None:
            _current = transports.find()
        return _current


def use(
    server: str | None = None, token: str | None = None, *, transport: Transport | Context | None = None
) -> None:
    """Say which platform is meant, where the one found by itself is not.

    Parameters
    ----------
    server : str, optional
        Address of a Jupyter server with Blueno, ``http://localhost:8888``; its
        token may be in it (``?token=…``). ``"here"`` is this process, without
        a server. Nothing: look for one again.
    token : str, optional
        The server's token.
    transport : Transport or Context, optional
        Used as it is.

    Raises
    ------
    Unavailable
        If the server does not answer.
    """
    global _current, _chosen
    chosen: Transport | None
    if isinstance(transport, Context):
        chosen = InProcess(transport)
    elif transport is not None:
        chosen = transport
    elif server == "here":
        chosen = transports.here()
    elif server:
        chosen = _reachable(server, token)
    else:
        chosen = None
    with _lock:
        _current, _chosen = chosen, chosen is not None


def call(operation: Operation[Any, Answer], ask: Any) -> Answer:
    """Ask the platform; a server that is gone is looked for again, once.

    Raises
    ------
    BluenoError
        Whatever the platform raised.
    """
    global _current
    used = connect()
    try:
        return used.call(operation, ask)
    except errors.Unavailable as error:
        if error.code != transports.UNREACHABLE or _chosen:
            raise
        with _lock:
            if _current is used:
                _current = None
    return connect().call(operation, ask)


def home() -> Path:
    """The data folder of the platform in use."""
    used = connect()
    if isinstance(used, InProcess):
        return used.context.config.home_path
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.status import get_status

    place = getattr(used, "url", "")
    if place not in _homes:
        _homes[place] = Path(call(get_status, Nothing()).home)
    return _homes[place]


def close() -> None:
    """Let go of the transport; the next question looks for one again."""
    global _current, _chosen
    with _lock:
        used, _current, _chosen = _current, None, False
        _homes.clear()
    if used is not None:
        used.close()


@atexit.register
def _leave() -> None:
    """The embedded database stops with the last process that uses it."""
    with suppress(Exception):  # nobody is left to hear of it
        close()


def _reachable(server: str, token: str | None) -> Http:
    from urllib.parse import parse_qs, urlsplit, urlunsplit

    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.status import get_status

    parts = urlsplit(server if "://" in server else f"http://{server}")
    token = token or next(iter(parse_qs(parts.query).get("token", [])), None)
    path = parts.path.rstrip("/")
    for ending in ("/lab", "/tree"):
        path = path.removesuffix(ending)
    http = Http(urlunsplit((parts.scheme, parts.netloc, path, "", "")), token)
    http.call(get_status, Nothing())
    return http
