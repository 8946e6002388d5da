"""What is said about pixels over the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Plane = Literal["axial", "coronal", "sagittal"]
WireType = Literal["uint8", "int8", "uint16", "int16", "float32"]


class PlaneInfo(Struct, frozen=True):
    """How one plane is drawn.

    `count` slices of `rows` × `columns` pixels, each `row_mm` × `column_mm`.
    `top`, `bottom`, `left`, `right` are the anatomical letters at the edges of
    the picture (radiological convention: the patient's right is on the left),
    empty when the file does not say. Slices are counted from left to right,
    back to front, feet to head; of an array without geometry as it is indexed.
    `to_voxel` is the 3 × 4 matrix that takes ``(index, row, column, 1)`` to
    indices of the three axes of `VolumeInfo.shape`.
    """

    count: int
    rows: int
    columns: int
    row_mm: float
    column_mm: float
    to_voxel: list[list[int]]
    top: str = ""
    bottom: str = ""
    left: str = ""
    right: str = ""


class VolumeInfo(Struct, frozen=True):
    """A volume as the viewer sees it.

    A value is ``stored * slope + intercept`` in `unit`; slices carry the stored
    numbers as `wire_type`, little-endian, row by row from the top left; of a
    volume in colour `channels` uint8 for each pixel.
    `window` and `level` are a good start, in values; `low` and `high` the range
    that was seen. `tag` changes when the file changes.
    """

    name: str
    shape: list[int]
    dtype: str
    wire_type: WireType
    spacing: list[float]
    oriented: bool
    axial: PlaneInfo
    coronal: PlaneInfo
    sagittal: PlaneInfo
    slope: float
    intercept: float
    low: float
    high: float
    window: float
    level: float
    tag: str
    unit: str = ""
    frames: int = 1
    channels: Literal[1, 3, 4] = 1
    inverted: bool = False
    affine: list[list[float]] | None = None
