"""Pixels: formats, slices, thumbnails. Knows files, not the catalog.

`open` gives the picture or volume in a file; `inspect` what an ingest wants to
know of it, its thumbnail included. Both check the file against `limits` first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_blueno.imaging.formats.base import Header
    from jupyter_blueno.imaging.images import Image
    from jupyter_blueno.imaging.pack import Tile
    from jupyter_blueno.imaging.volumes import Volume


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
