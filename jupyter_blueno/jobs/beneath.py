"""Files in a folder in which others may put links: none is read that lies elsewhere."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO


def opened(path: Path, root: Path) -> BinaryIO:
    """Open a file for reading if, all links followed, it lies below `root`.

    What was found is looked at before it is opened, and it is that which is
    opened: a link that is exchanged meanwhile leads nowhere else.

    Raises
    ------
    OSError
        ``ELOOP`` if it lies elsewhere or is no regular file; as `open` does.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        same = f"/proc/self/fd/{found}"
        real = Path(os.readlink(same))
        if not real.is_relative_to(os.path.realpath(root)) or not os.path.isfile(same):
            raise OSError(errno.ELOOP, "It leads out of the team's data folder", str(path))
        return os.fdopen(os.open(same, os.O_RDONLY | os.O_CLOEXEC), "rb")
    finally:
        os.close(found)


def lies(path: Path, root: Path) -> bool:
    """Whether no link is on the way from `root` to `path`."""
    return os.path.realpath(path) == os.path.join(os.path.realpath(root), path.relative_to(root))
