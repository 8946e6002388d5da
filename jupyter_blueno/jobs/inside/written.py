"""Which files a job wrote: a line of its folder for each, when it is opened. Standard library only.

Python tells of each file that it opens (PEP 578); of those that libraries open
in C, `listeners/saving.py` tells.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FILE = "written.jsonl"
MOST = 1000  # files of one process
# Of no interest to anybody: parts of paths, and their beginnings.
PARTS = frozenset(
    ("__pycache__", ".git", ".cache", ".config", ".ipynb_checkpoints", ".ipython", ".jupyter", ".local")
)
PLACES = ("/dev/", "/proc/", "/sys/", "/run/")
WRITES = os.O_WRONLY | os.O_RDWR

_noted: set[str] = set()


def install() -> None:
    """Write down from now on what is opened to be written."""
    if os.environ.get("BLUENO_JOB_FOLDER"):
        sys.addaudithook(heard)


def heard(event: str, args: tuple[Any, ...]) -> None:
    """Something happened in this interpreter, and mostly nothing of ours."""
    try:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITES:
                note(args[0])
        elif event == "os.rename" and place_of(args[0]) in _noted:
            note(args[1])
    except Exception:  # nothing of ours may stop the work
        return


def note(path: Any) -> None:
    """Add a line for this path, if it is the first time and a file that somebody may look for."""
    place = place_of(path)
    if place is None or place in _noted or len(_noted) >= MOST:
        return
    if os.path.isdir(place):  # where a temporary file without a name is
        return
    _noted.add(place)
    if _is_left_out(place) or not PARTS.isdisjoint(place.split(os.sep)):
        return
    from json.encoder import encode_basestring_ascii

    file = os.path.join(os.environ["BLUENO_JOB_FOLDER"], FILE)
    _noted.add(file)
    # At once: lines of two processes do not mix.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, encode_basestring_ascii(place).encode() + b"\n")
    finally:
        os.close(descriptor)


def place_of(path: Any) -> str | None:
    """A file's path without links among its folders; None of what has none."""
    if not isinstance(path, str | os.PathLike):
        return None  # a descriptor, or bytes
    folder, name = os.path.split(os.path.abspath(os.fspath(path)))
    return os.path.join(os.path.realpath(folder), name)


def _is_left_out(place: str) -> bool:
    """Whether it lies where nobody looks for what a job made: Python's folders, ours, temporary ones."""
    job = os.environ["BLUENO_JOB_FOLDER"]
    own = [sys.prefix, sys.base_prefix, job, os.environ.get("BLUENO_HOME", job)]
    temporary = os.path.realpath(os.environ.get("TMPDIR", "/tmp"))
    if not os.path.realpath(".").startswith(temporary + os.sep):
        own.append(temporary)
    places = PLACES + tuple(os.path.realpath(one) + os.sep for one in own)
    return os.path.dirname(place) == temporary or place.startswith(places)


def read(lines: Iterable[str]) -> list[str]:
    """The paths, in the order in which they were first opened; what cannot be read is left out."""
    import json

    found: dict[str, None] = {}
    for line in lines:
        try:
            path = json.loads(line)
        except ValueError:
            continue
        if isinstance(path, str) and "\0" not in path:
            found[path] = None
    return list(found)
