"""Making thumbnails: of pictures, of volumes, of arrays by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.imaging.orientation import PLANES, PlaneAxes, layout
from jupyter_blueno.imaging.pack import GREY, JPEG, NO_TILE, RGB, ThumbnailPack, Tile
from jupyter_blueno.imaging.window import display_range, to_8_bit, to_grey

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image as PILImage

    from jupyter_blueno.imaging.volumes import Volume

__all__ = ["NO_TILE", "ThumbnailPack", "Tile", "add_arrays", "make", "mosaic", "of_volume"]

SIZE = 128  # pixels along the longer side of a picture's tile
MOSAIC_SIDE = 128  # of each of a volume's three planes
RAW_BYTES = 4096  # up to here raw pixels are as small as JPEG, and faster
_GAP = 2
_QUALITY = 80
_WIDE = ("I;16", "I;16B", "I;16L", "I", "F")


def make(source: np.ndarray | PILImage.Image, name: str = "the picture", inverted: bool = False) -> Tile:
    """Make the tile of one picture.

    Parameters
    ----------
    source : array (H, W) or (H, W, C), or a Pillow image that need not be decoded yet
        Up to two channels are drawn grey, three and four in colour (over white
        where transparent), of more the first. Numbers other than uint8 are
        brought to it by `to_8_bit`.
    name : str
        For the errors.
    inverted : bool
        Whether low numbers are bright.

    Raises
    ------
    UnreadableData, TooLarge
        If the picture cannot be decoded.
    """
    from PIL import Image

    if not isinstance(source, Image.Image):
        return _encode(_shrunk(picture_of(source, name, inverted)))
    from jupyter_blueno.imaging.formats.pillow import upright

    if source.format in ("JPEG", "MPO"):
        source.draft(None, (SIZE, SIZE))  # decodes at 1/2, 1/4 or 1/8
    image = upright(source, name)
    if image.mode in _WIDE:
        import numpy as np

        return make(np.asarray(image), name)
    return _encode(_shrunk(_flat(image)))


def of_volume(volume: Volume) -> Tile:
    """Make the tile of a volume: its mid-planes, axial, coronal, sagittal, side by side."""
    header = volume.header
    return _encode(mosaic(volume.frame(0), layout(header.affine, header.oriented), header.spacing,
                          volume.name, header.inverted))  # fmt: skip


def mosaic(
    voxels: np.ndarray,
    planes: dict[Any, PlaneAxes],
    spacing: tuple[float, ...] | None,
    name: str,
    inverted: bool = False,
    side: int = MOSAIC_SIDE,
) -> PILImage.Image:
    """Draw the three mid-planes of `voxels` (three axes, perhaps channels) at one scale, `side` each."""
    import numpy as np
    from PIL import Image

    cuts = {
        plane: planes[plane].cut(voxels, voxels.shape[planes[plane].slices.axis] // 2) for plane in PLANES
    }
    sizes = spacing or (1.0, 1.0, 1.0)
    extent = max(n * mm for n, mm in zip(voxels.shape[:3], sizes, strict=True))
    colour = voxels.ndim > 3
    if not colour:
        # The centre planes say what is worth seeing, and need no pass over the whole file.
        low, high = display_range(np.concatenate([np.ravel(cut) for cut in cuts.values()]), name)
    drawn = Image.new("RGB" if colour else "L", (3 * side + 2 * _GAP, side))
    for number, plane in enumerate(PLANES):
        axes, cut = planes[plane], cuts[plane]
        height = max(1, round(cut.shape[0] * sizes[axes.rows.axis] / extent * side))
        width = max(1, round(cut.shape[1] * sizes[axes.columns.axis] / extent * side))
        plain = cut if colour else to_grey(cut, low, high, inverted)
        picture = _flat(Image.fromarray(np.ascontiguousarray(plain)))
        box = (number * (side + _GAP) + (side - width) // 2, (side - height) // 2)
        drawn.paste(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0), box)
    return drawn


def add_arrays(pack: ThumbnailPack, first_ordinal: int, arrays: np.ndarray) -> None:
    """Write the tiles of many pictures of one size, fast.

    Parameters
    ----------
    pack : ThumbnailPack
    first_ordinal : int
    arrays : array (N, H, W) or (N, H, W, C)
        Whether floats are within 0 … 1, and integers within 0 … 255, is decided
        for all `arrays` together, so that the pictures of a batch compare.
    """
    import numpy as np

    if arrays.ndim not in (3, 4):
        raise InvalidInput(f"Pictures are an array (N, H, W) or (N, H, W, C), not {arrays.shape}.")
    if not len(arrays):
        return
    if arrays.dtype != np.uint8:
        arrays = _batch_to_8_bit(arrays)
    if arrays.ndim == 4 and arrays.shape[3] != 3:
        if arrays.shape[3] == 4:
            arrays = np.stack([np.asarray(_flat(picture_of(one, ""))) for one in arrays])
        else:
            arrays = arrays[..., 0]
    if arrays[0].size <= RAW_BYTES and max(arrays.shape[1:3]) <= SIZE:
        pack.append_raw(first_ordinal, arrays)
        return
    pack.append(first_ordinal, [make(one) for one in arrays])


def picture_of(array: np.ndarray, name: str, inverted: bool = False) -> PILImage.Image:
    """Return an array ``(H, W[, C])`` as a Pillow image, L or RGB."""
    import numpy as np
    from PIL import Image

    if array.ndim == 3:
        channels = array.shape[2]
        if channels not in (3, 4):
            array = array[..., 0]
    if array.ndim not in (2, 3):
        raise InvalidInput(f"A picture is an array (H, W) or (H, W, C), not {array.shape}.")
    narrow = np.ascontiguousarray(to_8_bit(array, name, inverted))
    return _flat(Image.fromarray(narrow))


def _batch_to_8_bit(arrays: np.ndarray) -> np.ndarray:
    import numpy as np

    if arrays.dtype == np.bool_:
        return to_8_bit(arrays)
    low, high = float(arrays.min()), float(arrays.max())
    if low >= 0 and (high <= 1 or (high <= 255 and arrays.dtype.kind in "iu")):
        return to_grey(arrays, 0, 1) if 0 < high <= 1 else arrays.astype(np.uint8)
    return np.stack([to_grey(one, *display_range(one, "a picture")) for one in arrays])


def _flat(image: PILImage.Image) -> PILImage.Image:
    """Lay a transparent picture on white."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _shrunk(image: PILImage.Image) -> PILImage.Image:
    from PIL import Image

    image.thumbnail((SIZE, SIZE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def _encode(image: PILImage.Image) -> Tile:
    import io

    if image.width * image.height * len(image.getbands()) <= RAW_BYTES:
        return Tile(image.width, image.height, RGB if image.mode == "RGB" else GREY, image.tobytes())
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return Tile(image.width, image.height, JPEG, out.getvalue())
