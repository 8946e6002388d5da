"""Paths as Lab knows them: below the root of the Jupyter server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path


def below_root(path: str | os.PathLike[str]) -> str:
    """A file's path below the root of the server whose kernel this is, else of another that runs here.

    Parameters
    ----------
    path : str or os.PathLike
        Absolute.

    Returns
    -------
    str
        With ``/`` between folders; as it was where it is below none of them.
    """
    for root in _roots():
        for seen in (os.path.abspath, os.path.realpath):
            place, above = Path(seen(path)), Path(seen(root))
            if place.is_relative_to(above):
                return place.relative_to(above).as_posix()
    return os.fspath(path)


def _roots() -> Iterator[str]:
    from jupyter_core.paths import jupyter_runtime_dir

    folder = Path(jupyter_runtime_dir())
    parent = folder / f"jpserver-{os.environ.get('JPY_PARENT_PID', '')}.json"
    for file in (parent, *(one for one in sorted(folder.glob("jpserver-*.json")) if one != parent)):
        try:
            server = json.loads(file.read_text())
            os.kill(server["pid"], 0)
            yield os.path.expanduser(server["root_dir"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
