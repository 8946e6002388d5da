"""Which local modules a piece of code imports, found without running it."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import pickletools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending.objects import Objects

FILES_LIMIT = 5000
FILE_LIMIT = 1 << 20  # bytes of a file beside the code: a configuration, not data
TOTAL_LIMIT = 64 << 20
COMPILED = {".so", ".pyd", ".dylib"}
SKIPPED = {"__pycache__", "node_modules", "site-packages", "dist-packages"}

_known: dict[tuple[str, str], set[str]] = {}
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class LocalModules:
    """Takes the modules that code imports and that are not installed ones.

    A package is copied whole, so that what it imports by name at run time is
    there as well; of a folder without ``__init__.py`` only what is imported.

    Parameters
    ----------
    roots : sequence of Path
        Where modules are looked for, first ones first.
    target : Path
        Gets the files, at their places below the root.
    objects : Objects
        Keeps them once for all jobs.

    Attributes
    ----------
    taken : dict of str
        Name below the root → hash of its content.
    """

    def __init__(self, roots: Sequence[Path], target: Path, objects: Objects) -> None:
        self.roots = roots
        self.target = target
        self.objects = objects
        self.taken: dict[str, str] = {}
        self._bytes = 0
        self._seen: set[Path] = set()

    def take(self, names: Iterable[str]) -> None:
        """Copy the modules of these names, and those that they import."""
        waiting = list(names)
        asked: set[str] = set()
        settled = {"jupyter_blueno"}  # first parts of names that bring nothing more
        while waiting:
            name = waiting.pop()
            top = name.partition(".")[0]
            if name in asked or top in settled:
                continue
            asked.add(name)
            if not any((root / top).is_dir() or (root / f"{top}.py").is_file() for root in self.roots):
                settled.add(top)
                continue
            for path, package in self._resolve(name):
                if package == (top if path.is_dir() else ""):  # a package, whole, or a module
                    settled.add(top)
                for placed, digest in self._place(path):
                    waiting.extend(_imported_by(placed, digest, package))

    def _resolve(self, name: str) -> Iterator[tuple[Path, str]]:
        """Files or package folders below a root that the name stands for, with their package."""
        parts = name.split(".")
        for root in self.roots:
            for depth in range(1, len(parts) + 1):
                place = root.joinpath(*parts[:depth])
                if (place / "__init__.py").is_file():
                    yield place, ".".join(parts[:depth])
                    return
                if place.with_suffix(".py").is_file():
                    yield place.with_suffix(".py"), ".".join(parts[: depth - 1])
                    return
                if not place.is_dir():
                    break
            else:
                return

    def _place(self, path: Path) -> Iterator[tuple[Path, str]]:
        """Take a file or a package; yields the Python files that are new, with their hashes."""
        root = next(root for root in self.roots if path.is_relative_to(root))
        for file in [path] if path.is_file() else _files(path):
            if file in self._seen or len(self._seen) >= FILES_LIMIT:
                continue
            self._seen.add(file)
            size = file.stat().st_size
            name = file.relative_to(root)
            target = self.target / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix != ".py" and (size > FILE_LIMIT or file.suffix in COMPILED):
                target.symlink_to(file)  # found as ever, and not kept
                continue
            if self._bytes + size > TOTAL_LIMIT:
                continue
            self._bytes += size
            digest = self.taken[str(name)] = self.objects.place(file, target)
            if file.suffix == ".py":
                yield target, digest


def _imported_by(path: Path, digest: str, package: str) -> set[str]:
    """Names that a file imports; parsed once for each content."""
    key = (digest, package)
    if key not in _known:
        if len(_known) >= FILES_LIMIT:
            _known.clear()
        _known[key] = imported(_text(path), package)
    return _known[key]


def imported(source: str, package: str = "") -> set[str]:
    """Dotted names that a text may import; ``from a import b`` may mean ``a`` and ``a.b``."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = ast.parse("\n".join(_import_lines(source)))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: max(0, len(package.split(".")) - node.level + 1)]
                base = ".".join(part for part in (*parents, base) if part)
            found.update(f"{base}.{alias.name}" if base else alias.name for alias in node.names)
    return found


def used(spec: JobSpec) -> set[str]:
    """Names that the work of `spec` may import."""
    if spec.kind == "cell":
        return imported(spec.source or "") | _named_in_pickle(base64.b64decode(spec.payload or ""))
    if spec.kind == "notebook":
        cells = json.loads(spec.source or "")["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        return set().union(*map(imported, texts)) if texts else set()
    if spec.kind == "function":
        return _named_in_pickle(base64.b64decode(spec.payload or ""))
    return set()


def _named_in_pickle(content: bytes) -> set[str]:
    """Words in a pickle that may be modules: whatever is none resolves to no file."""
    found: set[str] = set()
    file = io.BytesIO(content)
    with contextlib.suppress(ValueError, IndexError):
        while file.tell() < len(content):  # a cell has a pickle for each variable
            for code, argument, _ in pickletools.genops(file):
                if isinstance(argument, str) and len(argument) < 200:
                    name = argument.split(" ")[0] if code.name == "GLOBAL" else argument
                    if _NAME.fullmatch(name):
                        found.add(name)
    return found


def _import_lines(source: str) -> Iterator[str]:
    """Lines of a cell with magics that are imports by themselves."""
    for line in source.splitlines():
        text = line.strip()
        if text.startswith(("import ", "from ")):
            try:
                ast.parse(text)
            except (SyntaxError, RecursionError, MemoryError):
                continue
            yield text


def _files(package: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(package):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and not name.endswith(".pyc") and path.is_file():
                yield path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
