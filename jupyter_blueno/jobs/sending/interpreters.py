"""Which Python a job runs: a path, a folder with an environment, a conda environment's name, a version."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_blueno.errors import InvalidInput

_VERSION = re.compile(r"3\.\d{1,2}(\.\d{1,2})?")
_USUAL = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")
PATIENCE = 20.0  # seconds for a Python to say its version


def is_version(asked: str) -> bool:
    """Whether ``"3.12"`` was asked for rather than a place."""
    return bool(_VERSION.fullmatch(asked))


def find(asked: str | None) -> str:
    """The interpreter that is meant; None is that of the server.

    Raises
    ------
    InvalidInput
        If there is none; the sentence lists what there is of conda.
    """
    if asked is None:
        return sys.executable
    with contextlib.suppress(OSError, ValueError):
        place = os.path.expanduser(asked)
        for candidate in (place, os.path.join(place, "bin", "python")):
            found = shutil.which(candidate)
            if found is not None and not os.path.isdir(found):
                return os.path.abspath(found)
        if is_version(asked):
            found = shutil.which(f"python{asked}")
            if found is not None:
                return os.path.abspath(found)
        for folder in _conda():
            if folder.name == asked and (folder / "bin" / "python").is_file():
                return str(folder / "bin" / "python")
    names = sorted(folder.name for folder in _conda())
    there = f" There are the conda environments {', '.join(names[:8])}." if names else ""
    raise InvalidInput(
        f"There is no Python at '{asked[:80]}'; give the path of one, the folder of an environment, the name "
        f"of a conda environment, or a version such as 3.12.{there}",
        code="python_not_found",
    )


def place(asked: str | None) -> str:
    """As `find`, but a path that leads to nothing is taken as it is: where the work runs it may be one.

    Raises
    ------
    InvalidInput
        If it is no path.
    """
    try:
        return find(asked)
    except InvalidInput:
        if asked is not None and os.path.isabs(asked):
            return asked
        raise


def _conda() -> Iterator[Path]:
    """Folders of the conda environments that this user has."""
    seen: set[Path] = set()
    listed = Path.home() / ".conda" / "environments.txt"
    with contextlib.suppress(OSError):
        seen.update(Path(line) for line in listed.read_text().splitlines() if line)
    roots = [os.environ.get("CONDA_EXE", "").removesuffix("/bin/conda")]
    roots += [os.environ.get("MAMBA_ROOT_PREFIX", ""), *(str(Path.home() / name) for name in _USUAL)]
    for root in roots:
        if root:
            with contextlib.suppress(OSError):
                seen.update(Path(root, "envs").iterdir())
    yield from (folder for folder in sorted(seen) if folder.is_dir())


@functools.lru_cache(256)
def _version(python: str, changed: int) -> str | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = [python, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return done.stdout.strip()
    return None


def version(python: str) -> str | None:
    """``3.12`` of an interpreter; None where it cannot say."""
    if python == sys.executable:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        return _version(python, os.stat(python).st_mtime_ns)
    except OSError:
        return None
