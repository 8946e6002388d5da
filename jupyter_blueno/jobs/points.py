"""Curves as files: points are appended while the work goes on. Standard library only.

A folder of curves has two files for each process that wrote into it::

    0000.names     the names of its curves, a JSON text a line; the first is curve 0
    0000.points    records of 32 bytes: curve (u4), nothing (u4), step, time (s since 1970), value (f8)

Nothing is ever rewritten. A record that is not whole is the last one, and not
read. So many points that they would fill the disk are thinned as they come:
first all are kept, then of every few the lowest and the highest.
"""

from __future__ import annotations

import os
from _json import encode_basestring_ascii
from _struct import pack

from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False

RECORD = 32  # bytes of a point
WHOLE = 1 << 20  # points of a process that are all kept: 32 MB
BACKLOG = 1 << 20  # bytes that wait for a disk that is full; the oldest go first


class Line:
    """One curve, as the process that writes it knows it."""

    __slots__ = ("high", "index", "last", "low", "seen", "step")

    def __init__(self, index: int) -> None:
        self.index = index
        self.step = -1.0  # of the newest point
        self.last = (0.0, 0.0, 0.0)  # step, time, value
        self.seen = 0  # points since the last that were written
        self.low = self.high = self.last  # of these


class Writer:
    """Appends to the curves of a folder, by its own pair of files. Not safe from threads.

    Parameters
    ----------
    folder : str
        Made when the first point is written.
    whole : int
        So many points are all kept.
    """

    def __init__(self, folder: str, whole: int = WHOLE) -> None:
        self.folder = folder
        self.lines: dict[str, Line] = {}
        self.waiting = bytearray()
        self.names_waiting = b""
        self.files: tuple[int, int] | None = None
        self.written = 0
        self.limit = self.whole = whole
        self.every = 1  # of so many points two are kept; 1: all

    def add(self, name: str, value: float, step: float | None, time: float) -> None:
        """Add a point; without `step` it is one after the last."""
        line = self.lines.get(name)
        if line is None:
            line = self.lines[name] = Line(len(self.lines))
            self.names_waiting += encode_basestring_ascii(name).encode() + b"\n"
        if step is None:
            step = line.step + 1
        line.step = step
        if self.every == 1:
            line.last = (step, time, value)
            self._keep(line.index, line.last)
        else:
            self._thin(line, (step, time, value))

    def _keep(self, index: int, point: tuple[float, float, float]) -> None:
        self.waiting += pack("<IIddd", index, 0, *point)
        self.written += 1
        if self.written >= self.limit:
            self.every = max(4, 2 * self.every)
            self.limit += self.whole // 2

    def _thin(self, line: Line, point: tuple[float, float, float]) -> None:
        value = point[2]
        if not line.seen:
            line.low = line.high = point
        elif value < line.low[2] or value != value:  # once it is NaN it stays so, and can be seen
            line.low = point
        elif value > line.high[2]:
            line.high = point
        line.last = point
        line.seen += 1
        if line.seen >= self.every:
            self._settle(line, line.low, line.high)

    def _settle(self, line: Line, *points: tuple[float, float, float]) -> None:
        line.seen = 0
        for point in sorted(set(points), key=_when):
            self._keep(line.index, point)

    def flush(self) -> None:
        """Write what waits; where the disk is full it goes on waiting, as far as there is room."""
        if not self.waiting and not self.names_waiting:
            return
        with suppress(OSError):
            names, points = self.files = self.files or self._open()
            if self.names_waiting:  # first: a point means nothing without them
                done = os.write(names, self.names_waiting)
                self.names_waiting = self.names_waiting[done:]
            while self.waiting and not self.names_waiting:
                done = os.write(points, self.waiting)
                if done % RECORD:
                    os.ftruncate(points, os.fstat(points).st_size - done % RECORD)
                    done -= done % RECORD
                if not done:
                    break
                del self.waiting[:done]
        if len(self.waiting) > BACKLOG:
            del self.waiting[: len(self.waiting) - BACKLOG]

    def _open(self) -> tuple[int, int]:
        os.makedirs(self.folder, exist_ok=True)
        number = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        while True:
            place = os.path.join(self.folder, f"{number:04d}.")
            try:
                points = os.open(place + "points", flags, 0o600)
            except FileExistsError:
                number += 1
                continue
            return os.open(place + "names", flags, 0o600), points

    def finish(self) -> None:
        """Write everything, with the newest point of each curve."""
        for line in self.lines.values():
            if line.seen:
                self._settle(line, line.low, line.high, line.last)
        self.flush()


def _when(point: tuple[float, float, float]) -> tuple[float, float]:
    return point[1], point[0]
