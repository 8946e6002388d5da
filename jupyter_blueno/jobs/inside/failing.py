"""Where the user's code failed, and on what: the line, and what its variables were.

Nothing of the user's runs here: no ``repr``, no property. Loaded when something
failed, in the job's process or in a notebook's kernel, which may be another
Python: standard library only, and this file alone.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

LIMIT = 12  # variables
TEXT = 500  # characters of the line, and of a message
LINES = 8  # of a statement
ITEMS = 6  # keys or columns that are named
SHORT = 60  # characters of a text

# Packages whose own types say what they are without a surprise.
ARRAYS = ("numpy", "torch", "tensorflow", "jax", "jaxlib", "cupy", "keras")
TABLES = ("pandas", "polars")

_WORD = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def describe(error: BaseException) -> dict[str, Any]:
    """What is known of an exception, in plain words and numbers.

    Returns
    -------
    dict
        ``kind``, ``types`` (its class and those above), ``message``; where
        known ``module`` (that is missing), ``file``, ``number``, ``text`` and
        ``function`` of the line, and ``variables``: pairs of name and words.
    """
    kinds = [one.__name__ for one in type(error).__mro__ if one not in (object, BaseException, Exception)]
    found: dict[str, Any] = {"kind": _kind(error, kinds), "types": kinds}
    found["message"] = _message(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        found["module"] = error.name.partition(".")[0]
    if isinstance(error, SyntaxError) and error.lineno:
        found |= {"file": shown(error.filename or ""), "number": error.lineno}
        found |= {"text": (error.text or "").strip()[:TEXT], "variables": []}
        return found
    place = users_place(error.__traceback__)
    if place is not None:
        first, text = _statement(place)
        frame = place.tb_frame
        found |= {"file": shown(frame.f_code.co_filename), "number": first, "text": text}
        found["function"] = frame.f_code.co_name
        found["variables"] = variables(text, frame.f_locals, frame.f_globals)
    return found


def is_library(file: str) -> bool:
    """Whether a file is somebody else's: an installed package, the standard library, or ours."""
    return (
        file.startswith("<frozen")
        or "/site-packages/" in file
        or "/dist-packages/" in file
        or re.search(r"/lib(?:64)?/python3\.\d+/", file) is not None
        or file.startswith((os.path.dirname(os.__file__) + os.sep, os.path.dirname(__file__) + os.sep))
    )


def users_place(trace: TracebackType | None) -> TracebackType | None:
    """The innermost place in the user's own code; where there is none, the innermost of all."""
    last = users = None
    while trace is not None:
        last = trace
        if not is_library(trace.tb_frame.f_code.co_filename):
            users = trace
        trace = trace.tb_next
    return users or last


def shown(file: str) -> str:
    """A file as people know it: ``cell``, or its path below the working folder."""
    name = os.path.basename(file)
    if name == "cell.py" or "ipykernel_" in file or file.startswith("<ipython-input"):
        return "cell"
    folder = os.environ.get("BLUENO_JOB_FOLDER")
    for root in (os.path.join(folder, "code") if folder else None, os.getcwd()):
        if root and file.startswith(root + os.sep):
            return file[len(root) + 1 :]
    return file


def variables(text: str, inner: dict[str, Any], outer: dict[str, Any]) -> list[tuple[str, str]]:
    """What the names in a line of code are, those with a shape first."""
    code = "\n".join(_QUOTED.sub("''", line).partition("#")[0] for line in text.splitlines())
    found: dict[str, str] = {}
    for chain in _WORD.findall(code):
        name, *rest = chain.split(".")
        if name in inner:
            value = inner[name]
        elif name in outer:
            value = outer[name]
        else:
            continue
        for part in rest:
            deeper = _own(value, part)
            if deeper is None:
                break
            name, value = f"{name}.{part}", deeper
        if name in found or name.startswith("__") or len(found) == LIMIT:
            continue
        if not isinstance(value, (ModuleType, FunctionType, MethodType, BuiltinFunctionType, type)):
            found[name] = in_words(value)
    return list(found.items())


def in_words(value: Any, deep: bool = True) -> str:
    """``float32 (32, 1, 28, 28)``, ``list of 16``, ``0.001``: never more than a line."""
    try:
        return (_array(value) or _table(value) or _plain(value, deep))[:200]
    except Exception:  # whatever it is, its type is known
        return type(value).__qualname__


