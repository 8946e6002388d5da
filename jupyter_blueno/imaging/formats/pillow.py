"""Photos and pictures: JPEG, PNG, WebP, BMP, GIF, TIFF."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, ClassVar

from jupyter_blueno.errors import MissingDependency, TooLarge, UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Format, Header

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II*\x00", b"MM\x00*", b"II+\x00")
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_BROWSER = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
_CHANNELS = {"RGB": 3, "RGBA": 4, "RGBX": 4, "CMYK": 3, "YCbCr": 3, "LAB": 3, "HSV": 3, "LA": 4, "La": 4}
_WIDE = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I": "int32", "F": "float32"}
_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
_ORIENTATION = 0x0112


class Pillow(Format):
    """Everything that Pillow reads and people keep pictures in.

    A picture is seen upright (EXIF orientation); of an animation or a stack of
    pages the first is taken. Palettes become RGB or RGBA, CMYK becomes RGB.
    """

    name: ClassVar[str] = "pillow"
    suffixes: ClassVar[tuple[str, ...]] = (
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    )  # fmt: skip

    def claims(self, path: Path, head: bytes) -> bool:
        if head[128:132] == b"DICM":  # whose preamble may be that of a TIFF
            return False
        return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")

    def header(self, path: Path, key: str | None = None) -> Header:
        with opened(path, path.name) as image:
            return header_of(image)

    def picture(self, path: Path, key: str | None = None) -> Any:
        return opened(path, path.name)

    def encoded(self, path: Path, key: str | None = None) -> tuple[str, bytes] | None:
        with opened(path, path.name) as image:
            media_type = _BROWSER.get(image.format or "")
            if media_type is None or image.mode in _WIDE:
                return None
        return media_type, path.read_bytes()


def opened(file: Path | io.BytesIO, name: str) -> Any:
    """Open a picture without decoding it; `name` is for the errors.

    Raises
    ------
    UnreadableData
        ``not_an_image``.
    TooLarge
        ``too_many_pixels``.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(file, formats=_FORMATS)
    except Image.DecompressionBombError:
        raise TooLarge(
            f"'{name}' has more than {limits.PIXEL_LIMIT_WORDS}. Cut it into tiles or scale it down first.",
            code="too_many_pixels",
        ) from None
    except UnidentifiedImageError:
        raise UnreadableData(
            f"'{name}' is not a picture, whatever its name says. Export it again as PNG or JPEG.",
            code="not_an_image",
        ) from None
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise _broken(name, error) from error
    limits.check_picture(name, image.height, image.width, 4)
    return image


def header_of(image: Any) -> Header:
    """What is known of an opened picture, as it is seen upright."""
    height, width = image.height, image.width
    if image.format in ("JPEG", "MPO", "TIFF", "WEBP") and _orientation(image) in _TURNED:
        height, width = width, height
    channels = _CHANNELS.get(image.mode)
    if image.mode == "P":
        channels = 4 if "transparency" in image.info else 3
    shape = (height, width) if channels is None else (height, width, channels)
    return Header("image2d", shape, _WIDE.get(image.mode, "uint8"))


def upright(image: Any, name: str) -> Any:
    """Decode a picture, turn it upright and reduce its mode to L, RGB, RGBA, or wide grey.

    Raises
    ------
    UnreadableData
        ``truncated`` or ``broken_image``.
    """
    from PIL import Image, ImageOps

    try:
        if image.format in ("JPEG", "MPO", "TIFF", "WEBP") and _orientation(image) != 1:
            image = ImageOps.exif_transpose(image)
        if image.mode in ("L", "RGB", "RGBA") or image.mode in _WIDE:
            image.load()
            return image
        if image.mode == "1":
            return image.convert("L")
        if image.mode == "P":
            return image.convert("RGBA" if "transparency" in image.info else "RGB")
        return image.convert("RGBA" if image.mode in ("LA", "La", "PA", "RGBa") else "RGB")
    except Image.DecompressionBombError as error:
        raise TooLarge(f"'{name}' unpacks to too many pixels.", code="too_many_pixels") from error
    except MemoryError as error:
        raise TooLarge(f"'{name}' takes too much memory to decode.", code="too_many_bytes") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError) as error:
        raise _broken(name, error) from error


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except (ValueError, TypeError, SyntaxError, OSError, struct.error):  # EXIF is often broken
        return 1


def _broken(name: str, error: Exception) -> Exception:
    said = str(error)
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return UnreadableData(
            f"'{name}' is cut off: the picture ends before its last pixel. Copy or export it again.",
            code="truncated",
        )
    if "not available" in said or "support not" in said:
        return MissingDependency(f"'{name}' needs a decoder that this Pillow lacks: {said}.")
    return UnreadableData(
        f"'{name}' is damaged ({said[:200]}). Copy or export it again.", code="broken_image"
    )
