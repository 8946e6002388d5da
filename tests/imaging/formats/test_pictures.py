"""JPEG, PNG, WebP, BMP, GIF, TIFF."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import imaging
from jupyter_blueno.errors import TooLarge, UnreadableData
from jupyter_blueno.imaging.testing import FormatSuite


def _photo() -> np.ndarray:
    """A smooth picture with a bright corner, so that turning it shows."""
    y, x = np.mgrid[0:90, 0:140]
    photo = np.stack([x * 255 // 140, y * 255 // 90, (x + y) * 255 // 230], axis=-1).astype(np.uint8)
    photo[:20, :20] = 255
    return photo


class Pictures(FormatSuite):
    name = "pillow"
    options: ClassVar[dict[str, object]] = {}

    def array(self) -> np.ndarray:
        return _photo()

    def write(self, path: Path) -> np.ndarray:
        array = self.array()
        Image.fromarray(array).save(path, **self.options)
        return array


class TestJpeg(Pictures):
    suffix = ".jpg"
    tolerance = 60  # around the corner
    options: ClassVar = {"quality": 95, "subsampling": 0}


class TestPng(Pictures):
    suffix = ".png"


class TestGreyPng(Pictures):
    suffix = ".png"

    def array(self) -> np.ndarray:
        return _photo()[..., 0] ^ _photo()[..., 1]


class TestTransparentPng(Pictures):
    suffix = ".png"

    def array(self) -> np.ndarray:
        return np.dstack([_photo(), _photo()[..., 0]])


class TestDeepPng(Pictures):
    suffix = ".png"

    def array(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 65535, (40, 50), np.uint16)


class TestBitPng(Pictures):
    suffix = ".png"

    def write(self, path: Path) -> np.ndarray:
        bits = np.random.default_rng(0).random((120, 90)) < 0.5
        Image.fromarray(bits).save(path)
        return bits * np.uint8(255)


class TestWebp(Pictures):
    suffix = ".webp"
    options: ClassVar = {"lossless": True}

    def array(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)


class TestBmp(Pictures):
    suffix = ".bmp"


class TestGif(Pictures):
    suffix = ".gif"

    def write(self, path: Path) -> np.ndarray:
        coloured = Image.fromarray(_photo()).quantize(60)
        coloured.save(path)
        return np.asarray(coloured.convert("RGB"))


class TestTiff(Pictures):
    suffix = ".tif"
    options: ClassVar = {"compression": "tiff_lzw"}


class TestFloatTiff(Pictures):
    suffix = ".tiff"

    def array(self) -> np.ndarray:
        return np.random.default_rng(0).normal(0, 50, (30, 40)).astype(np.float32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(_photo()).save(path, exif=exif, quality=95)
    item = imaging.open(path)
    assert isinstance(item, imaging.Image)
    assert item.array.shape == item.shape
    corners = item.array[[5, 5, -5, -5], [5, -5, 5, -5]].sum(axis=1) > 740
    assert corners.tolist().index(True) == [0, 1, 3, 2, 0, 1, 3, 2][orientation - 1]
    _, tile = imaging.inspect(path)
    assert (tile.height > tile.width) == (orientation > 4)


def _png_header(width: int, height: int) -> bytes:
    data = zlib.compress(bytes(1 << 20))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT" + data)
    )


def _chunk(content: bytes) -> bytes:
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def test_a_huge_png_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(_png_header(60_000, 60_000))
    with pytest.raises(TooLarge) as caught:
        imaging.open(path)
    assert caught.value.code == "too_many_pixels"


def test_a_png_without_pixels(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.write_bytes(_png_header(0, 10))
    with pytest.raises(UnreadableData):
        imaging.inspect(path)


def test_a_photo_is_shrunk_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.effect_noise((4000, 3000), 50).save(path)
    header, tile = imaging.inspect(path)
    assert header.shape == (3000, 4000)
    assert (tile.width, tile.height) == (128, 96)
