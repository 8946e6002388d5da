"""Volumes that are being looked at, kept open and warm in a decoder process."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import Conflict
from jupyter_blueno.imaging import formats, rendering
from jupyter_blueno.imaging.cache import Inflation, VolumeCache
from jupyter_blueno.imaging.formats.base import Derived, Format
from jupyter_blueno.imaging.model import Plane, PlaneInfo, VolumeInfo, WireType
from jupyter_blueno.imaging.orientation import PLANES, PlaneAxes
from jupyter_blueno.imaging.volumes import Volume
from jupyter_blueno.imaging.warming import warm
from jupyter_blueno.imaging.window import display_range, subsample

if TYPE_CHECKING:
    import numpy as np

KEPT = 16  # volumes open at once in a process
_FOLDER_LOOK = 2.0  # seconds for which the state of a folder is believed
_PROBES = 9  # slices that the start window is taken from
_WIRE: dict[str, WireType] = {"bool": "uint8", "uint8": "uint8", "int8": "int8", "uint16": "uint16",
                              "int16": "int16"}  # fmt: skip


class Later(Exception):
    """What is asked for is not decompressed yet; `done` of 1 is."""

    def __init__(self, done: float) -> None:
        super().__init__(done)
        self.done = done


class Opened:
    """The volumes of one process; not safe for threads."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache = VolumeCache(cache_folder)
        self._volumes: OrderedDict[tuple[str, str | None], _Open] = OrderedDict()

    def info(self, path: str, key: str | None) -> VolumeInfo:
        """Say how a volume is drawn.

        Raises
        ------
        Later
            While too little of a compressed volume is there to choose a window.
        """
        return self._get(path, key).info()

    def slice(
        self, path: str, key: str | None, plane: Plane, index: int, frame: int, tag: str
    ) -> tuple[dict[str, Any], np.ndarray]:
        """Return shape, wire type and tag of a slice, and its numbers ready for the wire.

        Raises
        ------
        Conflict
            ``volume_changed`` if the file is not what `tag` says.
        Later
            While the slice is not decompressed yet.
        """
        one = self._get(path, key)
        if tag and tag != one.tag:
            raise Conflict(
                f"'{one.volume.name}' was changed since it was opened. Open it again.", code="volume_changed"
            )
        pixels = one.slice(plane, index, frame)
        return {
            "rows": pixels.shape[0],
            "columns": pixels.shape[1],
            "channels": one.volume.header.channels,
            "dtype": one.wire,
            "tag": one.tag,
        }, pixels

    def _get(self, path: str, key: str | None) -> _Open:
        name = (path, key)
        one = self._volumes.get(name)
        if one is None or not one.fresh():
            one = self._volumes[name] = _Open(Path(path), key, self._cache)
        self._volumes.move_to_end(name)
        while len(self._volumes) > KEPT:
            self._volumes.popitem(last=False)
        return one


