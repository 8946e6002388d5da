"""Single files: pictures, volumes, or folders that hold the files of one DICOM series."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from jupyter_blueno.catalog.checks import VALUE_LIMIT, check_sample_name, check_text
from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.ingest.model import FileSource
from jupyter_blueno.ingest.sources import folder
from jupyter_blueno.ingest.sources.files import FileSample


def check(source: FileSource, paths: list[Path]) -> None:
    """Refuse paths that are not there, and columns that do not fit them.

    Raises
    ------
    InvalidInput, NotFound
    """
    if not paths:
        raise InvalidInput("No file was named. Give at least one picture, volume or folder.", code="empty")
    for path in paths:
        if not path.exists():
            raise NotFound(f"There is no file or folder '{path}' on this server. Check the path.")
        if not path.is_file() and not path.is_dir():
            raise InvalidInput(
                f"'{path}' is a pipe or a device. Save the data as a file first.", code="not_a_file"
            )
    for what in ("names", "labels", "splits"):
        column: list[str | None] = getattr(source, what)
        if column and len(column) != len(paths):
            raise InvalidInput(
                f"'{what}' has {len(column):,} entries, but there are {len(paths):,} paths.",
                code="column_length",
            )
    for name in source.names:
        check_sample_name(name)
    if len(set(source.names)) < len(source.names):
        raise InvalidInput("Two samples have the same name. Give each its own.", code="name_twice")
    for value in {*source.labels, *source.splits} - {None}:
        check_text(value or "", "A label or split", VALUE_LIMIT)


def scan(source: FileSource) -> tuple[list[FileSample], list[Problem]]:
    """Find the samples: a file is one, a folder is one series or is searched for them."""
    samples: list[FileSample] = []
    problems: list[Problem] = []
    taken: Counter[str] = Counter()
    for number, path in enumerate(map(Path, source.paths)):
        called = source.names[number] if source.names else path.name
        if path.is_dir():
            found, wrong = folder.scan(path)
            problems += wrong
            if not found:
                problems.append(Problem(called, "empty", "There is no picture or volume in this folder."))
        else:
            found = [FileSample(str(path), path.name)]
        for sample in found:
            name = called
            if path.is_dir() and sample.path != str(path):  # one of those below it
                name = f"{called}/{sample.name}" if source.names or len(source.paths) > 1 else sample.name
            taken[name] += 1
            samples.append(
                replace(
                    sample,
                    name=name if taken[name] == 1 else f"{name} ({taken[name]})",
                    label=(source.labels[number] if source.labels else None) or sample.label,
                    split=(source.splits[number] if source.splits else None) or sample.split,
                )
            )
    return samples, problems
