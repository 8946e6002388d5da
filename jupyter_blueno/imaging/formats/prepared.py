"""Public sets as TensorFlow Datasets leaves them: a folder with ``array_record`` files.

Neither TensorFlow nor tensorflow-datasets is needed to read them: the folder
describes itself in JSON, a record is a ``tf.train.Example`` message, and its
images are PNG or JPEG.
"""

from __future__ import annotations

import io
import json
import struct
import threading
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jupyter_blueno.errors import MissingDependency, NotFound, UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Format, Header

Record = dict[str, list[Any]]  # feature → its values: bytes, floats or integers


class Prepared(Format):
    """One sample of a prepared set: the folder is the set, the key ``train/123``."""

    name: ClassVar[str] = "prepared"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def claims(self, path: Path, head: bytes) -> bool:
        return not head and is_prepared(path)

    def header(self, path: Path, key: str | None = None) -> Header:
        from PIL import Image

        with Image.open(io.BytesIO(_encoded(path, key))) as image:
            limits.check_picture(key or path.name, image.height, image.width)
            return Header("image2d", shape_of(image), dtype_of(image))

    def picture(self, path: Path, key: str | None = None) -> NDArray[Any]:
        return open_prepared(str(path)).decode(_encoded(path, key))

    def encoded(self, path: Path, key: str | None = None) -> tuple[str, bytes] | None:
        content = _encoded(path, key)
        if content.startswith(b"\xff\xd8"):
            return "image/jpeg", content
        return ("image/png", content) if content.startswith(b"\x89PNG") else None

    def stamp(self, path: Path) -> tuple[int, int]:
        return super().stamp(path / "dataset_info.json")


def _encoded(path: Path, key: str | None) -> bytes:
    if key is None:
        raise NotFound(f"'{path.name}' holds many samples; name one, such as 'train/0'.")
    prepared = open_prepared(str(path))
    return prepared.encoded(prepared.record(key))


def shape_of(image: Any) -> tuple[int, ...]:
    """``(H, W)`` or ``(H, W, C)`` of a Pillow image."""
    channels = len(image.getbands())
    return (image.height, image.width, channels) if channels > 1 else (image.height, image.width)


def dtype_of(image: Any) -> str:
    """numpy's name of a Pillow image's numbers, as PNG and JPEG have them."""
    return "uint16" if image.mode.startswith("I") else "uint8"


def is_prepared(folder: Path) -> bool:
    """Whether `folder` is a prepared set whose records can be read at random."""
    try:
        stamp = (folder / "dataset_info.json").stat().st_mtime_ns
    except OSError:
        return False
    return _is_prepared(folder, stamp)


@lru_cache(maxsize=256)
def _is_prepared(folder: Path, stamp: int) -> bool:
    try:
        info = json.loads((folder / "dataset_info.json").read_bytes())
    except (OSError, ValueError):
        return False
    formats = [info.get("fileFormat"), *info.get("alternativeFileFormats", [])]
    return (folder / "features.json").exists() and "array_record" in formats


@lru_cache(maxsize=64)
def open_prepared(folder: str) -> PreparedSet:
    """The set in `folder`, kept open: reading one record more costs no JSON."""
    return PreparedSet(Path(folder))