class _Open:
    """One volume: mapped, or on its way into the cache."""

    def __init__(self, path: Path, key: str | None, cache: VolumeCache) -> None:
        self.path, self.key = path, key
        self._format: Format = formats.of(path)
        self._stamp, self._looked = self._format.stamp(path), time.monotonic()
        self.tag = _tag(path, key, self._stamp)
        header, self._voxels = self._format.voxels(path, key)
        self.volume = Volume(path, header, self._voxels)
        self.wire: WireType = _WIRE.get(header.dtype, "float32")
        self._inflation: Inflation | None = None
        if isinstance(self._voxels, Derived):
            self._inflation = Inflation(cache, self.tag, self._voxels, path.name)
        self._info: VolumeInfo | None = None
        self._warmed = False

    def fresh(self) -> bool:
        """Whether the file is still what was opened."""
        now = time.monotonic()
        if self.path.is_dir() and now - self._looked < _FOLDER_LOOK:
            return True
        self._looked = now
        with contextlib.suppress(OSError):
            return self._format.stamp(self.path) == self._stamp
        return False

    def slice(self, plane: Plane, index: int, frame: int) -> np.ndarray:
        volume = self.volume
        volume.check_slice(plane, index, frame)
        axes = volume.planes[plane]
        at = axes.at(volume.header.shape, index)
        alone = self._alone(axes, at, frame)
        if alone is not None:
            return self._wired(axes.turn(alone))
        stored = self._stored(lambda have: self._last_byte(axes.slices.axis, at, frame) < have)
        one = stored[..., frame] if volume.header.frames > 1 else stored
        picture = self._wired(axes.cut(one, index))
        self._warm(stored)
        return picture

    def info(self) -> VolumeInfo:
        if self._info is None:
            self._info = self._make_info(*self._range())
        return self._info

    def _alone(self, axes: PlaneAxes, at: int, frame: int) -> np.ndarray | None:
        """One block read from its own file, while the rest is not assembled yet."""
        voxels, inflation = self._voxels, self._inflation
        if not isinstance(voxels, Derived) or voxels.block is None or inflation is None or inflation.done:
            return None
        if frame or voxels.axes[axes.slices.axis] != 0 or inflation.error is not None:
            return None
        return voxels.block(at)

    def _stored(self, enough: Any) -> np.ndarray:
        """The array, if `enough` of its bytes are there; raises `Later` if not yet."""
        inflation = self._inflation
        if inflation is None:
            return self.volume.stored
        array = inflation.array()
        if array is None or not enough(inflation.ready):
            if inflation.error is not None:
                raise inflation.error
            raise Later(inflation.ready / inflation.size)
        return array

    def _last_byte(self, axis: int, at: int, frame: int) -> int:
        """Where in the array's bytes the last number of a slice is."""
        voxels = self._voxels
        last = [n - 1 for n in voxels.shape]
        last[voxels.axes[axis]] = at
        if self.volume.header.frames > 1:
            last[voxels.axes[3]] = frame
        position = 0
        pairs = list(zip(voxels.shape, last, strict=True))
        for size, one in pairs if voxels.order == "C" else reversed(pairs):
            position = position * size + one
        return (position + 1) * voxels.dtype.itemsize - 1

    def _wired(self, picture: np.ndarray) -> np.ndarray:
        import numpy as np

        dtype = np.dtype(self.wire).newbyteorder("<")
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(picture, dtype)

    def _warm(self, stored: np.ndarray) -> None:
        """Have every page of the map at hand, so that the next slice of any plane waits for none."""
        if self._warmed or (self._inflation is not None and not self._inflation.done):
            return
        self._warmed = True
        threading.Thread(target=warm, args=(stored,), name="warm", daemon=True).start()

    def _seen(self) -> tuple[np.ndarray, str]:
        """Some of the stored numbers: whole blocks along the slowest axis, thinned."""
        import numpy as np

        voxels = self._voxels
        slowest = 0 if voxels.order == "C" else len(voxels.shape) - 1
        count = voxels.shape[slowest]
        places = sorted({int(p) for p in np.linspace(0.1 * (count - 1), 0.9 * (count - 1), _PROBES)})
        inflation = self._inflation
        if isinstance(voxels, Derived) and inflation is not None and not inflation.done:
            if voxels.block is not None:
                blocks = [voxels.block(n) for n in places[len(places) // 4 :: max(1, len(places) // 3)]]
                return np.concatenate([subsample(one).ravel() for one in blocks]), self.volume.name
            stored = self._stored(lambda have: have >= 0.55 * inflation.size)
            places = [p for p in places if p < count * 0.5] or [0]
        else:
            stored = self._stored(lambda _: True)
        slowest_first = np.moveaxis(stored.transpose(np.argsort(voxels.axes)), slowest, 0)
        blocks = [slowest_first[n] for n in places]
        return np.concatenate([subsample(one, 50_000).ravel() for one in blocks]), self.volume.name

    def _range(self) -> tuple[float, float, float, float]:
        """Lowest and highest stored number that was seen, and those to be drawn black and white."""
        import numpy as np

        if self.volume.header.channels > 1:  # colours are shown as they are
            return 0.0, 255.0, 0.0, 255.0
        seen, name = self._seen()
        finite = seen[np.isfinite(seen)].astype(np.float64)
        if not finite.size:
            return 0.0, 0.0, 0.0, 0.0
        return float(finite.min()), float(finite.max()), *display_range(seen, name)

    def _make_info(self, *stored: float) -> VolumeInfo:
        header, name = self.volume.header, self.volume.name
        ends = [v * header.slope + header.intercept for v in stored]
        window, level = abs(ends[3] - ends[2]) or 1.0, (ends[2] + ends[3]) / 2
        if header.window is not None and header.level is not None:
            window, level = header.window, header.level
        planes = {plane: self._plane(plane) for plane in PLANES}
        return VolumeInfo(
            name=name, shape=list(header.shape), dtype=header.dtype, wire_type=self.wire,
            spacing=list(header.spacing or (1.0, 1.0, 1.0)), oriented=header.oriented,
            slope=header.slope, intercept=header.intercept, low=min(ends[:2]), high=max(ends[:2]),
            window=window, level=level, tag=self.tag, unit=header.unit, frames=header.frames,
            channels=header.channels,  # type: ignore[arg-type]
            inverted=header.inverted, affine=[list(row) for row in header.affine] if header.affine else None,
            **planes,
        )  # fmt: skip

    def _plane(self, plane: Plane) -> PlaneInfo:
        header, axes = self.volume.header, self.volume.planes[plane]
        spacing = header.spacing or (1.0, 1.0, 1.0)
        return PlaneInfo(
            count=header.shape[axes.slices.axis],
            rows=header.shape[axes.rows.axis], columns=header.shape[axes.columns.axis],
            row_mm=spacing[axes.rows.axis], column_mm=spacing[axes.columns.axis],
            to_voxel=axes.to_voxel(header.shape),
            top=axes.rows.first, bottom=axes.rows.last, left=axes.columns.first, right=axes.columns.last,
        )  # fmt: skip


def picture(path: str, key: str | None, max_size: int) -> tuple[str, bytes]:
    """Return media type and bytes of an item as a browser shows it, no longer than `max_size`."""
    return rendering.for_browser(Path(path), key, max_size)


def _tag(path: Path, key: str | None, stamp: tuple[int, int]) -> str:
    return hashlib.blake2b(repr((str(path), key, *stamp)).encode(), digest_size=12).hexdigest()
