"""What a format is, and what it says about a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image as PILImage

Kind = Literal["image2d", "volume3d"]
Affine = tuple[tuple[float, float, float, float], ...]  # 4 × 4, voxel indices to RAS+ mm


class Header(Struct, frozen=True):
    """What is known of a picture or volume before its pixels are read.

    Attributes
    ----------
    kind : 'image2d' or 'volume3d'
    shape : tuple of int
        ``(H, W)`` or ``(H, W, C)`` of a picture as it is seen; the three voxel
        axes of a volume in the file's own order.
    dtype : str
        Of the stored numbers, numpy's name (``int16``).
    spacing : tuple of float, optional
        mm along the first two axes of a picture, or the three of a volume.
    affine : 4 × 4 nested tuples, optional
        From voxel indices to mm, RAS+; None where the file has no geometry.
    oriented : bool
        Whether left and right, front and back are known, and not just assumed.
    frames : int
        Time points (the fourth axis).
    channels : 1, 3 or 4
        Of a volume's voxels: colours are the last axis of its numbers, uint8.
    slope, intercept : float
        A value is ``stored * slope + intercept``.
    unit : str
        Of a value; ``HU`` or empty.
    inverted : bool
        Low values are drawn bright (DICOM's MONOCHROME1).
    window, level : float, optional
        The display range that the file asks for, in values.
    """

    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    spacing: tuple[float, ...] | None = None
    affine: Affine | None = None
    oriented: bool = False
    frames: int = 1
    channels: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    inverted: bool = False
    window: float | None = None
    level: float | None = None

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Of all numbers: frames or channels come last where there are several."""
        more = tuple(n for n in (self.frames, self.channels) if n > 1)
        return (*self.shape, *more) if self.kind == "volume3d" else self.shape


@dataclass(frozen=True)
class Mapped:
    """Voxels that lie uncompressed in one file: a memory map reads them in place.

    `dtype` is numpy's, with the byte order; `shape` and `order` are of the
    bytes in the file; `axes` transposes that array to three voxel axes of the
    header, and the frames or channels last if there are several.
    """

    path: str
    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Derived:
    """Voxels that must be decompressed or assembled first.

    `blocks` yields the array's bytes from beginning to end, in pieces of any
    length; `block`, where it is not None, reads element ``n`` of the first
    (slowest) axis alone. The other fields are those of `Mapped`.
    """

    blocks: Callable[[], Iterator[bytes | memoryview]]
    dtype: np.dtype
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    axes: tuple[int, ...]
    block: Callable[[int], np.ndarray] | None = None


Voxels = Mapped | Derived


class Format(ABC):
    """Reads one kind of file. Instances hold no state and may be used from threads.

    Every method takes the real path of a file (or a folder, for formats whose
    item is a folder) and a `key` that says which item where a file holds many.
    All raise `UnreadableData` for what cannot be read and `TooLarge` for what
    is over a limit, before memory is asked for it.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]  # lower case, with the dot; '' is a folder

    @abstractmethod
    def claims(self, path: Path, head: bytes) -> bool:
        """Whether the content looks like this format; `head` is the first 512 bytes."""

    @abstractmethod
    def header(self, path: Path, key: str | None = None) -> Header:
        """Read what is known without the pixels; milliseconds, whatever the size."""

    def picture(self, path: Path, key: str | None = None) -> PILImage.Image | np.ndarray:
        """Return a 2D picture: a Pillow image, perhaps not decoded yet, or ``(H, W[, C])`` numbers."""
        raise _wrong_kind(path, "a volume, not a picture")

    def voxels(self, path: Path, key: str | None = None) -> tuple[Header, Voxels]:
        """Return where the numbers of a volume are. A single slice counts as a volume of one."""
        raise _wrong_kind(path, "a picture, not a volume")

    def encoded(self, path: Path, key: str | None = None) -> tuple[str, bytes] | None:
        """Return media type and bytes if a browser shows the item as it is stored, else None."""
        return None

    def stamp(self, path: Path) -> tuple[int, int]:
        """Return modification time (ns) and size: other numbers mean other content."""
        status = path.stat()
        return status.st_mtime_ns, status.st_size


def _wrong_kind(path: Path, what: str) -> Exception:
    from jupyter_blueno.errors import UnreadableData

    return UnreadableData(f"'{path.name}' is {what}.", code="wrong_kind")
