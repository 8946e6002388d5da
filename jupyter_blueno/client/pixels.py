"""Pixels of samples, read by this process straight from where they lie."""

from __future__ import annotations

import math
import struct
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from jupyter_blueno import errors
from jupyter_blueno.api import images as api
from jupyter_blueno.catalog.model import Sample
from jupyter_blueno.client import look, session
from jupyter_blueno.client.progress import ProgressLine
from jupyter_blueno.imaging.limits import free_memory

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

SHARE = 0.8  # of the free memory that one call may take
READERS = 4  # threads; decoders let go of the interpreter's lock
SIDE = 256  # pixels of a sample's own picture
GREY, RGB, JPEG, PNG = 1, 2, 3, 4  # codecs of a tile


def read(sample: Sample) -> np.ndarray:
    """The pixels of one sample."""
    from jupyter_blueno import imaging

    return imaging.open(path_of(sample), sample.data_key).numpy()


def path_of(sample: Sample) -> Path:
    """The file that holds a sample's pixels.

    Raises
    ------
    InvalidInput
        If they are not on this machine.
    """
    parts = urlsplit(sample.data_url)
    if parts.scheme != "file":
        raise errors.InvalidInput(
            f"{sample.name} lies at {sample.data_url}, which is not a file on this machine. "
            "PlatformClient().download_sample(url) fetches its bytes.",
            code="not_a_file",
        )
    return Path(unquote(parts.path))


def stack(name: str, rows: Sequence[Sample]) -> np.ndarray:
    """The pixels of many samples of one shape, (N, *shape).

    Samples that lie in blocks (one ``.npy`` for many) are copied out of the
    mapped file at once; others are decoded one by one, in threads.
    """
    import numpy as np

    if not rows:
        raise errors.InvalidInput(f"There are no samples of {name} here: nothing to read.", code="empty")
    blocks, others = _blocks(rows)
    first = read(rows[others[0]]) if others else _open_block(next(iter(blocks)))[0]
    shape, dtype = first.shape, first.dtype
    _check_shapes(name, rows, shape)
    count = len(rows) * math.prod(shape) * dtype.itemsize
    check_memory(name, count, len(rows))
    images = np.empty((len(rows), *shape), dtype)
    with ProgressLine(f"Reading {name}") as line:
        done = 0
        for url, places in blocks.items():
            _copy_block(url, [int(rows[place].data_key or 0) for place in places], images, places)
            done += len(places)
            line.update(done, len(rows))
        _decode(name, rows, others, images, line, done)
    return images


def _blocks(rows: Sequence[Sample]) -> tuple[dict[str, list[int]], list[int]]:
    """Positions by block, and those that lie in none."""
    blocks: dict[str, list[int]] = defaultdict(list)
    others: list[int] = []
    for place, row in enumerate(rows):
        block = row.data_url.endswith(".npy") and row.data_key is not None and row.data_key.isdecimal()
        (blocks[row.data_url] if block else others).append(place)
    return blocks, others


def _open_block(url: str) -> np.ndarray:
    import numpy as np

    path = unquote(urlsplit(url).path)
    try:
        block: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise errors.UnreadableData(f"{path} cannot be read ({error}). Was it moved or deleted?") from None
    return block


def _copy_block(url: str, keys: list[int], images: np.ndarray, places: list[int]) -> None:
    import numpy as np

    block = _open_block(url)
    if max(keys) >= len(block) or block.shape[1:] != images.shape[1:]:
        raise errors.UnreadableData(
            f"{unquote(urlsplit(url).path)} is not the block that was registered: it has {block.shape}."
        )
    wanted, targets = np.asarray(keys), np.asarray(places)
    if (np.diff(wanted) == 1).all() and (np.diff(targets) == 1).all():
        images[places[0] : places[-1] + 1] = block[keys[0] : keys[-1] + 1]
    else:
        order = np.argsort(wanted)  # the file is read forwards
        images[targets[order]] = block[wanted[order]]


