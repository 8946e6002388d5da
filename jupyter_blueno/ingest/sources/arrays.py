"""Pixels that are in memory: numpy arrays, lists of them, torch and TensorFlow tensors.

They are written as ``.npy`` blocks, one for each shape and dtype; sample ``n``
of a block is its row ``n``. Whoever has the pixels writes them to the mount;
only rows go to the platform.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_blueno.catalog.model import NAME_LIMIT, SAMPLE_NAME_LIMIT, Dataset, Kind
from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.ingest.model import Batch, BeginVersion
from jupyter_blueno.ingest.run import Chunk, Destination, Report, fill

CHUNK_LENGTH = 5000  # samples
CHUNK_BYTES = 64 << 20  # of pixels, when samples are large
CHANNELS = (1, 3, 4)


@dataclass
class Block:
    """Samples of one shape: `pixels` is (N, …), `positions` says which samples they are."""

    pixels: NDArray[Any]
    positions: NDArray[np.int64]
    kind: Kind


@dataclass
class Columns:
    """What is known of the samples beside their pixels; each None or one value a sample."""

    names: list[str]
    labels: list[str | None] | None
    splits: list[str | None] | str | None


def ingest_arrays(
    destination: Destination,
    name: str,
    arrays: Any,
    labels: Any = None,
    split: Any = None,
    names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    description: str | None = None,
    info: dict[str, Any] | None = None,
    progress: Report | None = None,
) -> Dataset:
    """Make a dataset of arrays.

    Parameters
    ----------
    destination : Destination
        Where the rows go; it also says in which folder the pixels belong.
    name : str
        Of the dataset.
    arrays : array or sequence of arrays
        ``(N, H, W)``, ``(N, H, W, C)`` or ``(N, C, H, W)`` with 1, 3 or 4
        channels, ``(N, D, H, W)`` volumes (``(N, D, H, W, 3)`` of uint8 in
        colour), or a sequence of pictures or volumes of any shapes. Anything
        with ``__array__``: numpy, torch on the CPU, TensorFlow, Pillow. Booleans and numbers of up to 64 bit.
    labels : sequence, optional
        One a sample: text, numbers, or indices into `class_names`; None is no label.
    split : str or sequence of str, optional
        For all, or one a sample.
    names : sequence of str, optional
        Unique; by default the position, ``00042``.
    class_names : sequence of str, optional
        The names of the classes that `labels` count, from 0.
    progress : callable, optional
        Called with a `Progress` after each chunk.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInput
        If something does not fit; nothing was begun then.
    AlreadyExists
        If there is a dataset of that name.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LIMIT:
        raise InvalidInput(f"A dataset's name has 1 to {NAME_LIMIT} characters.")
    blocks = blocks_of(arrays)
    total = sum(len(block.pixels) for block in blocks)
    columns = columns_of(total, labels, split, names, class_names)
    opened = destination.begin(BeginVersion(name=name, count=total, description=description, info=info or {}))
    paths: list[Path] = []
    try:
        return fill(
            destination, opened, _chunks(blocks, columns, Path(opened.folder), paths), total, progress
        )
    except BaseException:
        for path in paths:
            with suppress(OSError):
                path.unlink()
        raise


def blocks_of(arrays: Any) -> list[Block]:
    """Sort pixels into blocks of one shape and dtype.

    Raises
    ------
    InvalidInput
        If they are not pictures or volumes of numbers.
    """
    if hasattr(arrays, "__array__"):
        whole = _numbers(arrays, "The array")
        if whole.ndim == 5 and whole.shape[-1] == 1:
            whole = whole[..., 0]
        if whole.ndim not in (3, 4) and not (whole.ndim == 5 and _is_coloured(whole)):
            raise InvalidInput(
                f"The array has the shape {whole.shape}; give (N, H, W) or (N, H, W, C) for pictures, "
                "(N, D, H, W) for volumes, (N, D, H, W, 3) of uint8 for volumes in colour, or a list."
            )
        if len(whole) == 0:
            raise InvalidInput("The array is empty: there is no sample in it.", code="empty")
        return [_block(whole, np.arange(len(whole)))]
    if not isinstance(arrays, Iterable):
        raise InvalidInput(
            f"Arrays are needed, not {type(arrays).__name__}: (N, H, W), (N, H, W, C), or a list of images."
        )
    items = [_numbers(item, f"Sample {n}") for n, item in enumerate(arrays)]
    if not items:
        raise InvalidInput("The list is empty: there is no sample in it.", code="empty")
    groups: dict[tuple[Any, ...], list[int]] = {}
    for n, item in enumerate(items):
        one_channel = item.ndim == 4 and item.shape[-1] == 1
        if item.ndim not in (2, 3) and not one_channel and not (item.ndim == 4 and _is_coloured(item)):
            raise InvalidInput(f"Sample {n} has the shape {item.shape}; give (H, W), (H, W, C) or (D, H, W).")
        groups.setdefault((item.shape, item.dtype.str), []).append(n)
    return [_block(np.stack([items[n] for n in group]), np.asarray(group)) for group in groups.values()]


