"""Pixels: thumbnails, pictures, slices. The data plane: always served where the files are."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, operation
from jupyter_blueno.imaging.model import Plane, VolumeInfo


class Thumbnails(Struct, frozen=True, forbid_unknown_fields=True):
    """`ordinals` as text, ``0-99,120``; at most 1,000 of them.

    `revision` is not looked at: it makes the address new when tiles change.
    """

    dataset_id: int
    ordinals: str
    revision: int = 0


class PictureRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A sample (`dataset_id`, `ordinal`) or a file (`path`, below the server's root)."""

    dataset_id: int | None = None
    ordinal: int | None = None
    path: str | None = None
    max_size: int = 4096  # pixels along the longer side


class VolumeRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A sample (`dataset_id`, `ordinal`) or a file (`path`, below the server's root)."""

    dataset_id: int | None = None
    ordinal: int | None = None
    path: str | None = None


class SliceRef(Struct, frozen=True, forbid_unknown_fields=True):
    """One slice of a volume; `frame` is the time point, `tag` that of `VolumeInfo`."""

    plane: Plane
    index: int
    dataset_id: int | None = None
    ordinal: int | None = None
    path: str | None = None
    frame: int = 0
    tag: str = ""


@operation("GET", "/datasets/{dataset_id}/thumbnails", resource="images", action="read", local=True)
def get_thumbnails(context: Context, ask: Thumbnails) -> Content:
    """Return the tiles of many samples in one answer.

    The body, little-endian: ``BLT1``, uint32 count; a record for each tile:
    uint32 ordinal, uint32 length, uint16 width, uint16 height, uint8 codec
    (0 none, 1 grey, 2 RGB, both raw 8 bit; 3 JPEG; 4 PNG), 3 zero bytes; then
    the tiles' bytes in the same order.
    """
    from jupyter_blueno.api import serving

    return serving.thumbnails(context, ask)


@operation("GET", "/images/picture", resource="images", action="read", local=True)
def get_picture(context: Context, ask: PictureRef) -> Content:
    """Return a 2D image as PNG or JPEG, as a browser shows it."""
    from jupyter_blueno.api import serving

    return serving.picture(context, ask)


@operation("GET", "/volumes/info", resource="images", action="read", local=True)
def get_volume(context: Context, ask: VolumeRef) -> VolumeInfo:
    """Return size, planes, orientation and a good window of a volume."""
    from jupyter_blueno.api import serving

    return serving.volume_info(context, ask)


@operation("GET", "/volumes/slice", resource="images", action="read", local=True)
def get_slice(context: Context, ask: SliceRef) -> Content:
    """Return the stored numbers of one slice, row by row.

    Headers: ``X-Blueno-Shape`` (``rows,columns``, of colours ``rows,columns,channels``) and
    ``X-Blueno-Dtype``.
    """
    from jupyter_blueno.api import serving

    return serving.volume_slice(context, ask)
