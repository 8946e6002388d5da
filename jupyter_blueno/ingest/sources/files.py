"""What the sources that register files in place have in common: files in, chunks out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from jupyter_blueno.catalog.model import Kind, Problem
from jupyter_blueno.ingest.model import Batch
from jupyter_blueno.ingest.run import Chunk
from jupyter_blueno.ingest.workers import Workers, available_processors, problem_of

FEW = 32  # pictures that are not worth a second process
RUN_LENGTH = 500  # files that are sent to a process at once
VOLUME_SUFFIXES = (".nii", ".nii.gz", ".npy", ".npz")


@dataclass(frozen=True)
class FileSample:
    """A file, or a folder that is one volume, that shall become a sample."""

    path: str
    name: str
    split: str | None = None
    label: str | None = None
    key: str | None = None


class Facts(Struct, frozen=True, array_like=True):
    """What a file says of itself, with its thumbnail."""

    kind: Kind
    shape: list[int]
    dtype: str
    spacing: list[float] | None
    bytes: int
    tile: Any  # Tile; None if there is nothing to show


def examine(sample: FileSample) -> Facts | Problem:
    """Read header and thumbnail of one file; runs in a process of its own."""
    from jupyter_blueno import imaging

    path = Path(sample.path)
    try:
        header, tile = imaging.inspect(path, sample.key)
        return Facts(
            header.kind,
            list(header.array_shape),
            header.dtype,
            list(header.spacing) if header.spacing is not None else None,
            _size_of(path),
            tile,
        )
    except Exception as error:
        return problem_of(sample.name, error)


def _size_of(path: Path) -> int:
    if path.is_dir():
        return sum(one.stat().st_size for one in path.iterdir() if one.is_file())
    return path.stat().st_size


def examined(samples: Sequence[FileSample], processes: int | None = None) -> Iterator[Chunk]:
    """Examine `samples` in processes and yield them as chunks, in order."""
    heavy = any(_is_volume(sample) for sample in samples[:100])
    worth = len(samples) if heavy else -(-len(samples) // FEW)
    count = max(1, min(processes or available_processors(), worth))
    with Workers(f"{__name__}:examine", count, name_of=lambda sample: sample.name) as workers:
        runs = list(_runs(samples, count, heavy))
        for run, results in zip(runs, workers.map(runs), strict=True):
            yield _chunk(run, results)


def _runs(samples: Sequence[FileSample], processes: int, heavy: bool) -> Iterator[Sequence[FileSample]]:
    """Several runs for each process: all have work until the end, and progress is seen."""
    length = max(1, min(4 if heavy else RUN_LENGTH, len(samples) // (4 * processes)))
    for start in range(0, len(samples), length):
        yield samples[start : start + length]


def _is_volume(sample: FileSample) -> bool:
    return sample.path.endswith(VOLUME_SUFFIXES) or sample.key is not None or Path(sample.path).is_dir()


def _chunk(run: Iterable[FileSample], results: Iterable[Facts | Problem]) -> Chunk:
    problems: list[Problem] = []
    good: list[tuple[FileSample, Facts]] = []
    for sample, result in zip(run, results, strict=True):
        if isinstance(result, Problem):
            problems.append(result)
        else:
            good.append((sample, result))
    batch = Batch(
        first_ordinal=0,
        names=[sample.name for sample, _ in good],
        data_url=[Path(sample.path).as_uri() for sample, _ in good],
        keys=[sample.key for sample, _ in good] if any(sample.key for sample, _ in good) else None,
        kind=[facts.kind for _, facts in good],
        split=[sample.split for sample, _ in good],
        label=[sample.label for sample, _ in good],
        shapes=[facts.shape for _, facts in good],
        dtype=[facts.dtype for _, facts in good],
        spacings=[facts.spacing for _, facts in good],
        bytes=[facts.bytes for _, facts in good],
    )
    return Chunk(batch, [facts.tile for _, facts in good], problems)
