"""What surrounds a job's code: installed packages, the commit it was at."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

from jupyter_blueno.jobs.sending.roots import site_packages

DIFF_LIMIT = 1 << 20  # bytes
PATIENCE = 20.0  # seconds for git or another Python to answer

_LIST = (
    "import json, platform, importlib.metadata as m;"
    "found = {d.metadata['Name'] + '==' + d.version for d in m.distributions() if d.metadata['Name']};"
    "print(json.dumps([platform.python_version(), sorted(found, key=str.lower)]))"
)


_answers: dict[str, tuple[str, list[str]]] = {}


def packages(python: str, cache: Path) -> tuple[str | None, list[str]]:
    """The version of a Python and its packages as ``name==version``.

    Asking takes some 0.3 s, so the answer is kept until a package folder of
    that Python changes.
    """
    stamps = [os.stat(place).st_mtime_ns for place in site_packages(python)]
    key = hashlib.sha256(json.dumps([python, stamps]).encode()).hexdigest()[:32]
    if key not in _answers:
        kept = cache / f"{key}.json"
        found = _read(kept) or _ask(python, kept)
        if found is None:
            return None, []
        _answers[key] = found
    return _answers[key]


def _read(kept: Path) -> tuple[str, list[str]] | None:
    try:
        version, found = json.loads(kept.read_text())
    except (OSError, ValueError):
        return None
    return version, found


def _ask(python: str, kept: Path) -> tuple[str, list[str]] | None:
    try:
        asked = subprocess.run(
            [python, "-I", "-c", _LIST], capture_output=True, timeout=PATIENCE, check=True, text=True
        )
        version, found = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    temporary = kept.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps([version, found]))
    temporary.replace(kept)
    return version, found


def commit(folder: str) -> tuple[str | None, str | None]:
    """The git commit that `folder` is at, and what was changed since; None outside of git."""
    if not any((parent / ".git").exists() for parent in (Path(folder), *Path(folder).parents)):
        return None, None
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None, None
    diff = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff") or ""
    if len(diff) > DIFF_LIMIT:
        diff = diff[:DIFF_LIMIT] + "\n[… the rest was left out …]\n"
    return head.strip(), diff or None


def _git(folder: str, *words: str) -> str | None:
    try:
        asked = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.decode(errors="replace")