class PreparedSet:
    """A prepared set. Thread-safe.

    Parameters
    ----------
    folder : Path
        ``…/tfds/mnist/3.0.1``.

    Attributes
    ----------
    splits : dict of str to int
        How many records each split has.
    features : dict of str to dict
        The features at the top level, as ``features.json`` describes them.
    image : str or None
        The feature that is the picture: ``image`` if there is one, else the first.
    label : str or None
        The class label: the supervised one, ``label``, or the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            info = json.loads((folder / "dataset_info.json").read_bytes())
            features = json.loads((folder / "features.json").read_bytes())
            self.name: str = info["name"]
            self.features: dict[str, dict[str, Any]] = features["featuresDict"]["features"]
            shards = {one["name"]: [int(n) for n in one["shardLengths"]] for one in info["splits"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnreadableData(f"'{folder}' is not a prepared set: {error}. Prepare it again.") from error
        self.splits = {split: sum(lengths) for split, lengths in shards.items()}
        self._ends = {split: list(accumulate(lengths)) for split, lengths in shards.items()}
        self._lock = threading.Lock()
        self._readers: dict[tuple[str, int], Any] = {}
        self._names: dict[str, list[str] | None] = {}
        self.image = self._pick("image_feature.Image", "image") or self._pick("video_feature.Video", "video")
        self.is_video = self.image is not None and "video" in self.features[self.image]["pythonClassName"]
        supervised = info.get("supervisedKeys", {}).get("tuple", {}).get("items", [])
        wanted = supervised[1].get("featureKey", "label") if len(supervised) > 1 else "label"
        self.label = self._pick("class_label_feature.ClassLabel", wanted)

    def _pick(self, kind: str, preferred: str) -> str | None:
        found = [name for name, one in self.features.items() if one["pythonClassName"].endswith(kind)]
        return preferred if preferred in found else next(iter(found), None)

    # -- records --------------------------------------------------------------

    def records(self, split: str, start: int, stop: int) -> Iterator[Record]:
        """The records ``start … stop-1`` of `split`, in the order of `tfds.data_source`."""
        while start < stop:
            shard, first, end = self._shard(split, start)
            upto = min(stop, end)
            for raw in self._reader(split, shard).read(start - first, upto - first):
                yield parse_example(raw)
            start = upto

    def record(self, key: str) -> Record:
        """The record called `key`, e.g. ``train/123``."""
        split, _, number = key.rpartition("/")
        if split not in self.splits or not number.isdecimal() or int(number) >= self.splits[split]:
            raise NotFound(f"'{self.name}' has no sample '{key}'.")
        return next(self.records(split, int(number), int(number) + 1))

    def _shard(self, split: str, index: int) -> tuple[int, int, int]:
        ends = self._ends[split]
        shard = bisect_right(ends, index)
        return shard, ends[shard - 1] if shard else 0, ends[shard]

    def _reader(self, split: str, shard: int) -> Any:
        with self._lock:
            reader = self._readers.get((split, shard))
            if reader is None:
                count = len(self._ends[split])
                path = self.folder / f"{self.name}-{split}.array_record-{shard:05d}-of-{count:05d}"
                reader = self._readers[split, shard] = _open_records(path)
            return reader

    # -- values ---------------------------------------------------------------

    def pixels(self, record: Record) -> NDArray[Any]:
        """The picture of a record: (H, W), (H, W, C), or (T, H, W, C) of a video."""
        if self.image is None:
            raise UnreadableData(f"'{self.name}' has no image feature.")
        if self.is_video:
            return np.stack([self.decode(frame) for frame in record[self.image]])
        return self.decode(record[self.image][0])

    def encoded(self, record: Record) -> bytes:
        """The picture as it is stored, PNG or JPEG; of a video, the frame in the middle."""
        if self.image is None or not record.get(self.image):
            raise UnreadableData("The record has no picture.")
        frames: list[bytes] = record[self.image]
        return frames[len(frames) // 2]

    def decode(self, encoded: bytes) -> NDArray[Any]:
        """The numbers of a stored picture, ``(H, W[, C])``, as TFDS gives them."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(encoded)) as image:
                limits.check_picture(self.name, image.height, image.width)
                pixels: NDArray[Any] = np.asarray(image)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise UnreadableData(f"The picture cannot be decoded: {error}.") from error
        described = self.features[self.image or ""].get("image", {})
        if described.get("dtype") == "float32" and pixels.shape[-1:] == (4,):
            return np.ascontiguousarray(pixels).view(np.float32)[..., 0]  # stored in four channels of 8 bit
        if pixels.dtype == np.int32:
            return pixels.astype(np.uint16)  # what Pillow makes of some 16-bit PNGs
        return pixels

    def label_name(self, feature: str, number: int) -> str | None:
        """The name of class `number`; -1 is "not known" (test splits of some sets)."""
        if feature not in self._names:
            path = self.folder / f"{feature.replace('/', '-')}.labels.txt"
            self._names[feature] = path.read_text("utf-8").rstrip("\n").split("\n") if path.exists() else None
        names = self._names[feature]
        if number < 0:
            return None
        return names[number] if names is not None and number < len(names) else str(number)

    def attributes(self, record: Record) -> dict[str, Any]:
        """What else is known of a record: scalars, class names of short lists, a box (0 … 1)."""
        found: dict[str, Any] = {}
        for name, described in self.features.items():
            kind = described["pythonClassName"].rsplit(".", 1)[-1]
            values = record.get(name)
            if not values or name in (self.image, self.label) or kind in {"Image", "Video", "Audio"}:
                continue
            if kind == "ClassLabel":
                found[name] = self.label_name(name, values[0])
            elif kind == "Sequence" and "ClassLabel" in json.dumps(described):
                found[name] = [self.label_name(name, value) for value in values[:100]]
            elif kind == "BBoxFeature":
                found[name] = dict(zip(("ymin", "xmin", "ymax", "xmax"), values, strict=False))
            elif len(values) == 1:
                value = values[0]
                found[name] = value.decode("utf-8", "replace")[:1000] if isinstance(value, bytes) else value
        return found


def _open_records(path: Path) -> Any:
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise MissingDependency(
            "Prepared public sets need array_record: pip install 'jupyter-blueno[tfds]'."
        ) from error
    if not path.exists():
        raise UnreadableData(f"'{path}' is missing. Prepare the set again.")
    # One group at a time, no read-ahead threads: samples are asked for one by one or in short runs.
    return array_record_module.ArrayRecordReader(str(path), "readahead_buffer_size:0,max_parallelism:0")


# -- tf.train.Example, as it lies in the file ---------------------------------------


def parse_example(raw: bytes) -> Record:
    """Parse a ``tf.train.Example`` message.

    Its protocol buffer is Example{1: Features{1: map of name → Feature}}; a
    Feature is one of BytesList (1), FloatList (2), Int64List (3), each with its
    values in field 1, numbers packed.
    """
    record: Record = {}
    try:
        for _, features in _fields(raw):
            for _, entry in _fields(features):
                pair = dict(_fields(entry))
                record[pair[1].decode()] = _values(pair[2]) if 2 in pair else []
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise UnreadableData(f"A record is damaged: {error}.") from error
    return record


def _values(feature: bytes) -> list[Any]:
    for kind, content in _fields(feature):
        if kind == 1:
            return [value for _, value in _fields(content)]
        if kind == 2:
            packed = b"".join(value for _, value in _fields(content))
            return list(struct.unpack(f"<{len(packed) // 4}f", packed))
        return [number for _, packed in _fields(content) for number in _varints(packed)]
    return []


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each length-delimited field; unpacked numbers come as their bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        if tag & 7 == 2:
            length, at = _varint(message, at)
        elif tag & 7 == 5:
            length = 4
        elif tag & 7 == 0:
            length = _varint(message, at)[1] - at
        else:
            raise IndexError("unknown wire type")
        if at + length > end:
            raise IndexError("it ends too early")
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value - (1 << 64) if value >> 63 else value
