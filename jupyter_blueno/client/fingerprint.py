"""A hash of a call: equal for the same code with the same arguments, also in another kernel.

A pickle is not: it holds the names of a notebook's cells and the order of a
set, which differ from kernel to kernel. Comments, and where in a file a
function stands, make no difference here.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_blueno.client import payload

# Of a class, what says nothing of what it does.
_OF_PYTHON = {
    "__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__",
    "__qualname__", "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__",
}  # fmt: skip


def of_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The hash of ``function(*args, **kwargs)``; None where something cannot be taken apart."""
    try:
        hashing = _Hashing()
        hashing.put((sys.version_info[:2], function, args, kwargs))
        return hashing.digest.hexdigest()
    except Exception:  # whatever __reduce__ of a stranger's class raises: then its pickle is compared
        return None


class _Hashing:
    """Takes values apart, each with the name of its type, and hashes the parts in order."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an id is worth something while its object lives

    def put(self, value: Any) -> None:
        if value is None or value is Ellipsis or isinstance(value, bool | int | float | complex | str):
            self._bytes(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))
            return
        if isinstance(value, bytes | bytearray):
            self._bytes(type(value).__name__, bytes(value))
            return
        if id(value) in self._seen:
            self._bytes("again", str(self._seen[id(value)]).encode())
            return
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)
        self._put_whole(value)

    def _put_whole(self, value: Any) -> None:
        kind = type(value)
        if kind in (list, tuple):
            self._items(kind.__name__, value)
        elif kind is dict:
            self._items("dict", [part for pair in value.items() for part in pair])
        elif kind in (set, frozenset):
            self._items(kind.__name__, sorted(map(_alone, value)))
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.MethodType):
            self._items("method", (value.__func__, value.__self__))
        elif isinstance(value, functools.partial):
            self._items("partial", (value.func, value.args, value.keywords))
        elif isinstance(value, property):
            self._items("property", (value.fget, value.fset, value.fdel))
        elif isinstance(value, staticmethod | classmethod):
            self._items(kind.__name__, (value.__func__,))
        elif isinstance(value, type):
            self._class(value)
        elif kind.__module__ == "numpy" and kind.__name__ == "ndarray" and not value.dtype.hasobject:
            self._items("ndarray", (str(value.dtype), value.shape, value.tobytes()))
        else:
            self._other(value)

    def _bytes(self, kind: str, content: bytes) -> None:
        self.digest.update(f"{kind}:{len(content)}:".encode() + content)

    def _items(self, kind: str, values: Any) -> None:
        self.digest.update(f"{kind}[{len(values)}]".encode())
        for one in values:
            self.put(one)

    def _function(self, function: types.FunctionType) -> None:
        if not _is_own(function):
            self._named(function)
            return
        cells = [_content(cell) for cell in function.__closure__ or ()]
        used = [(name, function.__globals__[name]) for name in _globals_of(function)]
        modules = sorted(_imported_by(function.__code__))
        code = function.__code__
        if function.__doc__ and code.co_consts[:1] == (function.__doc__,):
            code = code.replace(co_consts=(None, *code.co_consts[1:]))
        self._items("function", (code, function.__defaults__, function.__kwdefaults__))
        self._items("uses", (cells, used, [_module_text(name) for name in modules]))

    def _code(self, code: types.CodeType) -> None:
        consts = list(code.co_consts)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        self._items("code", (code.co_code, consts, names, counts, code.co_exceptiontable))

    def _class(self, cls: type) -> None:
        if not _is_own(cls):
            self._named(cls)
            return
        own = {name: value for name, value in vars(cls).items() if name not in _OF_PYTHON}
        parts = [part for name in sorted(own) for part in (name, own[name])]
        self._items("class", (cls.__name__, list(cls.__bases__), parts))

    def _module(self, module: types.ModuleType) -> None:
        self._items("module", (module.__name__, _module_text(module.__name__)))

    def _named(self, thing: Any) -> None:
        """What is installed: its name and the version of its package."""
        module = getattr(thing, "__module__", None) or ""
        name = getattr(thing, "__qualname__", getattr(thing, "__name__", ""))
        self._items("named", (module, name, _version(module.partition(".")[0])))

    def _other(self, value: Any) -> None:
        if isinstance(value, Callable) and not hasattr(value, "__dict__"):  # type: ignore[arg-type]
            self._named(value)  # written in C
            return
        reduced = value.__reduce_ex__(4)
        if isinstance(reduced, str):
            self._items("global", (reduced,))
            return
        made, *rest = [list(part) if isinstance(part, Iterator) else part for part in reduced]
        self._items("object", (type(value), made, *rest))


def _alone(value: Any) -> str:
    """The hash of one item of a set, whose order says nothing."""
    hashing = _Hashing()
    hashing.put(value)
    return hashing.digest.hexdigest()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _is_own(thing: Any) -> bool:
    """Whether it is the user's: of a notebook, or of a module that is not installed."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "__main__")
    return module is None or _is_own_module(module)


def _is_own_module(module: types.ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if module.__name__ == "__main__":
        return True
    return bool(file and payload.is_local(file)) and module.__name__.partition(".")[0] != "jupyter_blueno"


def _globals_of(function: types.FunctionType) -> list[str]:
    names: set[str] = set()
    for code in _codes(function.__code__):
        names.update(code.co_names)
    return sorted(names & function.__globals__.keys())


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const)


def _imported_by(code: types.CodeType) -> set[str]:
    """Modules that a function imports when it is called."""
    return {
        str(one.argval) for inner in _codes(code) for one in dis.get_instructions(inner)
        if one.opname == "IMPORT_NAME" and one.argval
    }  # fmt: skip


def _module_text(name: str) -> Any:
    """What stands for a module: of one of the user's its text and those of its package, else its version."""
    root = name.partition(".")[0]
    module = sys.modules.get(root)
    if module is not None and not _is_own_module(module):
        return _version(root)
    found = importlib.util.find_spec(root) if module is None else module.__spec__
    place = Path(found.origin) if found is not None and found.origin and found.has_location else None
    if place is None or not payload.is_local(str(place)):
        return _version(root)
    files = sorted(place.parent.rglob("*.py")) if place.name == "__init__.py" else [place]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@functools.lru_cache(1000)
def _version(root: str) -> str:
    if root in sys.stdlib_module_names or root == "jupyter_blueno":
        return ""
    try:
        return importlib.metadata.version(root)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(root), "__version__", ""))
