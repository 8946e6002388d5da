"""What is refused before memory is asked for.

Files come from strangers: a header is believed only as far as these limits and
the size of the file allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from jupyter_blueno.errors import TooLarge, UnreadableData

PIXELS = 178_956_970  # of a 2D picture; also where Pillow gives up
SIDE = 65_535  # pixels along one side of a 2D picture
PICTURE_BYTES = 1 << 31  # of one decoded 2D picture
VOXEL_AXIS = 1_000_000  # voxels along one axis, or frames
DERIVED_BYTES = 16 << 30  # of a volume that must be decompressed or assembled
MEMORY_BYTES = 4 << 30  # of a volume decompressed into memory rather than a file
SERIES_FILES = 20_000  # files of a DICOM folder
PIXEL_LIMIT_WORDS = f"{PIXELS // 1_000_000} million pixels"


def check_picture(name: str, height: int, width: int, sample_bytes: int = 1) -> None:
    """Refuse a picture of `height` × `width` pixels of `sample_bytes` each, if it is out of bounds.

    Raises
    ------
    UnreadableData
        ``empty_image`` if a side is zero.
    TooLarge
        ``too_many_pixels``.
    """
    if height < 1 or width < 1:
        raise UnreadableData(
            f"'{name}' has no pixels ({width} × {height}). Export it again, or leave it out.",
            code="empty_image",
        )
    if max(height, width) > SIDE or height * width > PIXELS or height * width * sample_bytes > PICTURE_BYTES:
        raise TooLarge(
            f"'{name}' has {width:,} × {height:,} pixels; pictures up to {PIXEL_LIMIT_WORDS} are read. "
            "Cut it into tiles or scale it down first.",
            code="too_many_pixels",
        )


def check_volume(name: str, shape: Sequence[int], item_bytes: int) -> int:
    """Return the bytes of a volume of `shape`, or refuse it.

    Raises
    ------
    UnreadableData
        ``empty_image`` if an axis is zero or negative.
    TooLarge
        ``too_many_voxels`` if an axis has more than a million.
    """
    if not shape or min(shape) < 1:
        raise UnreadableData(
            f"'{name}' has no voxels (shape {_words(shape)}). Export it again, or leave it out.",
            code="empty_image",
        )
    if max(shape) > VOXEL_AXIS:
        raise TooLarge(
            f"'{name}' says it has {_words(shape)} voxels; up to {VOXEL_AXIS:,} along an axis are read.",
            code="too_many_voxels",
        )
    return math.prod(shape) * item_bytes


def check_derived(name: str, size: int, limit: int = DERIVED_BYTES) -> None:
    """Refuse what would take more than `limit` bytes once decompressed.

    Raises
    ------
    TooLarge
        ``too_many_bytes``.
    """
    if size > limit:
        raise TooLarge(
            f"'{name}' takes {size / 2**30:,.1f} GiB when decompressed; up to {limit / 2**30:,.0f} GiB "
            "are read. Store it uncompressed (.nii, .npy), which is read in place.",
            code="too_many_bytes",
        )


def check_length(name: str, there: int, needed: int) -> None:
    """Refuse a file with fewer bytes than its header says.

    Raises
    ------
    UnreadableData
        ``truncated``.
    """
    if there < needed:
        raise UnreadableData(
            f"'{name}' is cut off: its header needs {needed:,} bytes and there are {there:,}. "
            "Copy or export it again.",
            code="truncated",
        )


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, or of its container."""
    import psutil

    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        cached = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        if limit != "max":
            free = min(free, int(limit) - used + int(cached.get("inactive_file", 0)))
    except (OSError, ValueError):
        pass  # no such limits here
    return max(0, free)


def _words(shape: Sequence[int]) -> str:
    return " × ".join(f"{n:,}" for n in shape) or "none"
