"""How voxel axes lie on the screen.

Pictures follow the radiological convention: axial is seen from the feet, with
the patient's right on the left and the front on top; coronal from the front;
sagittal from the left side, the face to the left. Slices are counted in the
directions R, A and S. An oblique volume is drawn along its nearest axes.
Without geometry an array ``(z, y, x)`` is drawn as it is indexed: nothing is
turned, the first axis is axial.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from jupyter_blueno.imaging.formats.base import Affine
from jupyter_blueno.imaging.model import Plane

if TYPE_CHECKING:
    import numpy as np

PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # of the low and the high end of R, A, S


@dataclass(frozen=True)
class Axis:
    """A voxel axis, and whether it is walked backwards."""

    axis: int
    reverse: bool
    first: str = ""  # letter at the beginning of the walk
    last: str = ""

    def backwards(self) -> Axis:
        return Axis(self.axis, not self.reverse, self.last, self.first)


@dataclass(frozen=True)
class PlaneAxes:
    """The voxel axes of a plane's slices, rows (downwards) and columns (to the right)."""

    slices: Axis
    rows: Axis
    columns: Axis

    def cut(self, volume: np.ndarray, index: int) -> np.ndarray:
        """A view on slice `index` of `volume` (three axes, perhaps channels), rows from the top."""
        return self.turn(_pick(volume, self.slices.axis, self.at(volume.shape, index)))

    def at(self, shape: tuple[int, ...], index: int) -> int:
        """The voxel index of slice `index` along its axis."""
        return shape[self.slices.axis] - 1 - index if self.slices.reverse else index

    def turn(self, picture: np.ndarray) -> np.ndarray:
        """A slice whose two voxel axes are in the file's order, as it is drawn."""
        if self.rows.axis > self.columns.axis:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.rows.reverse else 1, :: -1 if self.columns.reverse else 1]

    def to_voxel(self, shape: tuple[int, ...]) -> list[list[int]]:
        """The 3 × 4 matrix that takes ``(index, row, column, 1)`` to voxel indices."""
        matrix = [[0, 0, 0, 0] for _ in range(3)]
        for place, one in enumerate((self.slices, self.rows, self.columns)):
            matrix[one.axis][place] = -1 if one.reverse else 1
            matrix[one.axis][3] = shape[one.axis] - 1 if one.reverse else 0
        return matrix


def layout(affine: Affine | None, oriented: bool = True) -> dict[Plane, PlaneAxes]:
    """How the three planes of a volume are cut.

    Parameters
    ----------
    affine : 4 × 4 nested tuples, optional
        Voxel indices to RAS+ mm. Without one the axes are ``(z, y, x)``.
    oriented : bool
        Whether the edges get letters.
    """
    if affine is None:
        z, y, x = Axis(0, False), Axis(1, False), Axis(2, False)
        return {"axial": PlaneAxes(z, y, x), "coronal": PlaneAxes(y, z, x), "sagittal": PlaneAxes(x, z, y)}
    r, a, s = _nearest(affine, oriented)
    return {
        "axial": PlaneAxes(s, a.backwards(), r.backwards()),
        "coronal": PlaneAxes(a, s.backwards(), r.backwards()),
        "sagittal": PlaneAxes(r, s.backwards(), a.backwards()),
    }


def _nearest(affine: Affine, oriented: bool) -> tuple[Axis, Axis, Axis]:
    """The voxel axes nearest to R, A and S: those whose cosines with them sum to the most."""
    lengths = [sum(affine[row][column] ** 2 for row in range(3)) ** 0.5 or 1.0 for column in range(3)]
    cosines = [[affine[row][column] / lengths[column] for column in range(3)] for row in range(3)]
    best = max(permutations(range(3)), key=lambda p: sum(abs(cosines[row][p[row]]) for row in range(3)))
    axes = []
    for row, column in enumerate(best):
        reverse = cosines[row][column] < 0
        low, high = _LETTERS[row] if oriented else ("", "")
        axes.append(Axis(column, reverse, low, high))
    return axes[0], axes[1], axes[2]


def _pick(volume: np.ndarray, axis: int, at: int) -> np.ndarray:
    index: list[slice | int] = [slice(None)] * volume.ndim
    index[axis] = at
    picture: np.ndarray = volume[tuple(index)]
    return picture
