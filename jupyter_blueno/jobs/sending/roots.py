"""Where the modules of the user's own lie: the working folder, paths that were added, editable installs."""

from __future__ import annotations

import ast
import functools
import os
import sysconfig
from pathlib import Path

from jupyter_blueno.jobs.model import JobSpec

_editable: dict[tuple[tuple[str, int], ...], list[Path]] = {}


def roots_of(folder: str, spec: JobSpec, python: str) -> list[Path]:
    """Folders in which the job's Python would look for the user's modules, first ones first."""
    named = spec.environment.get("PYTHONPATH") or os.environ.get("PYTHONPATH") or ""
    asked = [folder, *spec.search, *(part for part in named.split(os.pathsep) if part)]
    found = [Path(part) for part in asked] + editable(python)
    return [root for root in dict.fromkeys(found) if not _installed(root)]


def editable(python: str) -> list[Path]:
    """Folders of the packages that are installed in editable mode for a Python."""
    places = site_packages(python)
    stamps = tuple((str(place), os.stat(place).st_mtime_ns) for place in places)
    if stamps not in _editable:
        _editable[stamps] = [root for place in places for root in _in_site(place)]
    return _editable[stamps]


def site_packages(python: str) -> list[Path]:
    """Folders in which a Python has its packages: they change when one is installed or removed."""
    try:
        return _site_packages(python, os.stat(python).st_ino)
    except OSError:
        return []


@functools.lru_cache(64)
def _site_packages(python: str, number: int) -> list[Path]:
    bases = dict.fromkeys((Path(python).parents[1], Path(os.path.realpath(python)).parents[1]))
    return [place for base in bases for place in sorted(base.glob("lib*/python3*/*-packages"))]


def _in_site(place: Path) -> list[Path]:
    """What ``.pth`` files and the finders of setuptools name."""
    found: list[Path] = []
    for file in sorted(place.glob("*.pth")):
        for line in _text(file).splitlines():
            path = place / line.strip()
            if line.strip() and not line.startswith(("import ", "import\t", "#")) and path.is_dir():
                found.append(path.resolve())
    for file in sorted(place.glob("__editable___*_finder.py")):
        for name, target in _mapping(_text(file)).items():
            path = Path(target)
            if path.name in (name, f"{name}.py"):  # else its parent would not give it this name
                found.append(path.parent)
    return [path for path in found if path != place]


def _mapping(text: str) -> dict[str, str]:
    try:
        for node in ast.parse(text).body:
            names = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
            if any(isinstance(name, ast.Name) and name.id == "MAPPING" for name in names):
                value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
                return {str(name): str(path) for name, path in value.items()}
    except (SyntaxError, ValueError, AttributeError):
        pass
    return {}


def _installed(root: Path) -> bool:
    inside = f"{root}{os.sep}"
    return any(inside.startswith(place) for place in _places()) or not os.path.isdir(root)


@functools.cache
def _places() -> set[str]:
    paths = sysconfig.get_paths()
    return {paths[name] + os.sep for name in ("stdlib", "purelib", "platlib")}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