def _numbers(item: Any, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(item)
    except Exception as error:  # a tensor on a GPU, a ragged list
        raise InvalidInput(f"{what} cannot be made a numpy array: {error}.") from error
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "uif" or array.dtype.itemsize > 8:
        raise InvalidInput(f"{what} holds {array.dtype}, not numbers. Convert it, e.g. .astype('uint8').")
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if 0 in array.shape[1:]:
        raise InvalidInput(f"{what} has no pixels: its shape is {array.shape}.")
    return array


def _block(pixels: NDArray[Any], positions: NDArray[np.int64]) -> Block:
    """Bring one shape into the order in which it is stored, and say what it is."""
    if pixels.ndim == 5:
        if _is_coloured(pixels):
            return Block(pixels, positions, "volume3d")
        pixels = pixels[..., 0]
    if pixels.ndim == 3:
        return Block(pixels, positions, "image2d")
    if pixels.shape[-1] in CHANNELS:
        return Block(pixels[..., 0] if pixels.shape[-1] == 1 else pixels, positions, "image2d")
    if pixels.shape[1] in CHANNELS:  # torch's order
        pixels = np.moveaxis(pixels, 1, -1)
        return Block(pixels[..., 0] if pixels.shape[-1] == 1 else pixels, positions, "image2d")
    return Block(pixels, positions, "volume3d")


def _is_coloured(volumes: NDArray[Any]) -> bool:
    return volumes.shape[-1] in CHANNELS[1:] and volumes.dtype == np.uint8


def columns_of(total: int, labels: Any, split: Any, names: Any, class_names: Sequence[str] | None) -> Columns:
    """Check and convert what comes beside the pixels.

    Raises
    ------
    InvalidInput, TooLarge
    """
    if names is None:
        width = len(str(total - 1))
        named = [f"{n:0{width}d}" for n in range(total)]
    else:
        named = [str(one) for one in _sequence(names, "names", total)]
        if len(set(named)) < total:
            raise InvalidInput("Two samples have the same name. Give each its own.", code="name_twice")
        if max(map(len, named)) > SAMPLE_NAME_LIMIT:
            raise TooLarge(f"A sample's name has at most {SAMPLE_NAME_LIMIT} characters.")
    splits: list[str | None] | str | None = None
    if split is None or isinstance(split, str):
        splits = split or None
    else:
        splits = [None if one is None else str(one) for one in _sequence(split, "split", total)]
    labelled = None if labels is None else _labels(_sequence(labels, "labels", total), class_names)
    return Columns(named, labelled, splits)


def _sequence(values: Any, what: str, total: int) -> list[Any]:
    if isinstance(values, (str, bytes)):
        raise InvalidInput(f"'{what}' is one text; give a list with one entry a sample.")
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]  # how Keras gives the labels of CIFAR
        if array.ndim != 1:
            raise InvalidInput(f"'{what}' has the shape {array.shape}; give one entry a sample.")
        listed: list[Any] = array.tolist()
    elif not isinstance(values, Iterable):
        raise InvalidInput(f"'{what}' is {type(values).__name__}; give a list with one entry a sample.")
    else:
        listed = [one.item() if getattr(one, "ndim", None) == 0 else one for one in values]
    if len(listed) != total:
        raise InvalidInput(f"'{what}' has {len(listed):,} entries, but there are {total:,} samples.")
    return listed


def _labels(values: list[Any], class_names: Sequence[str] | None) -> list[str | None]:
    for value in values:
        if value is not None and not isinstance(value, (str, bytes, int, float)):
            raise InvalidInput(
                f"A label is a text or a number, not {type(value).__name__} ({str(value)[:40]}). Give each "
                "sample one: labels=[str(one) for one in labels].",
                code="label_type",
            )
    known = {value: _label(value, class_names) for value in set(values)}
    return [known[value] for value in values]


def _label(value: Any, class_names: Sequence[str] | None) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if class_names is None or isinstance(value, str):
        return str(value)
    if not isinstance(value, int) or not 0 <= value < len(class_names):
        raise InvalidInput(f"The label {value!r} is none of the {len(class_names)} classes in 'class_names'.")
    return str(class_names[value])


# -- writing --------------------------------------------------------------------------


def _chunks(blocks: list[Block], columns: Columns, folder: Path, paths: list[Path]) -> Iterator[Chunk]:
    folder.mkdir(parents=True, exist_ok=True)
    for block in blocks:
        path = folder / f"{uuid.uuid4().hex[:12]}.npy"
        paths.append(path)
        write_block(path, block.pixels)
        url = path.as_uri()
        step = max(1, min(CHUNK_LENGTH, CHUNK_BYTES // max(1, block.pixels[0].nbytes)))
        for start in range(0, len(block.pixels), step):
            pixels = block.pixels[start : start + step]
            rows = block.positions[start : start + step].tolist()
            batch = Batch(
                first_ordinal=0,
                names=[columns.names[n] for n in rows],
                data_url=url,
                keys=[str(n) for n in range(start, start + len(rows))],
                kind=block.kind,
                split=_at(columns.splits, rows),
                label=_at(columns.labels, rows),
                shape=list(pixels.shape[1:]),
                dtype=pixels.dtype.name,
                bytes=pixels[0].nbytes,
            )
            yield Chunk(batch, pixels if block.kind == "image2d" else _volume_tiles(path, batch.keys or []))


def _volume_tiles(path: Path, keys: list[str | None]) -> list[Any]:
    from jupyter_blueno import imaging

    return [imaging.inspect(path, key)[1] for key in keys]


def _at(column: list[str | None] | str | None, rows: list[int]) -> list[str | None] | str | None:
    return [column[n] for n in rows] if isinstance(column, list) else column


def write_block(path: Path, pixels: NDArray[Any]) -> None:
    """Write a block so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "wb") as file:
            np.save(file, np.ascontiguousarray(pixels), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
