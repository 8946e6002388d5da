"""One background ingest, from request to finished version."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec
from msgspec import Struct

from jupyter_blueno.catalog.model import Dataset, Problem, Progress, User
from jupyter_blueno.config import Config
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.ingest.model import (
    Batch,
    FileSource,
    FolderSource,
    OpenVersion,
    PublicSource,
    Source,
    UploadSource,
)
from jupyter_blueno.ingest.run import Chunk, Destination, Report, fill, reason_of, tell
from jupyter_blueno.ingest.sources import files, folder, public, single, upload
from jupyter_blueno.ingest.sources.tfrecord import add_tfrecord


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """What a background ingest is told: who asks, what for, and the version it fills."""

    user: User
    source: Source
    opened: OpenVersion


@dataclass(frozen=True)
class Checked:
    """A source that may be read: `source` with real paths, `root` for the dataset."""

    source: Source
    root: str | None


def check(config: Config, source: Source) -> Checked:
    """Refuse at once what cannot become a dataset.

    Raises
    ------
    NotFound, InvalidInput, OutsideRoots, MissingDependency
        In a sentence that says what to do.
    """
    if isinstance(source, FolderSource):
        place = config.resolve(source.path)
        folder.check(place)
        return Checked(FolderSource(str(place)), str(place))
    if isinstance(source, FileSource):
        paths = [config.resolve(path) for path in source.paths]
        single.check(source, paths)
        real = msgspec.structs.replace(source, paths=[str(path) for path in paths])
        return Checked(real, _common_root(config, paths))
    if isinstance(source, UploadSource):
        upload.check(config, source.upload_id)
        return Checked(source, None)
    public.check(config, source.builder)
    return Checked(source, None)


def _common_root(config: Config, paths: list[Path]) -> str | None:
    """The folder that all paths are below, if it may be read itself."""
    import os

    common = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in paths]))
    try:
        return str(config.resolve(common))
    except BluenoError:
        return None


def run(config: Config, destination: Destination, request: Request, report: Report) -> Dataset:
    """Do the ingest. The version is ready or failed afterwards, whatever happens.

    Raises
    ------
    BluenoError, OSError
        What ended it; the version's reason says so too.
    """
    opened = request.opened
    try:
        chunks, total = _chunks(config, destination, request, report)
    except BaseException as error:
        destination.finish(opened.version_id, reason_of(error), [])
        raise
    return fill(destination, opened, chunks, total, report)


def _chunks(
    config: Config, destination: Destination, request: Request, report: Report
) -> tuple[Iterable[Chunk], int | None]:
    source, opened = request.source, request.opened

    def say(message: str, total: int | None = None) -> None:
        progress = Progress(0, total, message)
        tell(destination, opened, progress)
        report(progress)

    if isinstance(source, PublicSource):
        prepared = public.prepare(config, source.builder, say)
        ours = prepared.is_relative_to(config.home_path)  # else others keep it
        if source.tfrecord and ours and importlib.util.find_spec("tensorflow"):
            add_tfrecord(prepared, say)
        total = public.count(prepared)
        say("Reading", total)
        return public.chunks(prepared), total
    say("Looking for images")
    if isinstance(source, FileSource):
        samples, problems = single.scan(source)
    elif isinstance(source, FolderSource):
        samples, problems = folder.scan(Path(source.path))
    else:
        taken = upload.take(config, source.upload_id, Path(opened.folder))
        samples, problems = folder.scan(taken)
    total = len(samples) + len(problems)
    say("Reading", total)
    return chain(_only_problems(problems), files.examined(samples)), total


def _only_problems(problems: list[Problem]) -> Iterator[Chunk]:
    if problems:
        yield Chunk(Batch(0, [], ""), [], problems)
