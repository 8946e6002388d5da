"""A decoder process: reads requests from a socket, answers with bytes.

Strangers' files are only ever decoded here, under a limit of memory and time,
so that the worst of them ends this process and no other. It is started as
``python -m jupyter_blueno.imaging.worker FD CACHE MEMORY`` and ends when the
other end of the socket is closed, however that came about.

A message is a uint32 with the length of a msgpack head, the head, and a body
whose length the head tells.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from jupyter_blueno.imaging.opened import Opened

_LENGTH = struct.Struct("<I")
_GRACE = 5  # seconds after which a late process is ended by the kernel, whoever else is alive


class Request(msgspec.Struct):
    """Which function is asked for, and for how many seconds at most."""

    function: Literal["info", "slice", "picture", "inspect", "ready"]
    arguments: dict[str, Any]
    limit: float


class Reply(msgspec.Struct):
    """``ok`` with a result; ``later`` with how much is done; ``error`` with class, code, message, trace."""

    status: Literal["ok", "later", "error"]
    result: Any = None
    length: int = 0


def send(connection: socket.socket, head: Request | Reply, body: Any = b"") -> None:
    """Write a message; returns once the system has taken it."""
    encoded = msgspec.msgpack.encode(head)
    connection.sendall(_LENGTH.pack(len(encoded)) + encoded)
    if len(body):
        connection.sendall(body)


def receive(connection: socket.socket, cls: Any) -> tuple[Any, bytearray]:
    """Read a message; EOFError when the other end is gone."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    head = msgspec.msgpack.decode(_exactly(connection, length), type=cls)
    return head, _exactly(connection, getattr(head, "length", 0))


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return data


def main() -> None:
    """Serve requests until the other end closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    _confine(int(sys.argv[3]))
    threading.Thread(target=_follow, args=(connection.fileno(),), daemon=True).start()
    _load()
    from jupyter_blueno.imaging.opened import Opened

    opened = Opened(Path(sys.argv[2]))
    while True:
        try:
            request, _ = receive(connection, Request)
            signal.setitimer(signal.ITIMER_REAL, request.limit + _GRACE)
            reply, body = _answer(opened, request)
            send(connection, reply, body)
        except (EOFError, OSError):
            return
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(opened: Opened, request: Request) -> tuple[Reply, Any]:
    from jupyter_blueno.errors import BluenoError, NotFound, TooLarge
    from jupyter_blueno.imaging import inspect
    from jupyter_blueno.imaging.opened import Later, picture

    ask = request.arguments
    try:
        if request.function == "slice":
            facts, pixels = opened.slice(**ask)
            body = pixels.data.cast("B")
            return Reply("ok", facts, len(body)), body
        if request.function == "picture":
            media_type, content = picture(**ask)
            return Reply("ok", media_type, len(content)), content
        if request.function == "inspect":
            header, tile = inspect(**ask)
            return Reply("ok", (header, tile[:3]), len(tile.content)), tile.content
        return Reply("ok", opened.info(**ask) if request.function == "info" else None), b""
    except Later as later:
        return Reply("later", later.done), b""
    except BluenoError as error:
        return _error(error), b""
    except FileNotFoundError:
        return _error(NotFound("The file is not there any more.", code="file_missing")), b""
    except MemoryError:
        return _error(TooLarge("The file takes too much memory to decode.", code="too_many_bytes")), b""
    except Exception:  # a fault of ours, or of a library with a file that nobody thought of
        return Reply("error", ("DecoderFailed", "decoder_failed", "", traceback.format_exc())), b""


def _error(error: Any) -> Reply:
    return Reply("error", (type(error).__name__, error.code, error.message, ""))


def _confine(memory: int) -> None:
    """Limit memory, and be quiet: the terminal is the server's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # private memory only: maps of big files are not counted
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a pool of threads would only take address space


def _follow(file: int) -> None:
    """End with the server, also in the middle of a request."""
    poll = select.poll()
    poll.register(file, getattr(select, "POLLRDHUP", select.POLLHUP))
    poll.poll()
    os._exit(0)


def _load() -> None:
    """Import what any request needs, before the first comes."""
    import nibabel  # noqa: F401
    import numpy as np
    import numpy.lib.format
    from PIL import JpegImagePlugin, PngImagePlugin  # noqa: F401

    import jupyter_blueno.imaging.rendering
    import jupyter_blueno.imaging.thumbnails  # noqa: F401
    from jupyter_blueno.imaging.window import display_range

    display_range(np.arange(9), "")  # NumPy imports a part of itself (0.1 s) at the first percentile


if __name__ == "__main__":
    main()
