"""From where voxels are to an array of them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jupyter_blueno.errors import TooLarge, UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Derived, Mapped, Voxels

if TYPE_CHECKING:
    import numpy as np

_PIECE = 1 << 20


def array_of(voxels: Voxels, name: str) -> np.ndarray:
    """Return stored numbers with the header's axes: mapped in place, or read into memory.

    Parameters
    ----------
    voxels : Mapped or Derived
    name : str
        Of the file, for the errors.

    Raises
    ------
    UnreadableData
        ``truncated`` or ``broken_data``.
    TooLarge
        If it must be decompressed and takes over 4 GiB.
    """
    if isinstance(voxels, Mapped):
        return mapped(voxels, name)
    import numpy as np

    size = limits.check_volume(name, voxels.shape, voxels.dtype.itemsize)
    limits.check_derived(name, size, limits.MEMORY_BYTES)
    try:
        flat = np.empty(size, np.uint8)
    except MemoryError as error:
        raise TooLarge(f"'{name}' takes {size / 2**30:.1f} GiB of memory.", code="too_many_bytes") from error
    target = flat.data
    filled = 0
    for piece in checked_blocks(voxels, name):
        target[filled : filled + len(piece)] = piece
        filled += len(piece)
    return flat.view(voxels.dtype).reshape(voxels.shape, order=voxels.order).transpose(voxels.axes)


def mapped(voxels: Mapped, name: str) -> np.ndarray:
    """Map the numbers of an uncompressed file, read-only."""
    import numpy as np

    try:
        array = np.memmap(
            voxels.path, voxels.dtype, "r", voxels.offset, shape=voxels.shape, order=voxels.order
        )
    except (OSError, ValueError) as error:
        raise UnreadableData(f"'{name}' cannot be read ({error}).", code="cannot_open") from error
    return array.view(np.ndarray).transpose(voxels.axes)


def checked_blocks(voxels: Derived, name: str) -> Iterator[memoryview]:
    """The array's bytes, exactly as many as it has.

    Raises
    ------
    UnreadableData
        ``truncated`` if there are fewer, ``broken_data`` if they cannot be decompressed.
    """
    needed = limits.check_volume(name, voxels.shape, voxels.dtype.itemsize)
    done = 0
    try:
        for piece in voxels.blocks():
            view = memoryview(piece).cast("B")[: needed - done]
            done += len(view)
            yield view
            if done == needed:
                return
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise UnreadableData(
            f"'{name}' is damaged ({error}). Copy or export it again.", code="broken_data"
        ) from error
    limits.check_length(name, done, needed)


def gunzip(path: str) -> Iterator[bytes]:
    """Decompress a .gz file in pieces; members that follow each other are one stream."""
    with open(path, "rb") as file:
        stream = zlib.decompressobj(wbits=31)
        began = False
        rest = b""
        while data := rest or file.read(_PIECE):
            piece = stream.decompress(data, 8 * _PIECE)
            began = True
            if piece:
                yield piece
            rest = stream.unconsumed_tail
            if stream.eof:
                rest = stream.unused_data.lstrip(b"\0")  # some writers pad
                stream, began = zlib.decompressobj(wbits=31), False
        if began and (piece := stream.flush()):
            yield piece
