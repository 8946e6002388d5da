"""A volume: its numbers, its geometry, its slices."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.imaging.formats.base import Header, Voxels
from jupyter_blueno.imaging.model import Plane
from jupyter_blueno.imaging.orientation import PlaneAxes, layout
from jupyter_blueno.imaging.reading import array_of

if TYPE_CHECKING:
    import numpy as np


class Volume:
    """A volume in a file. Its numbers are read when first asked for: mapped where the format allows.

    Attributes
    ----------
    header : Header
    name : str
        The file's.
    """

    def __init__(self, path: Path, header: Header, voxels: Voxels) -> None:
        self.path, self.header, self.name = path, header, path.name
        self._voxels = voxels

    @classmethod
    def of_array(cls, array: np.ndarray, name: str = "the array") -> Volume:
        """A volume in memory, ``(Z, Y, X)`` or ``(T, Z, Y, X)``, without geometry.

        Raises
        ------
        InvalidInput
            ``wrong_axes``.
        """
        import numpy as np

        if array.ndim not in (3, 4):
            raise InvalidInput(f"A volume is an array (Z, Y, X), not {array.shape}.", code="wrong_axes")
        frames = array.shape[0] if array.ndim == 4 else 1
        made = cls.__new__(cls)
        made.path, made.name = Path(name), name
        made.header = Header("volume3d", array.shape[-3:], array.dtype.name, frames=frames)
        made.stored = np.moveaxis(array, 0, -1) if array.ndim == 4 else array
        return made

    def __repr__(self) -> str:
        return f"<Volume '{self.name}' {'×'.join(map(str, self.shape))} {self.header.dtype}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The three voxel axes in the file's order, and frames or channels last if there are several."""
        return self.header.array_shape

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """mm along the three voxel axes."""
        return self.header.spacing

    @property
    def affine(self) -> np.ndarray | None:
        """4 × 4, voxel indices to RAS+ mm."""
        import numpy as np

        return None if self.header.affine is None else np.array(self.header.affine)

    @cached_property
    def stored(self) -> np.ndarray:
        """The file's numbers as they are, of `shape`; read-only where they are mapped."""
        return array_of(self._voxels, self.name)

    def numpy(self) -> np.ndarray:
        """Return the values: stored numbers times slope plus intercept (float32), or as they are."""
        import numpy as np

        slope, intercept = self.header.slope, self.header.intercept
        if (slope, intercept) == (1.0, 0.0):
            return self.stored
        return self.stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)

    def frame(self, number: int) -> np.ndarray:
        """Return the stored numbers of one time point: three axes, and the channels of colour."""
        return self.stored[..., number] if self.header.frames > 1 else self.stored

    @cached_property
    def planes(self) -> dict[Plane, PlaneAxes]:
        """How the planes are cut."""
        return layout(self.header.affine, self.header.oriented)

    def count(self, plane: Plane) -> int:
        """How many slices a plane has."""
        return self.header.shape[self.planes[plane].slices.axis]

    def check_slice(self, plane: Plane, index: int, frame: int = 0) -> None:
        """Refuse a slice that is not there.

        Raises
        ------
        InvalidInput
            ``slice_missing`` or ``frame_missing``.
        """
        if not 0 <= index < self.count(plane):
            raise InvalidInput(
                f"'{self.name}' has {self.count(plane)} {plane} slices; there is no slice {index}.",
                code="slice_missing",
            )
        if not 0 <= frame < self.header.frames:
            raise InvalidInput(
                f"'{self.name}' has {self.header.frames} frames; there is no frame {frame}.",
                code="frame_missing",
            )

    def slice(self, plane: Plane, index: int, frame: int = 0) -> np.ndarray:
        """Return the stored numbers of a slice as it is drawn: rows from the top, columns, channels.

        Raises
        ------
        InvalidInput
            ``slice_missing`` or ``frame_missing``.
        """
        self.check_slice(plane, index, frame)
        return self.planes[plane].cut(self.frame(frame), index)
