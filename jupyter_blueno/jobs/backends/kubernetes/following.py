"""What there is of one kind in the cluster: listed once, then followed by a watch."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Stream, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, Meta, PodObject

LASTS = 240  # seconds after which the cluster ends a watch, and another begins where it was
LONGEST_PAUSE = 10.0  # seconds between attempts to get through
BLIND = 15.0  # seconds without a watch after which what is known is no longer the truth

Kind = TypeVar("Kind", JobObject, PodObject)

_log = logging.getLogger(__name__)


class _Line(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _Bare(msgspec.Struct, frozen=True):
    metadata: Meta = msgspec.field(default_factory=Meta)
    code: int = 0


class Following(Generic[Kind]):
    """A copy of the objects with a label, kept up to date by a thread; thread-safe.

    Parameters
    ----------
    access : Access
    path : str
        Of the list.
    selector : str
        Of labels.
    shape : type
    label : str
        Whose value objects are found by.
    changed : callable
        Is told that value after each change, and ``""`` after all were listed.
    """

    def __init__(
        self,
        access: Access,
        path: str,
        selector: str,
        shape: type[Kind],
        label: str,
        changed: Callable[[str], None],
    ) -> None:
        self.access, self.path, self.selector = access, path, selector
        self.shape: type[Kind] = shape
        self.label, self.changed = label, changed
        self.found: dict[str, dict[str, Kind]] = {}  # label's value → name → object
        self.listed = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._stream: Stream | None = None
        self._blind_since: float | None = time.monotonic()
        self.trouble = ""
        self._version = ""  # to go on from

    def start(self) -> None:
        """Begin to follow, if it does not yet."""
        with self._lock:
            if self._stopped.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            name = f"blueno-{self.path.rpartition('/')[2]}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            stream.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2)

    def knows(self) -> bool:
        """Whether what is here is the truth, a moment late at most."""
        since = self._blind_since
        return self.listed and (since is None or time.monotonic() - since < BLIND)

    def of(self, value: str) -> list[Kind]:
        """The objects with this value of the label."""
        with self._lock:
            return list(self.found.get(value, {}).values())

    def values(self) -> list[str]:
        with self._lock:
            return list(self.found)

    def put(self, one: Kind) -> None:
        """Know of an object that the cluster answered with, unless a newer one is known."""
        value = one.metadata.labels.get(self.label, "")
        with self._lock:
            known = self.found.setdefault(value, {})
            if one.metadata.name in known:
                return  # from the watch, and so at least as new
            known[one.metadata.name] = one
        self.changed(value)

    # -- the thread -----------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self._version = self._list()
                self._watch()
                failures = 0
            except Refused as error:
                self._version = ""
                failures += error.status != 410  # it forgot the version: list again at once
                self.trouble = error.message
            except Unreachable as error:
                failures += 1
                self.trouble = str(error)
            except Exception as error:
                self._version, self.trouble = "", str(error)
                failures += 1
                _log.warning("What happens in the cluster cannot be followed now: %s", error, exc_info=True)
            if failures:
                if self._blind_since is None:
                    self._blind_since = time.monotonic()
                pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 10))
                self._stopped.wait(pause * random.uniform(0.5, 1))

    def _list(self) -> str:
        listed, version = self.access.every(self.path, self.shape, [("labelSelector", self.selector)])
        found: dict[str, dict[str, Kind]] = {}
        for one in listed:
            found.setdefault(one.metadata.labels.get(self.label, ""), {})[one.metadata.name] = one
        with self._lock:
            self.found = found
        self._seeing()
        self.listed = True
        self.changed("")
        return version

    def _seeing(self) -> None:
        self._blind_since = None
        self.trouble = ""

    def _watch(self) -> None:
        """Follow from the last version on until the watch ends."""
        query = [("labelSelector", self.selector), ("watch", "true"), ("resourceVersion", self._version)]
        query += [("allowWatchBookmarks", "true"), ("timeoutSeconds", str(LASTS))]
        stream = self.access.stream(self.path, query)
        self._stream = stream
        self._seeing()
        with contextlib.closing(stream):
            for text in stream.lines():
                if self._stopped.is_set():
                    break
                line = msgspec.json.decode(text, type=_Line)
                bare = msgspec.json.decode(line.object, type=_Bare)
                if line.type == "ERROR":
                    raise Refused(bare.code or 410, "", "the watch ended")
                self._version = bare.metadata.resource_version
                if line.type != "BOOKMARK":
                    self._take(line.type, msgspec.json.decode(line.object, type=self.shape))

    def _take(self, kind: str, one: Kind) -> None:
        value = one.metadata.labels.get(self.label, "")
        with self._lock:
            known = self.found.setdefault(value, {})
            if kind == "DELETED":
                known.pop(one.metadata.name, None)
                if not known:
                    del self.found[value]
            else:
                known[one.metadata.name] = one
        self.changed(value)
