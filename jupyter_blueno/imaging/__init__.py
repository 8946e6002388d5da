"""Pixels: formats, slices, thumbnails. Knows files, not the catalog.

`open` gives the picture or volume in a file; `inspect` what an ingest wants to
know of it, its thumbnail included. Both check the file against `limits` first.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_blueno.imaging.formats.base import Header as Header
    from jupyter_blueno.imaging.images import Image as Image
    from jupyter_blueno.imaging.pack import ThumbnailPack as ThumbnailPack
    from jupyter_blueno.imaging.pack import Tile as Tile
    from jupyter_blueno.imaging.rendering import png as png
    from jupyter_blueno.imaging.volumes import Volume as Volume

_PUBLIC = {
    "Header": "jupyter_blueno.imaging.formats.base",
    "Image": "jupyter_blueno.imaging.images",
    "ThumbnailPack": "jupyter_blueno.imaging.pack",
    "Tile": "jupyter_blueno.imaging.pack",
    "Volume": "jupyter_blueno.imaging.volumes",
    "png": "jupyter_blueno.imaging.rendering",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open(path: str | os.PathLike[str], key: str | None = None) -> Image | Volume:
    """Open a picture or a volume; its pixels are read when they are first used.

    Parameters
    ----------
    path : str or os.PathLike
        A file, or a folder that is one item (a DICOM series).
    key : str, optional
        Which item, where the file holds many: ``"123"`` is row 123 of an array
        ``(N, H, W[, C])``.

    Raises
    ------
    NotFound
        If there is no such file or item.
    UnreadableData, TooLarge, MissingDependency
        If it cannot be read, and why.
    """
    from jupyter_blueno.imaging import formats
    from jupyter_blueno.imaging.images import Image
    from jupyter_blueno.imaging.volumes import Volume

    place = Path(path)
    format = formats.of(place)
    header = format.header(place, key)
    if header.kind == "image2d":
        return Image(place, key, format, header)
    return Volume(place, *format.voxels(place, key))


def inspect(path: str | os.PathLike[str], key: str | None = None) -> tuple[Header, Tile]:
    """Return what is known of an item, and its thumbnail; reading it all, so that damage shows.

    Raises
    ------
    NotFound, UnreadableData, TooLarge, MissingDependency
        As `open`.
    """
    from jupyter_blueno.imaging import formats, thumbnails
    from jupyter_blueno.imaging.volumes import Volume

    place = Path(path)
    format = formats.of(place)
    header = format.header(place, key)
    if header.kind == "image2d":
        return header, thumbnails.make(format.picture(place, key), place.name, header.inverted)
    volume = Volume(place, *format.voxels(place, key))
    return volume.header, thumbnails.of_volume(volume)
