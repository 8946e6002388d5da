"""Pictures for people: PNG of an array, an image, a slice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_blueno.imaging import formats
from jupyter_blueno.imaging.images import Image
from jupyter_blueno.imaging.model import Plane
from jupyter_blueno.imaging.volumes import Volume
from jupyter_blueno.imaging.window import display_range, to_grey

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image as PILImage

_LEVEL = 1  # of PNG's compression: twice the size of the best, ten times as fast
_PASSED_ON = 64 << 20  # bytes of a file that is answered as it is
_QUALITY = 90


def png(
    item: Image | Volume | np.ndarray,
    plane: Plane = "axial",
    index: int | None = None,
    *,
    frame: int = 0,
    window: float | None = None,
    level: float | None = None,
    max_size: int = 512,
) -> bytes:
    """Draw a picture, or one slice of a volume, as PNG.

    Parameters
    ----------
    item : Image, Volume or array
        An array ``(H, W)``, ``(H, W, C)`` or ``(Z, Y, X)``.
    plane : 'axial', 'coronal' or 'sagittal'
    index : int, optional
        The slice; default the middle one.
    frame : int
    window, level : float, optional
        Display range in values; default the file's own, else percentiles.
    max_size : int
        Pixels along the longer side. A slice keeps its voxels' aspect.
    """
    drawn = draw(item, plane, index, frame=frame, window=window, level=level)
    drawn = _fitted(drawn, max_size)
    return _png(drawn)


def draw(
    item: Image | Volume | np.ndarray,
    plane: Plane = "axial",
    index: int | None = None,
    *,
    frame: int = 0,
    window: float | None = None,
    level: float | None = None,
) -> PILImage.Image:
    """Draw as `png` does, as a Pillow image."""
    from jupyter_blueno.imaging.thumbnails import picture_of

    if isinstance(item, Image):
        header = item.header
        if item.array.ndim == 2 and item.array.dtype.name != "uint8":
            low, high = _range(item.array, item.name, header, window, level)
            return picture_of(to_grey(item.array, low, high, header.inverted), item.name)
        return picture_of(item.array, item.name, header.inverted)
    if not isinstance(item, Volume):
        if item.ndim == 2 or (item.ndim == 3 and item.shape[2] in (1, 3, 4)):
            return picture_of(item, "the array")
        item = Volume.of_array(item)
    at = item.count(plane) // 2 if index is None else index
    cut = item.slice(plane, at, frame)
    if item.header.channels == 1:
        low, high = _range(cut, item.name, item.header, window, level)
        cut = to_grey(cut, low, high, item.header.inverted)
    drawn = picture_of(cut, item.name)
    axes, spacing = item.planes[plane], item.spacing or (1.0, 1.0, 1.0)
    down, across = spacing[axes.rows.axis], spacing[axes.columns.axis]
    finest = min(down, across)
    width, height = round(drawn.width * across / finest), round(drawn.height * down / finest)
    if (width, height) == drawn.size or max(width, height) > 4 * max(drawn.size):
        return drawn
    return drawn.resize((width, height))


def for_browser(path: Path, key: str | None, max_size: int) -> tuple[str, bytes]:
    """Return media type and bytes of an item as a browser shows it.

    The file itself where a browser reads it and it is small enough, else PNG
    (JPEG of what was JPEG); a volume as its middle axial slice.

    Raises
    ------
    NotFound, UnreadableData, TooLarge, MissingDependency
    """
    format = formats.of(path)
    header = format.header(path, key)
    if header.kind == "volume3d":
        return "image/png", png(Volume(path, *format.voxels(path, key)), max_size=max_size)
    if max(header.shape[:2]) <= max_size:
        encoded = format.encoded(path, key)
        if encoded is not None and len(encoded[1]) <= _PASSED_ON:
            return encoded
    source: Any = format.picture(path, key)
    if getattr(source, "format", None) in ("JPEG", "MPO"):
        from jupyter_blueno.imaging.formats.pillow import upright

        source.draft(None, (max_size, max_size))
        out = io.BytesIO()
        _fitted(upright(source, path.name), max_size).save(out, "JPEG", quality=_QUALITY)
        return "image/jpeg", out.getvalue()
    return "image/png", png(Image(path, key, format, header), max_size=max_size)


def _range(
    array: np.ndarray, name: str, header: Any, window: float | None, level: float | None
) -> tuple[float, float]:
    """What is drawn black and white, in stored numbers."""
    if window is None or level is None:
        window, level = header.window, header.level
    if window is None or level is None:
        return display_range(array, name)
    slope = header.slope or 1.0
    ends = ((level - window / 2 - header.intercept) / slope, (level + window / 2 - header.intercept) / slope)
    return min(ends), max(ends)


def _fitted(image: PILImage.Image, max_size: int) -> PILImage.Image:
    if max(image.size) > max_size:
        image.thumbnail((max_size, max_size), reducing_gap=2.0)
    return image


def _png(image: PILImage.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_LEVEL)
    return out.getvalue()
