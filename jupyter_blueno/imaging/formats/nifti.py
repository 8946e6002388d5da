"""NIfTI-1 and NIfTI-2: .nii and .nii.gz."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from jupyter_blueno.errors import UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Affine, Derived, Format, Header, Mapped, Voxels
from jupyter_blueno.imaging.reading import gunzip

_GZIP = b"\x1f\x8b"
_MAGIC_1, _MAGIC_2 = (b"n+1\0",), (b"n+2\0",)
_HEAD_BYTES = 4096  # more than the headers of both versions


class Nifti(Format):
    """Brain images in one file. Axes are ``(i, j, k)`` and perhaps time, as nibabel gives them.

    Left and right count as known when the file has an sform or a qform.
    """

    name: ClassVar[str] = "nifti"
    suffixes: ClassVar[tuple[str, ...]] = (".nii", ".nii.gz")

    def claims(self, path: Path, head: bytes) -> bool:
        if head.startswith(_GZIP):
            try:
                head = zlib.decompressobj(wbits=31).decompress(head, 512)
            except zlib.error:
                return False
        return head[344:348] in _MAGIC_1 or head[4:8] in _MAGIC_2

    def header(self, path: Path, key: str | None = None) -> Header:
        return _read(path)[0]

    def voxels(self, path: Path, key: str | None = None) -> tuple[Header, Voxels]:
        import numpy as np

        header, raw, packed = _read(path)
        dtype = raw.get_data_dtype()
        shape = tuple(int(n) for n in raw.get_data_shape())
        offset = int(raw.get_data_offset())
        stored = (*header.shape, header.frames) if header.frames > 1 else header.shape
        axes = tuple(range(len(stored)))
        limits.check_volume(path.name, shape, dtype.itemsize)
        if header.channels > 1:  # the channels of a voxel lie beside each other
            dtype, stored, axes = np.dtype(np.uint8), (header.channels, *stored), (1, 2, 3, 0)
        if not packed:
            return header, Mapped(str(path), offset, dtype, stored, "F", axes)

        def blocks() -> Iterator[memoryview]:
            skip = offset
            for piece in gunzip(str(path)):
                view = memoryview(piece)[skip:]
                skip = max(skip - len(piece), 0)
                if view:
                    yield view

        return header, Derived(blocks, dtype, stored, "F", axes)


def _read(path: Path) -> tuple[Header, Any, bool]:
    """The header as we and as nibabel say it, and whether the file is compressed."""
    import nibabel
    import numpy as np
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    name = path.name
    head, packed, size = _start(path)
    cls: Any = nibabel.Nifti2Header if head[4:8] in _MAGIC_2 else nibabel.Nifti1Header
    try:
        raw = cls.from_fileobj(io.BytesIO(head), check=False)
        dims = [int(n) for n in raw["dim"]]
        if not 1 <= dims[0] <= 7:
            raise HeaderDataError(f"{dims[0]} axes")
        shape = tuple(dims[1 : 1 + dims[0]])
        dtype = raw.get_data_dtype()
        item = limits.check_volume(name, shape, dtype.itemsize)  # before any sum with the sizes
        offset = int(raw.get_data_offset())
        slope, intercept = raw.get_slope_inter()
        coded = int(raw["sform_code"]) > 0 or int(raw["qform_code"]) > 0
        if not coded and min(float(v) for v in raw["pixdim"][1:4]) < 0:
            raise _bad_geometry(name, "a voxel size is negative")
        affine = np.asarray(raw.get_best_affine(), float)
    except (HeaderDataError, WrapStructError, ValueError, KeyError, OverflowError, EOFError) as error:
        raise UnreadableData(
            f"'{name}' does not have the header of a NIfTI file ({error}). Export it again.",
            code="broken_header",
        ) from error
    colours = len(dtype.names or ())
    if not colours and (dtype.kind not in "biuf" or dtype.itemsize > 8):
        what = {"c": "complex numbers"}.get(dtype.kind, str(dtype))
        raise UnreadableData(
            f"'{name}' holds {what}; volumes of colours or of real numbers of up to 64 bits are read. "
            "Save the magnitude as a file of its own.",
            code="unsupported_dtype",
        )
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 4:
        raise UnreadableData(f"'{name}' has {len(shape)} axes; a volume has 3 or 4.", code="wrong_axes")
    if len(shape) > 3 and colours:
        raise UnreadableData(
            f"'{name}' is in colour and has {shape[3]} time points. Save each as a file of its own.",
            code="colour_volume",
        )
    shape = (*shape, 1, 1)[: max(3, len(shape))]
    if not packed:
        limits.check_length(name, size, offset + item)
    else:
        limits.check_derived(name, item)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not np.isfinite(affine).all() or not (spacing > 0).all():
        raise _bad_geometry(name, "a voxel size is zero or not a number")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
        raise _bad_geometry(name, "two of its axes point the same way")
    facts = Header(
        "volume3d", shape[:3], "uint8" if colours else dtype.newbyteorder("=").name,
        spacing=tuple(float(v) for v in spacing), affine=_nested(affine), oriented=coded,
        frames=shape[3] if len(shape) == 4 else 1, channels=colours or 1,
        slope=1.0 if slope is None or colours else float(slope),
        intercept=0.0 if intercept is None or colours else float(intercept),
    )  # fmt: skip
    return facts, raw, packed


def _start(path: Path) -> tuple[bytes, bool, int]:
    """The first bytes, uncompressed; whether the file is compressed; its size."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, io.SEEK_END)
    if not head.startswith(_GZIP):
        return head, False, size
    try:
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES), True, size
    except zlib.error as error:
        raise UnreadableData(
            f"'{path.name}' is not a gzip file, whatever its name says ({error}).", code="broken_data"
        ) from error


def _nested(affine: Any) -> Affine:
    return tuple(tuple(float(v) for v in row) for row in affine)  # type: ignore[misc]


def _bad_geometry(name: str, what: str) -> UnreadableData:
    return UnreadableData(
        f"The geometry of '{name}' cannot be right: {what}. Correct its affine, e.g. with nibabel.",
        code="bad_affine",
    )
