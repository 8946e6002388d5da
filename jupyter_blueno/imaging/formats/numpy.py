"""Arrays: .npy and .npz."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Literal

from jupyter_blueno.errors import InvalidInput, NotFound, UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Derived, Format, Header, Mapped, Voxels
from jupyter_blueno.imaging.reading import array_of

if TYPE_CHECKING:
    import numpy as np

_HEADER_CHARACTERS = 10_000
_PIECE = 1 << 20
COLOURS = (3, 4)  # channels of a picture or volume in colour


class Numpy(Format):
    """Arrays as numpy saves them; objects are never unpickled.

    ``(H, W)`` and ``(H, W, C)`` with 1, 3 or 4 channels are pictures;
    ``(Z, Y, X)`` is a volume whose first axis is drawn as axial,
    ``(T, Z, Y, X)`` one with frames, ``(Z, Y, X, 3)`` of uint8 one in colour.
    A key that is a number picks that row of the first axis: ``(N, H, W[, C])``
    with key ``"123"`` is picture 123. In an .npz the key begins with the
    array's name, ``x_train/123``; without one the only array is meant.
    """

    name: ClassVar[str] = "numpy"
    suffixes: ClassVar[tuple[str, ...]] = (".npy", ".npz")

    def claims(self, path: Path, head: bytes) -> bool:
        if head.startswith(b"\x93NUMPY"):
            return True
        return head.startswith(b"PK") and path.suffix.lower() == ".npz"

    def header(self, path: Path, key: str | None = None) -> Header:
        where = _locate(path, key)
        return _header(path.name, where.item_shape, where.dtype)

    def picture(self, path: Path, key: str | None = None) -> np.ndarray:

        where = _locate(path, key)
        header = _header(path.name, where.item_shape, where.dtype)
        if header.kind != "image2d":
            raise UnreadableData(f"'{path.name}' holds a volume, not a picture.", code="wrong_kind")
        return array_of(where.voxels(path), path.name)

    def voxels(self, path: Path, key: str | None = None) -> tuple[Header, Voxels]:
        where = _locate(path, key)
        header = _header(path.name, where.item_shape, where.dtype)
        if len(header.shape) == 3 and header.kind == "image2d":
            raise UnreadableData(f"'{path.name}' is a colour picture, not a volume.", code="wrong_kind")
        if header.kind == "image2d":
            voxels = where.voxels(path)
            shape = (1, *header.shape)
            return Header("volume3d", shape, header.dtype), replace(voxels, shape=shape, axes=(0, 1, 2))
        return header, where.voxels(path)


class _Located:
    """Where an array lies: its member of a zip or None, and what its header says."""

    def __init__(self, member: str | None, row: str | None, size: int, file: BinaryIO, name: str) -> None:
        self.member = member
        self.shape, self.order, self.dtype = _read_header(file, name)
        self.offset = file.tell()
        needed = self.offset + limits.check_volume(name, self.shape, self.dtype.itemsize)
        limits.check_length(name, size, needed)
        self.row = _row(row)
        if self.row is not None and self.row >= self.shape[0]:
            raise NotFound(f"'{name}' has {self.shape[0]} rows; there is no row {row}.", code="row_missing")
        self.item_shape = self.shape if self.row is None else self.shape[1:]

    def voxels(self, path: Path) -> Voxels:
        shape, offset = self.shape, self.offset
        if self.row is not None:
            if self.order == "F" and len(shape) > 1:
                raise UnreadableData(
                    f"'{path.name}' is stored column by column, so that its rows cannot be read alone. "
                    "Save it again with numpy.ascontiguousarray.",
                    code="wrong_order",
                )
            shape = shape[1:]
            offset += self.row * self.dtype.itemsize * _product(shape)
        with_frames = len(shape) == 4 and shape[3] not in COLOURS
        axes = (1, 2, 3, 0) if with_frames else tuple(range(len(shape)))
        if self.member is None:
            return Mapped(str(path), offset, self.dtype, shape, self.order, axes)
        size = self.dtype.itemsize * _product(shape)
        limits.check_derived(path.name, size)
        member = self.member

        def blocks() -> Iterator[bytes]:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                left = offset
                while left:
                    left -= len(file.read(min(left, _PIECE))) or left
                left = size
                while left and (piece := file.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece

        return Derived(blocks, self.dtype, shape, self.order, axes)


def _locate(path: Path, key: str | None) -> _Located:
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                file.seek(0)
                return _Located(None, key, path.stat().st_size, file, path.name)
        with zipfile.ZipFile(path) as archive:
            names = {i.filename[:-4]: i for i in archive.infolist() if i.filename.endswith(".npy")}
            array, row = _split_key(key, list(names), path.name)
            entry = names[array]
            with archive.open(entry) as member:
                return _Located(entry.filename, row, entry.file_size, member, path.name)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UnreadableData(
            f"'{path.name}' is damaged ({error}). Save it again with numpy.", code="broken_array"
        ) from error


def _split_key(key: str | None, names: list[str], file: str) -> tuple[str, str | None]:
    """The array's name and the row: ``name``, ``name/row``, or ``row`` of the only array."""
    if key is not None:
        head, _, tail = key.rpartition("/")
        if key in names:
            return key, None
        if head in names:
            return head, tail
    if len(names) == 1 and (key is None or key.isdecimal()):
        return names[0], key
    listed = ", ".join(names[:20]) or "none"
    raise NotFound(
        f"'{file}' holds the arrays {listed}; say which one as the key, not {key!r}.", code="array_missing"
    )


def _row(key: str | None) -> int | None:
    if key is None or key == "":
        return None
    if not key.isdecimal() or len(key) > 12:
        raise InvalidInput(f"The key of an array is the number of a row, not {key[:40]!r}.", code="bad_key")
    return int(key)


def _read_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype]:
    import numpy as np
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file, max_header_size=_HEADER_CHARACTERS)
    except (ValueError, EOFError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UnreadableData(
            f"'{name}' is not an array as numpy saves it. Save it again with numpy.save.",
            code="broken_array",
        ) from error
    if dtype.hasobject:
        raise UnreadableData(
            f"'{name}' holds Python objects, which are never loaded because that runs code from the file. "
            "Save numbers: numpy.save(file, array.astype('float32')).",
            code="object_array",
        )
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise UnreadableData(
            f"'{name}' holds {dtype}, not real numbers of up to 64 bits. Convert it, e.g. to float32.",
            code="unsupported_dtype",
        )
    return tuple(int(n) for n in shape), "F" if fortran else "C", np.dtype(dtype)


def _header(name: str, shape: tuple[int, ...], dtype: np.dtype) -> Header:
    plain = dtype.newbyteorder("=").name
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, *COLOURS)):
        limits.check_picture(name, shape[0], shape[1], dtype.itemsize * _product(shape[2:]))
        return Header("image2d", shape, plain)
    if len(shape) == 3:
        return Header("volume3d", shape, plain)
    if len(shape) == 4 and shape[3] not in COLOURS:
        return Header("volume3d", shape[1:], plain, frames=shape[0])
    if len(shape) == 4 and plain != "uint8":
        raise UnreadableData(
            f"'{name}' is a volume in colour of {plain}; those of uint8 are read. Bring its values to "
            "0 … 255 first: array.astype('uint8').",
            code="colour_volume",
        )
    if len(shape) == 4:
        return Header("volume3d", shape[:3], plain, channels=shape[3])
    raise UnreadableData(
        f"'{name}' has {len(shape)} axes; a picture has 2 or 3 and a volume 3 or 4.", code="wrong_axes"
    )


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for n in shape:
        result *= n
    return result
