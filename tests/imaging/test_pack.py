"""Thumbnail packs: what is written is read, half of anything is never seen."""

from __future__ import annotations

import struct
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.imaging import thumbnails
from jupyter_blueno.imaging.pack import JPEG, NO_TILE, ThumbnailPack, Tile


def test_what_is_appended_is_read_in_any_order(tmp_path: Path) -> None:
    pack = ThumbnailPack(tmp_path / "7")
    digits = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)
    pack.append_raw(5, digits)
    pack.append(100, [Tile(3, 2, JPEG, b"jpeg"), None, Tile(1, 1, 1, b"\x07")])
    tiles = pack.tiles([102, 14, 5, 101, 3, 100, 10**6])
    assert [tile.codec for tile in tiles] == [1, 1, 1, 0, 0, JPEG, 0]
    assert tiles[0].content == b"\x07"
    assert tiles[1].content == digits[9].tobytes()
    assert tiles[3] == tiles[4] == tiles[6] == NO_TILE
    assert tiles[5] == Tile(3, 2, JPEG, b"jpeg")


def test_a_folder_that_is_not_there_has_no_tiles(tmp_path: Path) -> None:
    body, complete = ThumbnailPack(tmp_path / "none").answer([0, 1])
    assert struct.unpack_from("<4sI", body) == (b"BLT1", 2)
    assert len(body) == 8 + 2 * 16
    assert not complete


def test_answer_is_as_documented(tmp_path: Path) -> None:
    pack = ThumbnailPack(tmp_path)
    pack.append(0, [Tile(2, 1, 1, b"\x01\x02"), Tile(1, 1, 2, b"rgb")])
    body, complete = pack.answer([1, 0])
    assert complete
    records = [struct.unpack_from("<IIHHB3x", body, 8 + 16 * n) for n in range(2)]
    assert records == [(1, 3, 1, 1, 2), (0, 2, 2, 1, 1)]
    assert body[8 + 32 :] == b"rgb\x01\x02"


def test_a_tile_can_be_replaced_and_taken_away(tmp_path: Path) -> None:
    pack = ThumbnailPack(tmp_path)
    pack.put(3, Tile(1, 1, 1, b"a"))
    pack.put(3, Tile(1, 1, 1, b"b"))
    assert pack.tiles([3])[0].content == b"b"
    pack.put(3, None)
    assert pack.tiles([3]) == [NO_TILE]


def test_a_torn_record_is_no_tile(tmp_path: Path) -> None:
    pack = ThumbnailPack(tmp_path)
    pack.append_raw(0, np.full((2, 4, 4), 9, np.uint8))
    index = tmp_path / "index"
    data = bytearray(index.read_bytes())
    data[8 + 24 + 2] ^= 0x40  # a byte of the second record's offset
    index.write_bytes(data)
    assert [tile.codec for tile in pack.tiles([0, 1])] == [1, 0]


def test_a_writer_that_died_leaves_nothing_half_seen(tmp_path: Path) -> None:
    pack = ThumbnailPack(tmp_path)
    pack.append_raw(0, np.zeros((1, 4, 4), np.uint8))
    with (tmp_path / "pack").open("ab") as file:  # tiles without records: killed in between
        file.write(b"rubbish")
    with (tmp_path / "index").open("ab") as file:  # and half a record
        file.write(b"\x01" * 11)
    pack.append_raw(2, np.full((1, 2, 2), 8, np.uint8))
    assert [tile.content for tile in pack.tiles([0, 1, 2])] == [bytes(16), b"", b"\x08" * 4]


def _write(folder: Path, first: int) -> None:
    pack = ThumbnailPack(folder)
    for n in range(first, first + 300, 30):
        pack.append_raw(n, np.full((30, 8, 8), first // 300 + 1, np.uint8))


def test_writers_and_readers_at_once(tmp_path: Path) -> None:
    fork = get_context("fork")
    writers = [fork.Process(target=_write, args=(tmp_path, first)) for first in (0, 300, 600)]
    for one in writers:
        one.start()
    pack = ThumbnailPack(tmp_path)
    while any(one.is_alive() for one in writers):
        for ordinal, tile in enumerate(pack.tiles(range(900))):
            assert tile is NO_TILE or tile.content == bytes([ordinal // 300 + 1]) * 64
    assert all(one.exitcode == 0 for one in writers)
    assert pack.answer(range(900))[1]


@pytest.mark.parametrize("pixels", [np.zeros((2, 4, 4), np.int16), np.zeros((2, 4, 4, 4), np.uint8)])
def test_raw_tiles_are_8_bit_grey_or_rgb(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        ThumbnailPack(tmp_path).append_raw(0, pixels)


@pytest.mark.parametrize(
    ("arrays", "codec"),
    [
        (np.ones((3, 28, 28), np.float32), 1),
        (np.ones((3, 28, 28), bool), 1),
        (np.full((3, 28, 28, 1), 255, np.int64), 1),
        (np.full((3, 32, 32, 3), 255, np.uint8), 2),
        (np.full((3, 200, 100, 3), 255, np.uint8), JPEG),
        (np.full((3, 16, 16, 4), 255, np.uint8), 2),
    ],
)
def test_arrays_of_any_kind_become_white_tiles(tmp_path: Path, arrays: np.ndarray, codec: int) -> None:
    pack = ThumbnailPack(tmp_path)
    thumbnails.add_arrays(pack, 0, arrays)
    tiles = pack.tiles(range(3))
    assert {tile.codec for tile in tiles} == {codec}
    assert max(tiles[0].width, tiles[0].height) == min(128, max(arrays.shape[1:3]))
    if codec != JPEG:
        assert set(tiles[0].content) == {255}
