"""What a submitted function takes along: itself, its arguments, and the local modules it uses."""

from __future__ import annotations

import base64
import functools
import pickle
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from jupyter_blueno.client.look import size
from jupyter_blueno.errors import InvalidInput, TooLarge

LIMIT = 64 * 10**6  # bytes; larger data belongs in a file or a dataset


def pack(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Pickle a call, as base64.

    Functions and classes of ``__main__`` and of modules that are not installed
    go by value, so that the job runs what this process has in memory.

    Raises
    ------
    InvalidInput
        If something cannot be pickled: the sentence names it and what to do.
    TooLarge
        Over 64 MB: the sentence names the largest argument.
    """
    import cloudpickle

    with _by_value():
        try:
            content = cloudpickle.dumps((function, args, kwargs))
        except Exception as error:  # whatever __reduce__ of a stranger's class raises
            raise _unpicklable(function, args, kwargs, error) from error
        if len(content) > LIMIT:
            raise _too_large(len(content), function, args, kwargs)
    return base64.b64encode(content).decode("ascii")


def unpack(content: bytes) -> Any:
    """What a job's pickle holds."""
    return pickle.loads(content)  # written by the user's own job


def load(file: IO[bytes]) -> Any:
    """The same, of a file."""
    return pickle.load(file)


@contextmanager
def _by_value() -> Iterator[None]:
    """Within it, cloudpickle takes local modules by value."""
    import cloudpickle

    already = set(cloudpickle.list_registry_pickle_by_value())
    mine = [one for one in local_modules() if one.__name__ not in already]
    for one in mine:
        cloudpickle.register_pickle_by_value(one)
    try:
        yield
    finally:
        for one in mine:
            cloudpickle.unregister_pickle_by_value(one)


def local_modules() -> list[ModuleType]:
    """Imported modules that lie neither in the standard library nor among installed packages."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if (
            not file or name == "__main__" or not isinstance(module, ModuleType) or module.__name__ != name
            or name.partition(".")[0] == "jupyter_blueno"
        ):  # fmt: skip
            continue
        if is_local(file):
            found.append(module)
    return found


def is_local(file: str) -> bool:
    """Whether a file is neither of the standard library nor of an installed package."""
    return _is_local(file, tuple(sys.path))


@functools.lru_cache(20_000)  # hundreds of modules are loaded, and each submit asks for all
def _is_local(file: str, path: tuple[str, ...]) -> bool:
    if not file.endswith(".py"):
        return False
    real = Path(file).resolve()
    return not any(real.is_relative_to(folder) for folder in _installed_folders(path))


@functools.lru_cache(8)
def _installed_folders(path: tuple[str, ...]) -> frozenset[Path]:
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {part for part in path if part.endswith(("site-packages", "dist-packages"))}
    folders |= {str(Path(sys.base_prefix) / "lib"), str(Path(sys.prefix) / "lib")}
    return frozenset(Path(folder).resolve() for folder in folders)


def _named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"argument {place}", value) for place, value in enumerate(args, 1)] + [
        (f"argument {name!r}", value) for name, value in kwargs.items()
    ]


def _captured(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """The global and enclosing variables that a function uses, by name."""
    import inspect

    try:
        used = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return []
    return [(f"the variable {name!r}", value) for name, value in {**used.globals, **used.nonlocals}.items()]


def _unpicklable(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> InvalidInput:
    import cloudpickle

    for what, value in [*_named(args, kwargs), *_captured(function)]:
        try:
            cloudpickle.dumps(value)
        except Exception as why:
            used = " that the function uses" if what.startswith("the variable") else ""
            return InvalidInput(
                f"{what[0].upper()}{what[1:]}{used} (a {type(value).__qualname__}) cannot be sent to a job "
                f"({why}). Make it inside the function instead, and pass what it is made from: "
                "a path, a name, plain numbers or arrays.",
                code="not_picklable",
            )
    return InvalidInput(
        f"{getattr(function, '__name__', function)!s} cannot be sent to a job ({error}). Define it at the "
        "top of a cell or module, and make open files, locks and connections inside of it.",
        code="not_picklable",
    )


def _too_large(
    total: int, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> TooLarge:
    import cloudpickle

    parts = [*_named(args, kwargs), *_captured(function)]
    sizes = [(len(cloudpickle.dumps(value)), what) for what, value in parts]
    largest, what = max(sizes, default=(total, "the function itself"))
    return TooLarge(
        f"The call takes {size(total)} and a job takes {size(LIMIT)} along; the largest part is {what} with "
        f"{size(largest)}. Save it to a file or a dataset, and pass its path or name.",
        code="payload_too_large",
    )
