"""What cannot go from a kernel into a job, and what to do instead; and variables in few words."""

from __future__ import annotations

import io
import sys
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any

_LIVING = {
    "threading": "Make it in the cell: locks and threads belong to one process.",
    "_thread": "Make it in the cell: locks and threads belong to one process.",
    "multiprocessing": "Make it in the cell: it belongs to one process.",
    "concurrent": "Make it in the cell: it belongs to one process.",
    "asyncio": "Make it in the cell: it belongs to one event loop.",
    "subprocess": "Start it in the cell.",
    "socket": "Connect in the cell.",
    "ssl": "Connect in the cell.",
    "h5py": "Open the file in the cell.",
    "netCDF4": "Open the file in the cell.",
    "lmdb": "Open it in the cell.",
}  # fmt: skip
_DATABASES = {"sqlite3", "psycopg2", "psycopg", "duckdb", "pymysql", "MySQLdb", "mysql", "redis", "pymongo"}


def advice(name: str, value: Any) -> str | None:
    """Why a variable does not travel, and what to do instead; None where nothing speaks against it.

    Also of what could be pickled, but would be another thing in the job: an
    open file, a tensor on a GPU that the job may not have.
    """
    if isinstance(value, GeneratorType | AsyncGeneratorType | CoroutineType):
        call = getattr(value, "__qualname__", name)
        return f"it can be gone through once, here. Make it in the cell ({call}), or send list({name})."
    if isinstance(value, io.IOBase):
        return _of_file(name, value)
    if _on_gpu(value):
        return f"it is in the memory of a GPU, which this kernel has. Send a copy: {name} = {name}.cpu()."
    if isinstance(value, type | ModuleType | FunctionType):
        return None
    module = type(value).__module__ or ""
    root = module.partition(".")[0]
    if root == "cupy":
        return f"it is in the memory of a GPU, which this kernel has. Send a copy: {name} = {name}.get()."
    if root in _DATABASES or (
        root == "sqlalchemy" and type(value).__name__ in {"Engine", "Connection", "Session"}
    ):
        return "a connection to a database belongs to one process. Connect in the cell."
    if root in _LIVING and not isinstance(value, BaseException):
        return _LIVING[root]
    return None


def _of_file(name: str, file: io.IOBase) -> str | None:
    path = getattr(file, "name", None)
    if isinstance(file, io.BytesIO | io.StringIO):
        return None
    if file.closed:
        return "it is a closed file. Open it in the cell."
    if not isinstance(path, str):
        return "it is open here. Open it in the cell."
    mode = getattr(file, "mode", "r")
    how = "" if mode == "r" else f", {mode!r}"
    return f"it is open here. Open it in the cell: {name} = open({path!r}{how})."


def _on_gpu(value: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    if isinstance(value, torch.Tensor):
        return bool(value.is_cuda)
    if isinstance(value, torch.nn.Module):
        return any(one.is_cuda for one in value.parameters())
    return False


def described(value: Any) -> str:
    """A variable's type, with shape or length: ``ndarray float32 (60000, 784)``."""
    if isinstance(value, ModuleType):
        return "module"
    if isinstance(value, FunctionType):
        return "function"
    if isinstance(value, type):
        return "class"
    name = type(value).__name__
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple):
            dtype = str(getattr(value, "dtype", "")).removeprefix("torch.")
            return " ".join(part for part in (name, dtype, str(tuple(shape))) if part)
        if isinstance(value, list | tuple | dict | set | frozenset | str | bytes | bytearray):
            return f"{name} of {len(value):,}"
    except Exception:  # a stranger's class
        return name
    return name
