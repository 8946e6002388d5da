"""The processes that decode: started early, kept warm, replaced when they die."""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.errors import BluenoError, DecoderFailed, Unavailable
from jupyter_blueno.imaging import worker
from jupyter_blueno.imaging.formats.base import Header
from jupyter_blueno.imaging.model import Plane, VolumeInfo
from jupyter_blueno.imaging.pack import Tile

COUNT = 2
TIME_LIMIT = 60.0  # seconds a request
MEMORY = 6 << 30  # bytes of private memory a process
_PATIENCE = 25.0  # seconds for which a request waits for a volume to be decompressed
_LOOK = 0.02  # seconds between looks whether it is
_LONG = 0.1  # a request that takes longer than this, in seconds, is walked around
_HOMES = 512  # files whose process is remembered

log = logging.getLogger("jupyter_blueno")


class Decoders:
    """A few decoder processes, shared by all threads of a server.

    A file is decoded by the same process each time, so that it stays open and
    mapped there. A request that runs out of time, or that its process does not
    survive, raises `DecoderFailed`; the next one gets a new process. Nothing
    runs before `start` or the first request.
    """

    def __init__(
        self, cache: Path, count: int = COUNT, time_limit: float = TIME_LIMIT, memory: int = MEMORY
    ) -> None:
        self.time_limit = time_limit
        self._workers = [_Worker(cache, memory) for _ in range(count)]
        self._homes: OrderedDict[str, _Worker] = OrderedDict()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the processes one after the other, and return when they are ready."""
        for one in self._workers:
            with contextlib.suppress(BluenoError):
                one.ask(worker.Request("ready", {}, self.time_limit))

    def info(self, path: str, key: str | None = None) -> VolumeInfo:
        """Say how the volume in the file `path` (real and allowed) is drawn."""
        result, _ = self._call("info", path, path=path, key=key)
        return msgspec.convert(result, VolumeInfo)

    def slice(
        self, path: str, key: str | None, plane: Plane, index: int, frame: int = 0, tag: str = ""
    ) -> tuple[dict[str, Any], bytearray]:
        """Return ``rows``, ``columns``, ``dtype`` and ``tag`` of a slice, and its numbers."""
        result, body = self._call(
            "slice", path, path=path, key=key, plane=plane, index=index, frame=frame, tag=tag
        )
        return result, body

    def picture(self, path: str, key: str | None = None, max_size: int = 4096) -> tuple[str, bytearray]:
        """Return media type and bytes of an item as a browser shows it."""
        result, body = self._call("picture", None, path=path, key=key, max_size=max_size)
        return result, body

    def inspect(self, path: str, key: str | None = None) -> tuple[Header, Tile]:
        """Return what is known of an item, and its thumbnail."""
        (header, (width, height, codec)), content = self._call("inspect", None, path=path, key=key)
        return msgspec.convert(header, Header), Tile(width, height, codec, bytes(content))

    def close(self) -> None:
        """End the processes; what they are doing is dropped."""
        for one in self._workers:
            one.close()

    def _call(self, function: Any, home: str | None, **arguments: Any) -> tuple[Any, bytearray]:
        patient_until = time.monotonic() + min(_PATIENCE, self.time_limit)
        while True:
            chosen = self._choose(home)
            try:
                reply, body = chosen.ask(worker.Request(function, arguments, self.time_limit))
            finally:
                with self._lock:
                    chosen.waiting -= 1
            if reply.status == "ok":
                return reply.result, body
            if reply.status == "error":
                raise _error_of(reply.result, arguments["path"])
            if time.monotonic() > patient_until:
                raise Unavailable(
                    f"'{Path(arguments['path']).name}' is being decompressed ({reply.result:.0%}). "
                    "Try again in a moment.",
                    code="still_decompressing",
                )
            time.sleep(_LOOK)

    def _choose(self, home: str | None) -> _Worker:
        """The process where the file is at home, unless a long request keeps it and another is idle."""
        with self._lock:
            least = min(self._workers, key=lambda one: (one.waiting, one.files))
            chosen = self._homes.get(home) if home is not None else None
            if chosen is None:
                chosen = least
                if home is not None:
                    self._homes[home] = chosen
                    chosen.files += 1
                    while len(self._homes) > _HOMES:
                        self._homes.popitem(last=False)[1].files -= 1
            elif home is not None:
                self._homes.move_to_end(home)
                if chosen.busy_for > _LONG and not least.waiting:
                    chosen = least
            chosen.waiting += 1
            return chosen


class _Worker:
    """One process, and the requests that queue for it."""

    def __init__(self, cache: Path, memory: int) -> None:
        self.waiting = 0  # requests, under the pool's lock
        self.files = 0
        self._cache, self._memory = cache, memory
        self._turn = threading.Lock()
        self._since: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._closed = False

    @property
    def busy_for(self) -> float:
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def ask(self, request: worker.Request) -> tuple[worker.Reply, bytearray]:
        with self._turn:
            self._since = time.monotonic()
            try:
                return self._ask(request)
            finally:
                self._since = None

    def close(self) -> None:
        self._closed = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):  # wakes a request that is waiting, ends the process
                connection.shutdown(socket.SHUT_RDWR)
        with self._turn:
            self._drop()

    def _ask(self, request: worker.Request) -> tuple[worker.Reply, bytearray]:
        connection = self._ready()
        try:
            connection.settimeout(request.limit)
            worker.send(connection, request)
            reply, body = worker.receive(connection, worker.Reply)
        except TimeoutError:
            self._drop()
            raise DecoderFailed(
                f"Decoding took longer than {request.limit:.0f} seconds and was stopped. "
                "Convert the file to a simpler format, or try again when the machine is less busy.",
                code="decoder_timeout",
            ) from None
        except (EOFError, OSError):
            how = self._drop()
            if self._closed:
                raise Unavailable("The server is stopping.", code="stopping") from None
            log.warning("A decoder process died (%s) at %s", how, request.arguments.get("path"))
            raise DecoderFailed(
                f"The decoder did not survive this file ({how}). The file is damaged or needs more memory "
                "than there is; convert it to a simpler format.",
                code="decoder_died",
            ) from None
        return reply, body

    def _ready(self) -> socket.socket:
        """The connection to a living process, started if there is none."""
        if self._closed:
            raise Unavailable("The server is stopping.", code="stopping")
        if self._process is not None and self._process.poll() is not None:
            self._drop()  # it was killed while it had nothing to do
        if self._connection is None:
            ours, theirs = socket.socketpair()
            command = [sys.executable, "-P", "-m", worker.__name__]
            with theirs:
                # A session of its own: Ctrl-C in the terminal is not for it.
                self._process = subprocess.Popen(
                    [*command, str(theirs.fileno()), str(self._cache), str(self._memory)],
                    pass_fds=(theirs.fileno(),), start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            self._connection = ours
        return self._connection

    def _drop(self) -> str:
        """End the process, if it still runs; says how it ended."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return "it was gone"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        if process.poll() is None:
            process.kill()
        code = process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _error_of(said: tuple[str, str, str, str], path: str) -> BluenoError:
    """The error that a process answered with."""
    name, code, message, trace = said
    if trace:
        log.error("Decoding %s failed:\n%s", path, trace)
        message = f"'{Path(path).name}' could not be decoded; the server's log says why."
    cls = getattr(errors, name, BluenoError)
    made: BluenoError = cls(message, code=code)
    return made
