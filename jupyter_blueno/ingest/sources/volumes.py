"""Single volumes: files, or folders that hold the files of one DICOM series."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.ingest.sources import folder
from jupyter_blueno.ingest.sources.files import FileSample


def check(paths: list[Path]) -> None:
    """Refuse paths that are not there.

    Raises
    ------
    InvalidInput, NotFound
    """
    if not paths:
        raise InvalidInput("No volume was named. Give at least one file or DICOM folder.", code="empty")
    for path in paths:
        if not path.exists():
            raise NotFound(f"There is no file or folder '{path}' on this server. Check the path.")
        if not path.is_file() and not path.is_dir():
            raise InvalidInput(
                f"'{path}' is a pipe or a device. Save the volume as a file first.", code="not_a_file"
            )


def scan(paths: list[Path]) -> tuple[list[FileSample], list[Problem]]:
    """Find the volumes: a file is one, a folder is one series or is searched for them."""
    samples: list[FileSample] = []
    problems: list[Problem] = []
    names: Counter[str] = Counter()
    for path in paths:
        if path.is_dir():
            found, wrong = folder.scan(path)
            problems += wrong
            if not found:
                problems.append(Problem(path.name, "empty", "There is no volume in this folder."))
        else:
            found = [FileSample(str(path), path.name)]
        for sample in found:
            below = path.is_dir() and sample.path != str(path)
            name = f"{path.name}/{sample.name}" if below and len(paths) > 1 else sample.name
            names[name] += 1
            unique = name if names[name] == 1 else f"{name} ({names[name]})"
            samples.append(FileSample(sample.path, unique, sample.split, sample.label, sample.key))
    return samples, problems
