"""`ArrayView`: an array in memory, to look at and to steer from Python."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any, cast

import anywidget
import traitlets

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.imaging.model import Plane
from jupyter_blueno.widgets.pixels import Pixels

_STATIC = Path(__file__).parent / "static"
MIME = "application/vnd.blueno.array+json"
_SIDE = 512  # pixels of the picture that stays in the notebook


class ArrayView(anywidget.AnyWidget):
    """The viewer on an array of this kernel; slices travel one by one, when they are looked at.

    Parameters
    ----------
    pixels : Pixels
    **traits
        Any of those below.

    Attributes
    ----------
    plane : {'axial', 'coronal', 'sagittal'}
        The plane that `index` counts; first, second and last axis of a plain array.
    index : int
        The slice of `plane` on the screen, from 0.
    frame : int
        The point of time, from 0, of a volume that has several.
    crosshair : list of int
        The voxel in which the three planes meet, as indices of the array.
    layout_mode : {'one', 'three'}
        One plane, or all three with the crosshair.
    window, level : float
        Width and middle of the range of values between black and white.
    """

    _esm = _STATIC / "viewer.js"
    _css = _STATIC / "viewer.css"

    _info = traitlets.Dict().tag(sync=True)
    plane = traitlets.Enum(["axial", "coronal", "sagittal"], "axial").tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)
    crosshair = traitlets.List(traitlets.Int()).tag(sync=True)
    layout_mode = traitlets.Enum(["one", "three"], "one").tag(sync=True)
    window = traitlets.Float(1.0).tag(sync=True)
    level = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, pixels: Pixels, **traits: Any) -> None:
        info = pixels.info
        start: dict[str, Any] = {"window": info["window"], "level": info["level"]}
        if not pixels.stack:
            start["crosshair"] = [n // 2 for n in pixels.array.shape[:3]]
        self.pixels = pixels
        super().__init__(_info=info, **{**start, **traits})
        if "index" in traits:
            self._crosshair_of_index()
        else:
            self._index_of_plane()
        self.on_msg(self._answer)
        self.observe(lambda _: self._index_of_plane(), names=["plane", "crosshair"])
        self.observe(lambda _: self._crosshair_of_index(), names=["index"])

    def __repr__(self) -> str:
        return f"<ArrayView {self.pixels!r}>"

    def snapshot(self) -> bytes:
        """Return the present slice as PNG."""
        from PIL import Image

        plane = cast(Plane, self.plane)
        axis = self.pixels.info[plane]
        grey = self.pixels.picture(plane, self.index, self.window, self.level, self.frame)
        picture = Image.fromarray(grey)
        height, width = axis["rows"] * axis["row_mm"], axis["columns"] * axis["column_mm"]
        factor = min(_SIDE / max(height, width), max(picture.size) / max(height, width) * 4)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        enlarged = size[0] > picture.size[0]
        kind = Image.Resampling.NEAREST if enlarged else Image.Resampling.BILINEAR
        file = io.BytesIO()
        picture.resize(size, kind).save(file, "PNG")
        return file.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = repr(self)
        data[MIME] = {}  # JupyterLab shows the picture below until the widget has painted
        data["image/png"] = base64.b64encode(self.snapshot()).decode()
        return data, metadata

    @traitlets.validate("index")
    def _inside(self, proposal: Any) -> int:
        count: int = self.pixels.info[self.plane]["count"]
        index: int = proposal["value"]
        return min(max(index + count if index < 0 else index, 0), count - 1)

    @traitlets.validate("frame")
    def _in_time(self, proposal: Any) -> int:
        return int(min(max(proposal["value"], 0), len(self.pixels.frames) - 1))

    def _axis(self) -> tuple[int, int, int]:
        """Of `plane`: the array's axis that its slices count, the direction, the beginning."""
        matrix = self.pixels.info[self.plane]["to_voxel"]
        axis = next(i for i, row in enumerate(matrix) if row[0])
        return axis, matrix[axis][0], matrix[axis][3]

    def _index_of_plane(self) -> None:
        if self.crosshair:
            axis, direction, first = self._axis()
            self.index = (self.crosshair[axis] - first) * direction

    def _crosshair_of_index(self) -> None:
        if self.crosshair:
            axis, direction, first = self._axis()
            at = list(self.crosshair)
            at[axis] = self.index * direction + first
            self.crosshair = at

    def _answer(self, _: Any, ask: Any, __: Any) -> None:
        """Send the slice that the front end asked for."""
        if not isinstance(ask, dict) or ask.get("type") != "slice":
            return
        try:
            cut = self.pixels.slice(ask["plane"], int(ask["index"]), int(ask.get("frame", 0)))
        except (BluenoError, KeyError, ValueError, MemoryError) as error:
            self.send({"type": "error", "id": ask.get("id"), "message": str(error)})
            return
        answer = {
            "type": "slice",
            "id": ask["id"],
            "rows": cut.shape[0],
            "columns": cut.shape[1],
            "channels": cut.shape[2] if cut.ndim == 3 else 1,
            "dtype": self.pixels.wire_type,
        }
        self.send(answer, [cut.tobytes()])
