"""Small parts of the standard library without what they import: 20 ms less for every job.

`json` brings `re` and `enum` along, `contextlib` brings `collections` and
`functools`; a supervisor and a job that prints one line need none of these.
"""

from __future__ import annotations

import os
from _json import encode_basestring_ascii, make_scanner

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from typing import Any


class suppress:  # noqa: N801 - the name it has in contextlib
    """Leave a block quietly when one of these errors ends it."""

    def __init__(self, *kinds: type[BaseException]) -> None:
        self.kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        return kind is not None and issubclass(kind, self.kinds)


class _Reading:
    """What the C scanner asks of a decoder."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float  # it takes NaN and ±Infinity by these names
    memo: dict[str, str] = {}


def read(path: str) -> bytes:
    """The content of a file; without the objects that `open` makes, which are pages to copy after a fork."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = part = os.read(descriptor, 65536)
        while part:
            part = os.read(descriptor, 65536)
            content += part
    finally:
        os.close(descriptor)
    return content


def write(path: str, content: bytes, durable: bool = False, mode: int = 0o666) -> None:
    """Write a file; with `durable` it is on the disk then. A new one gets this mode, less the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        while content:  # a disk that is nearly full takes a part
            content = content[os.write(descriptor, content) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: str) -> Any:
    """The content of a JSON file.

    Raises
    ------
    OSError
    ValueError
        If it is not JSON.
    """
    return from_json(read(path), path)


def told(path: str) -> Any:
    """The same; None where there is none, or none that is whole."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def from_json(content: bytes, path: str) -> Any:
    """What JSON says; `path` is where it is from, for the ValueError if it is none."""
    text = content.decode().strip()
    try:
        value, end = make_scanner(_Reading)(text, 0)  # type: ignore[arg-type]
    except StopIteration:
        raise ValueError(f"{path} is not JSON") from None
    if end != len(text):
        raise ValueError(f"{path} is not JSON")
    return value


def write_whole(
    path: str, content: bytes, durable: bool = False, mode: int = 0o666, spare: str | None = None
) -> None:
    """Write a file so that readers see all of it or nothing; see `write`.

    A `spare` file is used up for it, if it is there: no inode is made or freed then. Some
    disks look through all that were freed lately for each new one.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
    try:
        if spare is not None:
            with suppress(FileNotFoundError):
                os.rename(spare, temporary)
        write(temporary, content, durable, mode)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def write_json(path: str, content: dict[str, Any], durable: bool = False, spare: str | None = None) -> None:
    """Write a JSON file; see `write_whole`."""
    write_whole(path, to_json(content).encode(), durable, spare=spare)


def forget(folder: str, *names: str) -> None:
    """Remove files of a folder, as far as they are there and can be removed."""
    for name in names:
        with suppress(OSError):
            os.unlink(os.path.join(folder, name))


def to_json(content: dict[str, Any]) -> str:
    """JSON of a flat object: text, numbers, True, False and None."""
    words = {None: "null", True: "true", False: "false"}
    parts = []
    for name, value in content.items():
        plain = value is None or isinstance(value, bool)
        text = encode_basestring_ascii(value) if isinstance(value, str) else repr(value)
        parts.append(f"{encode_basestring_ascii(name)}: {words[value] if plain else text}")
    return "{" + ", ".join(parts) + "}"
