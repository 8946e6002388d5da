"""The run that fills a version: thumbnails into the pack, rows into the catalog, chunk by chunk."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from jupyter_blueno.catalog.model import Dataset, Problem, Progress
from jupyter_blueno.errors import BluenoError, InvalidInput
from jupyter_blueno.ingest.model import Batch, BeginVersion, OpenVersion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jupyter_blueno.imaging.pack import Tile

PROBLEM_LIMIT = 1000  # problems that are kept by name; the rest is counted

Report = Callable[[Progress], None]


class Cancelled(BaseException):
    """Somebody asked the run to stop. Not an `Exception`: nothing on the way may swallow it."""


class Destination(Protocol):
    """Where rows go: the platform's operations, in this process or over HTTP."""

    def begin(self, ask: BeginVersion) -> OpenVersion:
        """Begin a version that the caller fills."""

    def reserve(self, dataset_id: int, count: int) -> int:
        """Reserve a run of `count` ordinals and return the first."""

    def add(self, version_id: int, batch: Batch, progress: Progress | None) -> None:
        """Add rows in one transaction; an empty batch only tells the progress."""

    def finish(self, version_id: int, reason: str | None, problems: list[Problem]) -> Dataset:
        """Make the version ready, or failed when there is a `reason`."""


@dataclass
class Chunk:
    """Some samples, examined.

    Parameters
    ----------
    batch : Batch
        Their rows; `first_ordinal` is filled in by the run.
    tiles : list of Tile, or array (N, H, W[, C])
        Their thumbnails in the order of the rows, or the pictures to make them of.
    problems : list of Problem
        Samples that belonged here and could not be read.
    """

    batch: Batch
    tiles: Sequence[Tile | None] | NDArray[Any]
    problems: list[Problem] = field(default_factory=list)


def fill(
    destination: Destination,
    opened: OpenVersion,
    chunks: Iterable[Chunk],
    total: int | None,
    report: Report | None = None,
) -> Dataset:
    """Fill an open version and finish it.

    Whatever happens, the version does not stay ``preparing``: it becomes ready,
    or failed with a reason, and then nothing of it is visible.

    Parameters
    ----------
    destination : Destination
    opened : OpenVersion
    chunks : iterable of Chunk
        Made lazily: the next one is examined while nothing is lost of the last.
    total : int or None
        How many samples are expected, for the progress.
    report : callable, optional
        Called with the progress after each chunk.

    Returns
    -------
    Dataset
        With its new version, ready.

    Raises
    ------
    BluenoError
        What ended the run; its message is the version's reason.
    """
    problems: list[Problem] = []
    try:
        added = _add_all(destination, opened, chunks, total, report, problems)
        if not added:
            raise InvalidInput(_nothing_added(problems), code="no_samples")
    except BaseException as error:
        _give_up(destination, opened.version_id, reason_of(error), problems)
        raise
    return destination.finish(opened.version_id, None, shortened(problems))


def _add_all(
    destination: Destination,
    opened: OpenVersion,
    chunks: Iterable[Chunk],
    total: int | None,
    report: Report | None,
    problems: list[Problem],
) -> int:
    from jupyter_blueno.imaging.thumbnails import ThumbnailPack, add_arrays

    added = 0
    pack = ThumbnailPack(opened.thumbnails)
    for chunk in chunks:
        problems += chunk.problems
        count = len(chunk.batch.names)
        progress = Progress(added + count + len(problems), total)
        if count:
            first = destination.reserve(opened.dataset_id, count)
            if isinstance(chunk.tiles, Sequence):
                pack.append(first, chunk.tiles)
            else:
                add_arrays(pack, first, chunk.tiles)
            batch = msgspec.structs.replace(chunk.batch, first_ordinal=first)
            destination.add(opened.version_id, batch, progress)
            added += count
        if report is not None:
            report(progress)
    return added


def _give_up(destination: Destination, version_id: int, reason: str, problems: list[Problem]) -> None:
    try:
        destination.finish(version_id, reason, shortened(problems))
    except BluenoError:
        # The platform is away: whoever sees that this process ended marks the version.
        return


def reason_of(error: BaseException) -> str:
    """What ended a run, as a sentence for the dataset's row."""
    if isinstance(error, BluenoError):
        return error.message
    if isinstance(error, (Cancelled, KeyboardInterrupt)):
        return "It was cancelled."
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Make room, then start it again."
    if isinstance(error, MemoryError):
        return "There was not enough memory. Close other programs, then start it again."
    return f"It stopped on an unexpected error, {type(error).__name__}: {error}."[:1000]


def shortened(problems: list[Problem]) -> list[Problem]:
    """The first problems by name, the rest as a number."""
    if len(problems) <= PROBLEM_LIMIT:
        return problems
    rest = len(problems) - PROBLEM_LIMIT
    return [*problems[:PROBLEM_LIMIT], Problem("…", "more_problems", f"And {rest:,} more samples.")]


def _nothing_added(problems: list[Problem]) -> str:
    if not problems:
        return "There are no images or volumes in it. Check the path and the kinds of files."
    first = problems[0]
    return f"None of its {len(problems):,} samples could be read. The first, '{first.name}': {first.message}"


def tell(destination: Destination, opened: OpenVersion, progress: Progress) -> None:
    """Say how far a run is when there are no rows to send yet."""
    destination.add(opened.version_id, Batch(0, [], ""), progress)
