"""Notebooks that everybody begins with: the examples, and what a team gives to those who join it.

A copy is the person's own: what they change or delete stays so.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FOLDER = "welcome"  # in a person's home
OF_TEAM = "starters"  # in a team's shared folder
GIVEN = ".given.json"  # in a person's folder: the names of those that they were given
LARGEST = 10 << 20  # bytes of a file that is handed out
MOST = 200


def examples() -> Path | None:
    """The folder of the examples, in a checkout or in an installed package."""
    package = Path(__file__).parents[1]
    return next((one for one in (package / "examples", package.parent / "examples") if one.is_dir()), None)


def hand_out(home: Path, shared: Path | None) -> str | None:
    """Copy the starters that a person has not been given yet into their home.

    Parameters
    ----------
    home : Path
        The folder that their Lab shows.
    shared : Path, optional
        The shared folder of their team; what lies in its ``starters`` comes
        first, and in place of an example of the same name.

    Returns
    -------
    str or None
        The notebook to begin with, below `home`, if they are new.

    Raises
    ------
    OSError
        If it cannot be written, as into a full volume.
    """
    target = home / FOLDER
    is_new = not (target / GIVEN).exists()
    target.mkdir(exist_ok=True)
    given = set() if is_new else _given(target)
    fresh: list[str] = []
    for source in _starters(shared):
        if source.name in given:
            continue
        given.add(source.name)
        if not (target / source.name).exists():
            shutil.copyfile(source, target / source.name)
            fresh.append(source.name)
    if fresh or is_new:
        temporary = target / f"{GIVEN}.{os.getpid()}"
        temporary.write_text(json.dumps(sorted(given)))
        temporary.replace(target / GIVEN)
    first = next((name for name in fresh if name.endswith(".ipynb")), None)
    return f"{FOLDER}/{first}" if is_new and first else None


def _given(target: Path) -> set[str]:
    try:
        return set(json.loads((target / GIVEN).read_text()))
    except ValueError:
        return {path.name for path in target.iterdir()}  # nothing that is there is given twice


def _starters(shared: Path | None) -> Iterator[Path]:
    """The team's first; plain files of a moderate size."""
    folders = [shared / OF_TEAM] if shared is not None else []
    folders += filter(None, [examples()])
    for folder in folders:
        try:
            files = sorted(folder.iterdir())[:MOST]
        except OSError:  # there is none
            continue
        for file in files:
            plain = file.is_file() and not file.is_symlink() and not file.name.startswith(".")
            if plain and file.stat().st_size <= LARGEST:
                yield file
