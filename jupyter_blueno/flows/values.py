"""Plain values out of a pickle, without running anything that the pickle names."""

from __future__ import annotations

import io
import math
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

LIMIT = 1 << 20  # bytes of a pickle that may hold a plain value
DEPTH = 20


class NotPlain(Exception):
    """The value is more than text, numbers, lists and dicts."""


def plain(content: bytes) -> Any:
    """The value of a pickle as JSON has it; NumPy's numbers become Python's, paths become text.

    Raises
    ------
    NotPlain
    """
    try:
        return _as_json(_Unpickler(io.BytesIO(content)).load())
    except NotPlain:
        raise
    except Exception as error:  # a pickle may say anything
        raise NotPlain(str(error)) from error


def plain_of(file: BinaryIO) -> Any:
    """The same of a file; large ones are not read."""
    content = file.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise NotPlain("It is large.")
    return plain(content)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in ("pathlib", "pathlib._local") and name.endswith("Path"):
            return _joined
        if module.startswith("numpy") and (name == "dtype" or name == "scalar"):
            return _Dtype if name == "dtype" else _scalar
        raise NotPlain(f"{module}.{name}")


def _joined(*parts: str) -> str:
    if not parts or not all(isinstance(part, str) for part in parts):
        raise NotPlain("a path")
    return str(Path(*parts))


class _Dtype:
    """NumPy's dtype of a number, as its pickle describes it."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = code
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in "<>" else "="


_CODES = {
    "f8": "d", "f4": "f", "f2": "e", "b1": "?",
    "i8": "q", "i4": "i", "i2": "h", "i1": "b", "u8": "Q", "u4": "I", "u2": "H", "u1": "B",
}  # fmt: skip


def _scalar(dtype: Any, content: bytes) -> Any:
    if not isinstance(dtype, _Dtype) or dtype.code not in _CODES:
        raise NotPlain("a NumPy value")
    return struct.unpack(dtype.order + _CODES[dtype.code], content)[0]


def _as_json(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if depth < DEPTH and isinstance(value, list | tuple):
        return [_as_json(one, depth + 1) for one in value]
    if depth < DEPTH and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _as_json(one, depth + 1) for key, one in value.items()}
    raise NotPlain(type(value).__name__)