def _decode(
    name: str, rows: Sequence[Sample], places: list[int], images: np.ndarray, line: ProgressLine, done: int
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    if not places:
        return
    with ThreadPoolExecutor(READERS, "blueno-read") as pool:
        for place, array in zip(places, pool.map(lambda at: read(rows[at]), places), strict=True):
            if array.shape != images.shape[1:]:
                raise _different(name, [images.shape[1:], array.shape])
            images[place] = array
            done += 1
            line.update(done, len(rows))


def _check_shapes(name: str, rows: Sequence[Sample], shape: tuple[int, ...]) -> None:
    shapes = Counter(tuple(row.shape) for row in rows if row.shape is not None)
    if len({*shapes, shape}) > 1:
        raise _different(name, [one for one, _ in shapes.most_common()])


def _different(name: str, shapes: Sequence[tuple[int, ...]]) -> errors.InvalidInput:
    shown = ", ".join("×".join(map(str, shape)) for shape in shapes[:3]) + (" …" if len(shapes) > 3 else "")
    return errors.InvalidInput(
        f"The samples of {name} differ in shape ({shown}), so they make no one array. "
        "Read them one by one: for sample in dataset: sample.numpy().",
        code="shapes_differ",
    )


def check_memory(name: str, count: int, samples: int) -> None:
    """Refuse to allocate what does not fit.

    Raises
    ------
    TooLarge
    """
    free = free_memory()
    if count > SHARE * free:
        raise errors.TooLarge(
            f"{samples:,} samples of {name} take {look.size(count)}, and {look.size(free)} of memory are "
            "free. Select fewer with .where(…) or a slice, or read batches: "
            "for images, labels in dataset.iter(256).",
            code="out_of_memory",
        )


def label_array(rows: Sequence[Sample], labels: Sequence[str]) -> np.ndarray:
    """Labels of samples: numbers when all labels of the dataset are whole numbers, else text."""
    import numpy as np

    values = [row.label or "" for row in rows]
    if labels and "" not in values and all(_is_whole(one) for one in labels):
        return np.array([int(value) for value in values], np.int64)
    return np.array(values, dtype=np.str_)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return (
        digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0") and len(digits) < 19
    )


# ---- pictures


def strip_png(dataset_id: int, ordinals: Sequence[int]) -> bytes | None:
    """The thumbnails of a few samples beside each other, as one PNG."""
    tiles = thumbnails(dataset_id, ordinals)
    shown = [tiles[one] for one in ordinals if one in tiles]
    return look.png(look.strip(shown)) if shown else None


def sheet_png(dataset_id: int, ordinals: Sequence[int]) -> bytes | None:
    """The thumbnails of many samples in rows, as one PNG."""
    tiles = thumbnails(dataset_id, ordinals)
    shown = [tiles[one] for one in ordinals if one in tiles]
    return look.png(look.sheet(shown)) if shown else None


def thumbnails(dataset_id: int, ordinals: Sequence[int]) -> dict[int, Image.Image]:
    """Thumbnails by ordinal; those that have none are left out."""
    text = ",".join(map(str, sorted(set(ordinals))))
    body = session.call(api.get_thumbnails, api.Thumbnails(dataset_id, text)).body
    return unpack_tiles(body)


def unpack_tiles(body: bytes) -> dict[int, Image.Image]:
    """Take the answer of `get_thumbnails` apart."""
    magic, count = struct.unpack_from("<4sI", body)
    if magic != b"BLT1":
        raise errors.UnreadableData("The server's thumbnails are of another version; restart JupyterLab.")
    records = [struct.unpack_from("<IIHHB", body, 8 + 16 * number) for number in range(count)]
    offset = 8 + 16 * count
    found = {}
    for ordinal, length, width, height, codec in records:
        image = _tile(body[offset : offset + length], width, height, codec)
        offset += length
        if image is not None:
            found[ordinal] = image
    return found


def _tile(data: bytes, width: int, height: int, codec: int) -> Image.Image | None:
    import io

    from PIL import Image

    if codec == GREY:
        return Image.frombytes("L", (width, height), data)
    if codec == RGB:
        return Image.frombytes("RGB", (width, height), data)
    return Image.open(io.BytesIO(data)) if codec in {JPEG, PNG} else None


def sample_png(sample: Sample) -> bytes | None:
    """A picture of one sample: the image itself, or a volume's thumbnail."""
    try:
        if sample.kind != "volume3d":
            array = read(sample)
            if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4}):
                image = look.to_image(array)
                if max(image.size) > 2 * SIDE:
                    image.thumbnail((2 * SIDE, 2 * SIDE))
                elif max(image.size) < SIDE // 2:
                    times = max(1, SIDE // 2 // max(image.size))
                    image = image.resize((image.width * times, image.height * times), 0)
                return look.png(image)
        tiles: dict[int, Any] = thumbnails(sample.dataset_id, [sample.ordinal])
        return look.png(tiles[sample.ordinal]) if sample.ordinal in tiles else None
    except errors.BluenoError:
        return None  # the line of text beside it is still shown
