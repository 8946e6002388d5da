"""Answers with pixels: from what was asked to a file, and from its decoder to bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jupyter_blueno.api.catalog import DatasetRef, SamplesAt, get_dataset, get_samples
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.images import PictureRef, SliceRef, Thumbnails, VolumeRef
from jupyter_blueno.api.operation import Content
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound
from jupyter_blueno.imaging.model import VolumeInfo

if TYPE_CHECKING:
    from jupyter_blueno.catalog.model import Sample
    from jupyter_blueno.imaging.formats.base import Header
    from jupyter_blueno.imaging.pack import Tile

_DAY = 24 * 3600
_LARGEST = 16_384  # pixels along a side of a picture that may be asked for
_FARTHEST = 1 << 40  # no slice of any volume


class _Source(NamedTuple):
    path: str  # real, and below a folder that may be read
    key: str | None


def thumbnails(context: Context, ask: Thumbnails) -> Content:
    """Return many tiles in one body."""
    from jupyter_blueno.catalog.samples import parse_ordinals
    from jupyter_blueno.imaging.pack import ThumbnailPack

    ordinals = parse_ordinals(ask.ordinals)
    context.ask(get_dataset, DatasetRef(ask.dataset_id))  # may it be seen?
    pack = ThumbnailPack(context.config.home_path / "thumbnails" / str(ask.dataset_id))
    body, complete = pack.answer(ordinals)
    # Tiles that are still being made are asked for again.
    return Content(body, max_age=_DAY if complete and ask.revision else 0)


def picture(context: Context, ask: PictureRef) -> Content:
    """Return a picture as a browser shows it."""
    if not 1 <= ask.max_size <= _LARGEST:
        raise InvalidInput(f"max_size is 1 to {_LARGEST:,} pixels.", code="bad_size")
    source = _source(context, ask)
    media_type, content = context.platform.decoders.picture(source.path, source.key, ask.max_size)
    return Content(bytes(content), media_type)


def volume_info(context: Context, ask: VolumeRef) -> VolumeInfo:
    """Return how a volume is drawn."""
    source = _source(context, ask)
    return context.platform.decoders.info(source.path, source.key)


def volume_slice(context: Context, ask: SliceRef) -> Content:
    """Return the numbers of a slice; a browser keeps them for as long as the tag is that of the file."""
    if max(abs(ask.index), abs(ask.frame)) > _FARTHEST:  # more than a number on the way can hold
        raise InvalidInput("There is no such slice or frame.", code="slice_missing")
    source = _source(context, ask)
    facts, body = context.platform.decoders.slice(
        source.path, source.key, ask.plane, ask.index, ask.frame, ask.tag
    )
    shape = [facts["rows"], facts["columns"], *([facts["channels"]] * (facts["channels"] > 1))]
    headers = {
        "X-Blueno-Shape": ",".join(map(str, shape)),
        "X-Blueno-Dtype": facts["dtype"],
        "X-Blueno-Tag": facts["tag"],
    }
    return Content(bytes(body), "application/octet-stream", headers, max_age=_DAY if ask.tag else 0)


def inspect(context: Context, path: Path) -> tuple[Header, Tile] | None:
    """What a file is, and its thumbnail; None if that cannot be told: it may be data of any kind."""
    from jupyter_blueno.imaging.formats import has_known_suffix

    if not path.is_dir() and not has_known_suffix(path.name):
        return None
    try:
        return context.platform.decoders.inspect(str(path))
    except BluenoError:
        return None


def _source(context: Context, ask: PictureRef | VolumeRef | SliceRef) -> _Source:
    """The file that is meant.

    Raises
    ------
    InvalidInput
        ``bad_reference`` unless either a sample or a path is named.
    NotFound, OutsideRoots
    """
    if ask.path is not None and ask.dataset_id is None and ask.ordinal is None:
        return _Source(str(_file(context, ask.path)), None)
    if ask.path is None and ask.dataset_id is not None and ask.ordinal is not None:
        return _sample(context, ask.dataset_id, ask.ordinal)
    raise InvalidInput("Name either dataset_id and ordinal, or path.", code="bad_reference")


def _file(context: Context, path: str) -> Path:
    """The real path of a file below one of the roots; a relative one is below the server's."""
    from jupyter_blueno.catalog import location

    config = context.config
    if "\0" in path or not path.strip("/"):
        raise InvalidInput("That is no path of a file.", code="bad_reference")
    # The server appends its own root to the list.
    bases = [Path(os.path.expanduser(root)) for root in reversed(config.roots)] + [config.home_path]
    tried = [Path(path)] if path.startswith("/") else [base / path for base in bases]
    for one in tried:
        real = location.local_path(config, one.absolute().as_uri())
        if real.exists():
            return real
    raise NotFound(f"There is no file '{Path(path).name}' any more.", code="file_missing")


def _sample(context: Context, dataset_id: int, ordinal: int) -> _Source:
    """The file of a sample. It is remembered for a moment: scrolling asks for the same again and again."""
    from jupyter_blueno.catalog import location, samples

    def look() -> tuple[Sample, str | None]:
        found = context.ask(get_samples, SamplesAt(dataset_id, str(ordinal))).samples if ordinal >= 0 else []
        one = samples.found_one(found, dataset_id, ordinal)
        return one, context.ask(get_dataset, DatasetRef(dataset_id)).root

    sample, root = context.platform.found.get((context.user, dataset_id, ordinal), look)
    path = location.local_path(context.config, sample.data_url, root)
    if not path.exists():
        raise NotFound(
            f"The file of this sample, {path.name}, is gone. Put it back, or delete the sample.",
            code="file_missing",
        )
    return _Source(str(path), sample.data_key)
