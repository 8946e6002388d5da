"""Moving files within a data folder, in which others can put links at any time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from jupyter_blueno.errors import OutsideRoots


def move_below(home: Path, source: Path, place: Path) -> None:
    """Rename a folder of `home` to a place that has a name by itself there; its folders are made.

    No link is followed below `home`, so nothing is moved out of it.

    Raises
    ------
    OutsideRoots
        If the place is elsewhere.
    """
    with _folder(home, source.parent) as origin, _folder(home, place.parent, make=True) as aim:
        os.rename(source.name, place.name, src_dir_fd=origin, dst_dir_fd=aim)


@contextlib.contextmanager
def _folder(home: Path, path: Path, make: bool = False) -> Iterator[int]:
    """A folder below `home`, opened from part to part."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    opened = os.open(home, flags)
    try:
        for part in _parts(home, path):
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=opened)
            try:
                below = os.open(part, flags | os.O_NOFOLLOW, dir_fd=opened)
            except NotADirectoryError:
                raise _elsewhere(path) from None
            os.close(opened)
            opened = below
        yield opened
    finally:
        os.close(opened)


def _parts(home: Path, path: Path) -> tuple[str, ...]:
    parts = path.relative_to(home).parts if path.is_relative_to(home) else ("..",)
    if ".." in parts:
        raise _elsewhere(path)
    return parts


def _elsewhere(path: Path) -> OutsideRoots:
    return OutsideRoots(
        f"The run keeps its files in {path}, which is not the data folder's. Use another run."
    )
