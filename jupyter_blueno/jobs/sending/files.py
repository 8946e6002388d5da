"""Files that a job takes along because its user named them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.jobs.sending.modules import SKIPPED

COUNT_LIMIT = 5000
TOTAL_LIMIT = 2 * 10**9  # bytes; data belongs in a dataset, or stays where it is


def named(patterns: Iterable[str], folder: Path) -> dict[str, Path]:
    """Name below `folder` → file, for paths, folders and patterns such as ``conf/*.yaml``.

    What lies elsewhere gets its last name.

    Raises
    ------
    InvalidInput
        If nothing is there.
    TooLarge
    """
    found: dict[str, Path] = {}
    total = 0
    for pattern in patterns:
        before = len(found)
        for file in _matching(pattern, folder):
            path = Path(os.path.abspath(file))
            name = str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
            total += 0 if name in found else _size(path)
            found[name] = path
            if len(found) > COUNT_LIMIT or total > TOTAL_LIMIT:
                raise TooLarge(
                    f"'{pattern}' is more than {COUNT_LIMIT:,} files or {TOTAL_LIMIT / 1e9:g} GB; a job "
                    "takes small files along. Make data a dataset, or give its path.",
                    code="files_too_large",
                )
        if len(found) == before and not any(True for _ in _matching(pattern, folder)):
            there = [one.name for one in folder.iterdir()] if folder.is_dir() else []
            near = difflib.get_close_matches(pattern, there, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InvalidInput(f"There is no file '{pattern[:80]}' in {folder}.{hint}", code="file_not_found")
    return found


def _size(path: Path) -> int:
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise InvalidInput(
            f"'{path}' cannot be read ({error.strerror}). Leave it out, or mend its permissions.",
            code="file_unreadable",
        ) from None


def _matching(pattern: str, folder: Path) -> Iterator[Path]:
    place = folder / os.path.expanduser(pattern)
    if place.is_file():
        yield place
    elif place.is_dir():
        for parent, folders, names in os.walk(place):
            folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
            inside = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
            yield from (file for file in inside if file.is_file())  # a link may lead nowhere
    elif any(sign in pattern for sign in "*?["):
        base = Path(place.anchor) if place.is_absolute() else folder
        for file in sorted(base.glob(str(place.relative_to(base)))):
            if file.is_file():
                yield file
