"""In-memory arrays as the viewer wants them: what they are, and one slice at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.imaging.model import Plane, PlaneInfo, VolumeInfo, WireType
from jupyter_blueno.imaging.orientation import PLANES, PlaneAxes, layout

if TYPE_CHECKING:
    import numpy as np

_WIRE: dict[str, WireType] = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int8",
    "uint16": "uint16",
    "int16": "int16",
}


class Pixels:
    """Numbers to look at: a volume, or a stack of one or more pictures.

    Parameters
    ----------
    array : numpy.ndarray
        A volume ``(z, y, x)``, or with `stack` pictures ``(N, H, W)`` or
        ``(N, H, W, C)`` with 3 or 4 channels of uint8.
    frames : sequence of numpy.ndarray
        The points of time of a volume, each as `array`, which is the first of them.
    name : str
        Shown as the title.
    stack : bool
        Whether the first axis counts pictures: then only one plane makes sense.
    affine : 4 × 4 nested sequences, optional
        From voxel indices to mm, RAS+; a volume without one is drawn as it is indexed.
    spacing : sequence of 3 float, optional
        mm along the axes, where there is no affine.
    slope, intercept : float
        A value is ``stored * slope + intercept``.
    """

    def __init__(
        self,
        array: np.ndarray,
        *,
        frames: Sequence[np.ndarray] = (),
        name: str = "array",
        stack: bool = False,
        affine: Sequence[Sequence[float]] | None = None,
        spacing: Sequence[float] | None = None,
        slope: float = 1.0,
        intercept: float = 0.0,
    ) -> None:
        _check(array)
        self.array, self.name, self.stack = array, name, stack
        self.frames = frames or (array,)
        self.slope, self.intercept = slope, intercept
        self.affine = None if affine is None else tuple(tuple(map(float, row)) for row in affine)
        self.spacing = self._spacing(spacing)

    def __repr__(self) -> str:
        shape = (*self.array.shape, *([len(self.frames)] if len(self.frames) > 1 else []))
        return f"{self.name} {'×'.join(map(str, shape))} {self.array.dtype}"

    @property
    def channels(self) -> int:
        """1, or 3 or 4 for colour."""
        return self.array.shape[3] if self.array.ndim == 4 else 1

    @cached_property
    def axes(self) -> dict[Plane, PlaneAxes]:
        """How the planes are cut."""
        return layout(self.affine)  # type: ignore[arg-type] # 4 × 4 was checked

    @property
    def wire_type(self) -> WireType:
        """What a slice's numbers are sent as; wide integers and floats as float32."""
        return _WIRE.get(self.array.dtype.name, "float32")

    @cached_property
    def info(self) -> dict[str, Any]:
        """The `VolumeInfo` of the array, with the planes that make sense and the channels."""
        import msgspec
        import numpy as np

        low, high, window, level = self._range()
        planes = {plane: self._plane(plane) for plane in PLANES}
        info = VolumeInfo(
            name=self.name,
            shape=list(self.array.shape),
            dtype=str(self.array.dtype),
            wire_type=self.wire_type,
            spacing=[] if self.stack else list(self.spacing),
            oriented=self.affine is not None,
            **planes,  # type: ignore[arg-type]
            slope=self.slope,
            intercept=self.intercept,
            low=low,
            high=high,
            window=window,
            level=level,
            tag="",
            frames=len(self.frames),
            affine=None if self.affine is None else np.asarray(self.affine).tolist(),
        )
        shown = ["axial"] if self.stack else list(PLANES)
        return {**msgspec.to_builtins(info), "planes": shown, "channels": self.channels}

    def slice(self, plane: Plane, index: int, frame: int = 0) -> np.ndarray:
        """Return the stored numbers of a slice, ``(rows, columns[, channels])``, as they are sent.

        Raises
        ------
        InvalidInput
            ``slice_missing`` or ``frame_missing``.
        """
        import numpy as np

        count = self.array.shape[self.axes[plane].slices.axis]
        if not 0 <= index < count:
            raise InvalidInput(
                f"There are {count} {plane} slices; there is no {index}.", code="slice_missing"
            )
        if not 0 <= frame < len(self.frames):
            raise InvalidInput(
                f"There are {len(self.frames)} frames; there is no {frame}.", code="frame_missing"
            )
        array = self.frames[frame]
        cut = np.asarray(array[index] if self.stack else self.axes[plane].cut(array, index))
        if cut.dtype.kind == "c":
            cut = np.abs(cut)
        return np.ascontiguousarray(cut, np.dtype(self.wire_type).newbyteorder("<"))

    def picture(self, plane: Plane, index: int, window: float, level: float, frame: int = 0) -> np.ndarray:
        """Return a slice as uint8, as it is on the screen with this window."""
        import numpy as np

        values = self.slice(plane, index, frame) * np.float32(self.slope) + np.float32(self.intercept)
        part = (values - (level - window / 2)) / window
        return np.asarray(np.nan_to_num(part, nan=0.0).clip(0, 1) * 255 + 0.5).astype(np.uint8)

    def _plane(self, plane: Plane) -> PlaneInfo:
        axes = self.axes[plane]
        shape, (slices, rows, columns) = self.array.shape, (axes.slices, axes.rows, axes.columns)
        return PlaneInfo(
            count=shape[slices.axis],
            rows=shape[rows.axis],
            columns=shape[columns.axis],
            row_mm=self.spacing[rows.axis],
            column_mm=self.spacing[columns.axis],
            to_voxel=axes.to_voxel(shape),
            top=rows.first,
            bottom=rows.last,
            left=columns.first,
            right=columns.last,
        )

    def _spacing(self, given: Sequence[float] | None) -> tuple[float, float, float]:
        import numpy as np

        if self.affine is not None:
            given = np.linalg.norm(np.asarray(self.affine)[:3, :3], axis=0).tolist()
        mm = [float(value) for value in given or (1, 1, 1)]
        if len(mm) != 3 or not all(0 < value < float("inf") for value in mm):
            raise InvalidInput(
                f"spacing is three lengths in mm above zero, not {given!r}.", code="bad_spacing"
            )
        return mm[0], mm[1], mm[2]

    def _range(self) -> tuple[float, float, float, float]:
        """Lowest and highest value that was seen, and the window and level to begin with."""
        import numpy as np

        from jupyter_blueno.imaging.window import display_range, subsample

        if self.array.dtype == np.bool_:
            return 0.0, 1.0, 1.0, 0.5
        if (self.stack or self.channels > 1) and self.array.dtype == np.uint8:
            return 0.0, 255.0, 255.0, 127.5
        # A few slices of what may be far bigger than memory.
        few = self.frames[:: max(1, len(self.frames) // 3)]
        some = np.concatenate([np.asarray(subsample(one)) for one in few])
        some = (np.abs(some) if some.dtype.kind == "c" else some).astype(np.float32)
        values = some * np.float32(self.slope) + np.float32(self.intercept)
        dark, bright = display_range(values, self.name)
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (dark, bright)
        return low, high, (bright - dark) or 1.0, (bright + dark) / 2


def _check(array: np.ndarray) -> None:
    if array.dtype.kind not in "biufc":
        raise InvalidInput(
            f"An array of {array.dtype} has no brightness to show. Convert it to numbers first: "
            "x.astype('float32').",
            code="bad_dtype",
        )
    if 0 in array.shape:
        raise InvalidInput(f"An array of shape {array.shape} is empty: nothing to show.", code="empty")
