"""Files that a job took along, found again inside of it. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def file(path: str | os.PathLike[str]) -> Path:
    """The place of a file that was named in ``files=[…]``, as it was when the job was submitted.

    Outside of a job, and of a file that was not named, it is the path itself: the
    same code runs in a notebook.

    Examples
    --------
    >>> @blueno.job(files=["conf.yaml"])
    ... def train():
    ...     return blueno.file("conf.yaml").read_text()
    """
    from jupyter_blueno.jobs import lean
    from jupyter_blueno.jobs.inside import reporting

    given = Path(path).expanduser()
    folder = reporting.folder()
    if folder is None:
        return given
    try:
        began = lean.read_json(os.path.join(folder, "run.json"))["cwd"]
    except (OSError, ValueError):
        return given
    whole = Path(os.path.abspath(os.path.join(began, given)))
    name = whole.relative_to(began) if whole.is_relative_to(began) else Path(whole.name)
    kept = Path(folder, "code", name)
    return kept if kept.exists() else given
