"""Modules that work is sure to import, and that its Python cannot find."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import failures
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import scripts
from jupyter_blueno.jobs.sending.roots import roots_of

PATIENCE = 5.0  # seconds for a Python to say what it finds
MOST = 200  # local modules that are looked into

# Whoever writes this may well find modules in a way of his own, or install them.
_OWN_WAY = re.compile(
    r"sys\.(path|modules|meta_path)|\bimportlib\b|\b(pip|conda|mamba|uv|poetry|apt)\b|chdir|site\.add|"
    r"__import__|\bexec\(|\bsubprocess\b|\bget_ipython\b|ImportError|ModuleNotFoundError|^\s*%%?(cd|run|load)\b",
    re.M,
)
# Lines of a cell that are no Python and bring no modules.
_ASIDE = re.compile(
    r"^\s*(!|%{1,2}(matplotlib|config|load_ext|autoreload|time|timeit|blueno|env|capture)\b).*", re.M
)
_ASK = """\
import sys
sys.path[:0] = sys.argv[1].split("\\n")
from importlib.util import find_spec
for name in sys.argv[2:]:
    try:
        there = name in sys.builtin_module_names or find_spec(name) is not None
    except Exception:
        there = True
    if not there:
        print(name)
"""

_CARRIERS = {"function": ("cloudpickle",), "notebook": ("ipykernel", "nbclient")}

_found: set[tuple[str, str]] = set()  # interpreter and module: what was there once is taken to be there


def check(spec: JobSpec, folder: str, python: str | None) -> None:
    """Refuse work whose imports are sure to fail; without a `python` only those of local modules.

    Raises
    ------
    InvalidInput
        ``missing_module``
    """
    if python is not None:
        _check_carriers(spec, python)
    script = scripts.of(spec, folder)
    texts = _texts(spec, None if script is None else script.path)
    if not texts:
        return
    what = {"function": "function", "notebook": "notebook", "command": "script"}.get(spec.kind, "cell")
    roots = roots_of(folder, spec, python or sys.executable)
    if script is not None:
        roots = list(dict.fromkeys([script.path.parent, *roots]))
    elsewhere: dict[str, str] = {}  # name → who imports it
    waiting = [(f"The {what}", "", text) for text in texts]
    seen: set[str] = set()
    while waiting and len(seen) < MOST:
        who, package, text = waiting.pop()
        for name, level in _sure(text):
            full = _absolute(name, level, package, who)
            top = full.partition(".")[0]
            if full in seen or top in sys.stdlib_module_names or top == "jupyter_blueno":
                continue
            seen.add(full)
            place = _local(roots, full, who)
            if place is None:
                elsewhere.setdefault(top, who)
            elif place.suffix == ".py":
                inside = full if place.name == "__init__.py" else full.rpartition(".")[0]
                waiting.append((str(place), inside, place.read_text("utf-8", errors="replace")))
    for name in [] if python is None else _missing(python, roots, sorted(elsewhere)):
        package = failures.PACKAGES.get(name, name.replace("_", "-"))
        raise InvalidInput(
            f"{elsewhere[name]} imports '{name}', which the job's Python does not have: install it (pip "
            f"install {package}), or correct the name.",
            code="missing_module",
        )


def _check_carriers(spec: JobSpec, python: str) -> None:
    """Refuse a Python that lacks what brings this kind of work into a job."""
    missing = _missing(python, [], _CARRIERS.get(spec.kind, ()))
    if missing:
        raise InvalidInput(
            f"The Python {python} has no {' and no '.join(missing)}, without which no {spec.kind} runs there "
            f"as a job. Install it ({python} -m pip install {' '.join(missing)}), or give requirements=[…]: "
            "then an environment is built that has it.",
            code="missing_module",
        )


def _texts(spec: JobSpec, script: Path | None) -> list[str]:
    if script is not None:
        return [script.read_text("utf-8", errors="replace")]
    if spec.kind == "cell":
        return [spec.source or ""]
    if spec.kind == "notebook":
        cells = json.loads(spec.source or "")["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        return [] if any(map(_OWN_WAY.search, texts)) else texts
    return [_body(spec.source or "")] if spec.kind == "function" else []


@functools.lru_cache(512)
def _sure(text: str) -> tuple[tuple[str, int], ...]:
    """Modules that a text imports whatever happens, each with its level: ``(".local", 1)`` is relative."""
    if _OWN_WAY.search(text):
        return ()
    try:
        body = ast.parse(_ASIDE.sub("", text)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_imports(body))


def _imports(body: Iterable[ast.stmt]) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level


def _body(source: str) -> str:
    """What a function does first, before anything depends on what it was given."""
    try:
        (function,) = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    if _OWN_WAY.search(source) or not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    first: list[str] = []
    for node in function.body:
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign | ast.AnnAssign):
            break
        if isinstance(node, ast.Import | ast.ImportFrom):
            first.append(ast.unparse(node))
    return "\n".join(first)


def _absolute(name: str, level: int, package: str, who: str) -> str:
    if not level:
        return name
    parents = package.split(".") if package else []
    if level > len(parents):
        raise InvalidInput(
            f"{who} imports '{'.' * level}{name}' as a part of a package, and is in none. Leave the "
            f"{'dot' if level == 1 else 'dots'} away.",
            code="missing_module",
        )
    return ".".join(part for part in (*parents[: len(parents) - level + 1], name) if part)


def _local(roots: Sequence[Path], name: str, who: str) -> Path | None:
    """Where a module of the user's own lies; None if it is not one.

    Raises
    ------
    InvalidInput
        If its package is one of them and does not have it.
    """
    parts = name.split(".")
    for root in roots:
        if (root / f"{parts[0]}.py").is_file() and not (root / parts[0]).is_dir():
            return root / f"{parts[0]}.py"
        if not (root / parts[0] / "__init__.py").is_file():
            continue
        place = root.joinpath(*parts)
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return file
        package = (root / parts[0] / "__init__.py").read_text("utf-8", errors="replace")
        compiled = any(place.parent.glob(f"{parts[-1]}.*"))
        if place.is_dir() or compiled or _OWN_WAY.search(package) or "__path__" in package:
            return place
        raise InvalidInput(
            f"{who} imports '{name}', and there is no such module in {root / parts[0]}. Correct the name, "
            "or save the file.",
            code="missing_module",
        )
    return None


def _missing(python: str, roots: Sequence[Path], names: Sequence[str]) -> list[str]:
    """Those that a Python does not find; it is asked only about what was never found before."""
    new = [name for name in names if (python, name) not in _found and not _seen_here(python, name)]
    if not new:
        return []
    words = [python, "-c", _ASK, "\n".join(map(str, roots)), *new]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    missing = done.stdout.split()
    _found.update((python, name) for name in new if name not in missing)
    return missing


def _seen_here(python: str, name: str) -> bool:
    if os.path.realpath(python) != os.path.realpath(sys.executable) or python != sys.executable:
        return False
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False
