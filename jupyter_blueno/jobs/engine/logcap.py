"""Keeps a growing log small on disk while it is written to. Standard library only.

The job writes to the log itself, so that no line is lost when somebody else
dies. What is over the limit is taken out of its middle by giving the blocks
back to the file system: offsets stay as they are, the head and the newest part
stay readable.
"""

from __future__ import annotations

import os
import sys
from io import FileIO

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False

HEAD = 0.25  # of the limit is kept from the beginning
TAIL = 0.5  # of the limit is kept from the end, when something is taken out
BLOCK = 4096
BUSY = 8 << 20  # bytes a look: more than that, and the next look is sooner


class LogCap:
    """The log of one folder.

    Parameters
    ----------
    folder : str
    limit : int
        Bytes on disk.
    """

    def __init__(self, folder: str, limit: int) -> None:
        self.path = os.path.join(folder, "log")
        self.note = os.path.join(folder, "log.json")
        self.limit = limit
        self.head = int(limit * HEAD)
        self.size = 0
        self.start = 0  # of what was taken out
        self.end = 0
        try:
            hole = lean.read_json(self.note)
            self.start, self.end = hole["start"], hole["end"]
        except (OSError, ValueError, KeyError):
            pass

    def keep_small(self) -> float:
        """Look at the size, take out what is too much; return seconds until the next look."""
        try:
            size = os.stat(self.path).st_size
        except OSError:
            return 1.0
        grown, self.size = size - self.size, size
        if size - max(self.end, self.head) > self.limit - self.head:
            with suppress(OSError):
                self._cut(size)
        return 0.02 if grown > BUSY else 1.0

    def _cut(self, size: int) -> None:
        with open(self.path, "r+b", buffering=0) as file:
            start = self.start or _after_line(file, self.head)
            end = _after_line(file, size - int(self.limit * TAIL))
            lean.write_json(self.note, {"start": start, "end": end})
            self.start, self.end = start, end
            first = -(-start // BLOCK) * BLOCK
            length = end // BLOCK * BLOCK - first
            if length > 0:
                _give_back(file.fileno(), first, length)


def _after_line(file: FileIO, offset: int) -> int:
    """The first beginning of a line at or after `offset`, or `offset` if none is near."""
    file.seek(offset)
    found = file.read(65536).find(b"\n")
    return offset + found + 1 if found >= 0 else offset


def _give_back(descriptor: int, offset: int, length: int) -> None:
    """Free a range of a file without moving the rest."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux"):
        # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
        failed = library.fallocate(descriptor, 3, ctypes.c_long(offset), ctypes.c_long(length))
    else:
        import struct

        hole = struct.pack("=IIqq", 0, 0, offset, length)  # struct fpunchhole; F_PUNCHHOLE is 99
        failed = library.fcntl(descriptor, 99, hole)
    if failed:
        raise OSError(ctypes.get_errno(), "the file system cannot give the space back")
