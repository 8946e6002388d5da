"""The thumbnails of a dataset in two files.

::

    home/thumbnails/{dataset_id}/
    ├── index   8 bytes "BLTINDX1", then 24 bytes for each ordinal (may be sparse), little-endian:
    │           uint64 offset, uint32 length, uint16 width, uint16 height, uint8 codec, 3 zero bytes,
    │           uint32 check
    └── pack    the tiles' bytes, appended

A tile's bytes are in ``pack`` before its record is in ``index``, and a record
is believed only if its check is right: a reader beside a writer, or after one
was killed, sees a whole tile or none. A record of zeros is no tile.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_blueno.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

NONE, GREY, RGB, JPEG, PNG = range(5)  # codecs

_MAGIC = b"BLTINDX1"
_RECORD = struct.Struct("<QIHHB3xI")
_ANSWER_HEAD = struct.Struct("<4sI")
_ANSWER_RECORD = struct.Struct("<IIHHB3x")
_FIELDS: Any = {
    "names": ["offset", "length", "width", "height", "codec", "check"],
    "formats": ["<u8", "<u4", "<u2", "<u2", "u1", "<u4"],
    "offsets": [0, 8, 12, 14, 16, 20],
    "itemsize": _RECORD.size,
}
_SALT = 0x5EED71E5
_GAP = 1 << 16  # bytes worth reading over rather than seeking


class Tile(NamedTuple):
    """A thumbnail: 1 grey and 2 RGB are raw 8 bit, 3 is JPEG, 4 PNG; codec 0 is none."""

    width: int
    height: int
    codec: int
    content: bytes


NO_TILE = Tile(0, 0, NONE, b"")


class ThumbnailPack:
    """Reads and writes the tiles below `folder`; any number of processes may do both at once.

    Nothing is held between calls. A folder that does not exist yet has no tiles.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._index = self.folder / "index"
        self._pack = self.folder / "pack"

    def append(self, first_ordinal: int, tiles: Sequence[Tile | None]) -> None:
        """Write the tiles of a run of ordinals; None leaves that ordinal as it is."""
        import numpy as np

        if not tiles:
            return
        lengths = np.array([len(tile.content) if tile else 0 for tile in tiles], np.uint64)
        records = np.zeros(len(tiles), _FIELDS)
        records["length"] = lengths
        records["offset"] = np.cumsum(lengths) - lengths
        for name, place in (("width", 0), ("height", 1), ("codec", 2)):
            records[name] = [tile[place] if tile else 0 for tile in tiles]
        missing = np.array([not tile for tile in tiles])
        self._write(first_ordinal, b"".join(tile.content for tile in tiles if tile), records, missing)

    def append_raw(self, first_ordinal: int, pixels: np.ndarray) -> None:
        """Write raw tiles of a run of ordinals.

        Parameters
        ----------
        first_ordinal : int
        pixels : array of uint8, (N, H, W) or (N, H, W, 3)
        """
        import numpy as np

        if (
            pixels.dtype != np.uint8
            or pixels.ndim not in (3, 4)
            or (pixels.ndim == 4 and pixels.shape[3] != 3)
        ):
            raise InvalidInput(
                f"Raw tiles are uint8 (N, H, W) or (N, H, W, 3), not {pixels.dtype} {pixels.shape}."
            )
        if not len(pixels):
            return
        records = np.zeros(len(pixels), _FIELDS)
        each = pixels[0].size
        records["offset"] = np.arange(len(pixels), dtype=np.uint64) * each
        records["length"] = each
        records["height"], records["width"] = pixels.shape[1:3]
        records["codec"] = RGB if pixels.ndim == 4 else GREY
        self._write(first_ordinal, np.ascontiguousarray(pixels).data.cast("B"), records)

    def put(self, ordinal: int, tile: Tile | None) -> None:
        """Write one tile, or take it away with None."""
        if tile is not None:
            self.append(ordinal, [tile])
        elif self._index.exists():
            with self._locked():
                _write_at(self._index, len(_MAGIC) + ordinal * _RECORD.size, bytes(_RECORD.size))

    def tiles(self, ordinals: Sequence[int]) -> list[Tile]:
        """Return the tile of each ordinal; `NO_TILE` where there is none."""
        records = self._records(ordinals)
        return [
            Tile(width, height, codec, content) if codec else NO_TILE
            for (_, _, width, height, codec), content in zip(records, self._contents(records), strict=True)
        ]

    def answer(self, ordinals: Sequence[int]) -> tuple[bytes, bool]:
        """Return the tiles as one body (format in ``api/images.py``), and whether none is missing."""
        tiles = self.tiles(ordinals)
        head = bytearray(_ANSWER_HEAD.pack(b"BLT1", len(tiles)))
        for ordinal, tile in zip(ordinals, tiles, strict=True):
            head += _ANSWER_RECORD.pack(ordinal, len(tile.content), tile.width, tile.height, tile.codec)
        return b"".join((head, *(tile.content for tile in tiles))), all(tile.codec for tile in tiles)

    def _records(self, ordinals: Sequence[int]) -> list[tuple[int, int, int, int, int]]:
        """Offset, length, width, height, codec of each; zeros where there is none."""
        nothing = (0, 0, 0, 0, 0)
        try:
            index = os.open(self._index, os.O_RDONLY)
        except FileNotFoundError:
            return [nothing] * len(ordinals)
        found: dict[int, tuple[int, int, int, int, int]] = {}
        try:
            for first, last in _runs(sorted(set(ordinals)), _GAP // _RECORD.size):
                data = os.pread(index, (last - first + 1) * _RECORD.size, len(_MAGIC) + first * _RECORD.size)
                whole = len(data) // _RECORD.size * _RECORD.size
                for ordinal, record in enumerate(_RECORD.iter_unpack(data[:whole]), first):
                    *fields, check = record
                    if fields[4] and check == _check(*fields):
                        found[ordinal] = tuple(fields)
        finally:
            os.close(index)
        return [found.get(ordinal, nothing) for ordinal in ordinals]

    def _contents(self, records: list[tuple[int, int, int, int, int]]) -> list[bytes]:
        """The bytes that the records point to; neighbours are read in one go."""
        wanted = sorted({(offset, length) for offset, length, _, _, codec in records if codec})
        if not wanted:
            return [b""] * len(records)
        contents: dict[int, bytes] = {}
        pack = os.open(self._pack, os.O_RDONLY)
        try:
            at = 0
            while at < len(wanted):
                begin, to = wanted[at][0], at
                end = begin + wanted[at][1]
                while to + 1 < len(wanted) and wanted[to + 1][0] - end <= _GAP:
                    to += 1
                    end = wanted[to][0] + wanted[to][1]
                data = os.pread(pack, end - begin, begin)
                for offset, length in wanted[at : to + 1]:
                    contents[offset] = data[offset - begin : offset - begin + length]
                at = to + 1
        finally:
            os.close(pack)
        return [contents[record[0]] if record[4] else b"" for record in records]

    def _write(
        self,
        first_ordinal: int,
        content: bytes | memoryview,
        records: np.ndarray,
        missing: np.ndarray | None = None,
    ) -> None:
        import numpy as np

        if first_ordinal < 0 or first_ordinal + len(records) > 1 << 31:
            raise InvalidInput(f"There is no ordinal {first_ordinal}.")
        with self._locked():
            records["offset"] += np.uint64(_append(self._pack, content))
            records["check"] = _check_all(records)
            at = len(_MAGIC) + first_ordinal * _RECORD.size
            if missing is None or not missing.any():
                _write_at(self._index, at, records.tobytes())
                return
            for first, last in _runs(np.flatnonzero(~missing).tolist(), 1):
                _write_at(self._index, at + first * _RECORD.size, records[first : last + 1].tobytes())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time; the index exists and has its magic."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._index, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.pread(lock, len(_MAGIC), 0) != _MAGIC:
                os.pwrite(lock, _MAGIC, 0)
            yield
        finally:
            os.close(lock)


def _runs(ordinals: list[int], gap: int) -> Iterator[tuple[int, int]]:
    """First and last of each run of sorted numbers that lie at most `gap` apart."""
    first = last = None
    for one in ordinals:
        if first is None:
            first = one
        elif last is not None and one - last > gap:
            yield first, last
            first = one
        last = one
    if first is not None and last is not None:
        yield first, last


def _append(path: Path, content: bytes | memoryview) -> int:
    """Write at the end of a file; returns where that was."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        end = os.lseek(file, 0, os.SEEK_END)
        _write_all(file, content)
    finally:
        os.close(file)
    return end


def _write_at(path: Path, offset: int, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY)
    try:
        os.lseek(file, offset, os.SEEK_SET)
        _write_all(file, content)
    finally:
        os.close(file)


def _write_all(file: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _check(offset: int, length: int, width: int, height: int, codec: int) -> int:
    mixed = offset ^ (offset >> 32) ^ (length * 2654435761) ^ (width << 16) ^ height ^ (codec << 24) ^ _SALT
    return mixed & 0xFFFFFFFF


def _check_all(records: np.ndarray) -> np.ndarray:
    """`_check` of an array of records; 0 for records without a codec."""
    import numpy as np

    offset, length, width, height, codec = (
        records[name].astype(np.uint64) for name in ("offset", "length", "width", "height", "codec")
    )
    mixed = offset ^ (offset >> np.uint64(32)) ^ (length * np.uint64(2654435761)) ^ (width << np.uint64(16))
    mixed ^= height ^ (codec << np.uint64(24)) ^ np.uint64(_SALT)
    result: np.ndarray = (mixed & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return result