def _array(value: Any) -> str | None:
    base = _base(value, ARRAYS)
    shape = _asked(base, value, "shape")
    if shape is None:
        return None
    dtype = _asked(base, value, "dtype")
    kind = str(getattr(dtype, "name", None) or dtype).removeprefix("torch.")
    if base.__module__.startswith("numpy") and not shape:
        return f"{kind} {value.item()!r}"
    words = f"{kind} ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    device = str(_asked(base, value, "device") or "")
    if "cuda" in device or "GPU" in device:
        words += f" on {device.rpartition('/device:')[2].lower()}"
    return words


def _table(value: Any) -> str | None:
    base = _base(value, TABLES)
    shape = _asked(base, value, "shape")
    if shape is None:
        return None
    words = f"{base.__name__} ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    columns, kinds = _asked(base, value, "columns"), _asked(base, value, "dtypes")
    if columns is not None and kinds is not None and len(shape) == 2:
        names = [f"{name} {kind}" for name, kind in zip(columns[:ITEMS], list(kinds)[:ITEMS], strict=False)]
        words += ": " + ", ".join(names) + (" …" if shape[1] > ITEMS else "")
    return words


def _plain(value: Any, deep: bool) -> str:
    kind = type(value)
    if value is None or kind in (bool, float, complex):
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() < 200 else f"int of {value.bit_length()} bits"
    if kind in (str, bytes):
        return repr(value) if len(value) <= SHORT else f"{value[:SHORT]!r} … ({len(value):,} characters)"
    plain: Any
    for plain in (list, tuple, dict, set, frozenset):
        if isinstance(value, plain):
            words = f"{kind.__name__} of {plain.__len__(value):,}"
            if kind is dict:
                names = [key for key in list(value)[:ITEMS] if type(key) is str]
                words += f": {', '.join(names)}" if names else ""
            elif kind in (list, tuple) and deep and value:
                words += f" × {in_words(value[0], deep=False)}"
            return words
    if type(value).__module__.startswith("PIL."):
        return f"{value.mode} picture of {value.width} × {value.height}"
    return kind.__qualname__


def _base(value: Any, packages: tuple[str, ...]) -> Any:
    """The first class above a value that comes from one of these packages."""
    return next((one for one in type(value).__mro__ if one.__module__.partition(".")[0] in packages), None)


def _asked(base: Any, value: Any, name: str) -> Any:
    """An attribute as `base` defines it, whatever a class of the user's makes of it."""
    for one in base.__mro__ if base is not None else ():
        if name in vars(one):
            return vars(one)[name].__get__(value, type(value))
    return None


def _own(value: Any, name: str) -> Any:
    """An attribute that is plainly there: no property is called."""
    try:
        there = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return None
    for place in (there, there.get("_parameters"), there.get("_modules"), there.get("_buffers")):
        if type(place) in (dict,) and name in place:
            return place[name]
    return None


def _statement(place: TracebackType) -> tuple[int, str]:
    """Number and text of the line, or of the few lines that the failing expression takes."""
    code, number = place.tb_frame.f_code, place.tb_lineno
    first = last = number
    for at, (start, end, _, _) in enumerate(code.co_positions()):
        if at == place.tb_lasti // 2 and start and end:
            first, last = min(start, number), max(end, number)
            break
    lines = linecache.getlines(code.co_filename, place.tb_frame.f_globals)[first - 1 : last][:LINES]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return number, "\n".join(line[indent:].rstrip() for line in lines)[:TEXT]


def _kind(error: BaseException, kinds: list[str]) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    text = _message(error)
    if "OutOfMemoryError" in kinds or "CUDA out of memory" in text or "CUDA_ERROR_OUT_OF_MEMORY" in text:
        return "gpu_memory"
    if "ResourceExhaustedError" in kinds or "RESOURCE_EXHAUSTED" in text:
        return "gpu_memory" if re.search(r"gpu|cuda", text, re.IGNORECASE) else "memory"
    if isinstance(error, ModuleNotFoundError):
        return "missing_module"
    if isinstance(error, OSError) and error.errno == 28:
        return "disk"
    return "error"


def _message(error: BaseException) -> str:
    try:
        return str(error)[:TEXT]
    except Exception:
        return ""


def of_kernel() -> str:
    """In a kernel, after a cell failed: the same as JSON."""
    import json

    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return json.dumps(describe(error)) if isinstance(error, BaseException) else "{}"
