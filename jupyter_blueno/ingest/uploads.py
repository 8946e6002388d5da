"""Files on their way from a browser: written chunk by chunk below ``home/uploads/{id}/``."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import unicodedata
from pathlib import Path, PurePosixPath

from jupyter_blueno.config import Config
from jupyter_blueno.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable

CHUNK_LIMIT = 8 << 20  # bytes
UPLOAD_LIMIT = 256 << 30  # bytes of one file
SPARE = 256 << 20  # bytes of the disk that an upload leaves free, for the database
NAME_LIMIT = 1000  # characters of a file's path
FOLDER_DEPTH = 32

_ID = re.compile(r"[0-9a-f]{32}")


def create(config: Config) -> str:
    """Open a place for an upload and return its id."""
    upload_id = secrets.token_hex(16)
    config.folder("uploads", upload_id)
    return upload_id


def folder_of(config: Config, upload_id: str) -> Path:
    """Where the files of an upload are.

    Raises
    ------
    NotFound
        If there is no such upload, or it was taken in already.
    """
    folder = config.home_path / "uploads" / upload_id
    if not _ID.fullmatch(upload_id) or not folder.is_dir():
        raise NotFound(f"There is no upload '{upload_id[:40]}'. Start the upload again.")
    return folder


def put(config: Config, upload_id: str, name: str, offset: int, content: bytes) -> bool:
    """Write one chunk; sending it again is harmless.

    Parameters
    ----------
    name : str
        The file's path below the upload, e.g. ``cats/001.jpg``.
    offset : int
        Where the chunk begins, in bytes; not behind the end of what is there.
    content : bytes
        At most 8 MB.

    Raises
    ------
    InvalidInput
        If the name is not that of a file below the upload.
    TooLarge
        If the chunk or the file is over the limit.
    Conflict
        If chunks before this one are missing.
    Unavailable
        If the disk is full (code ``disk_full``).
    """
    folder = folder_of(config, upload_id)
    if len(content) > CHUNK_LIMIT:
        raise TooLarge(f"A chunk may have {CHUNK_LIMIT >> 20} MB, this one has {len(content):,} bytes.")
    if offset < 0:
        raise InvalidInput(f"A chunk cannot begin at byte {offset}. Begin at 0.")
    if offset + len(content) > UPLOAD_LIMIT:
        raise TooLarge(f"A file may have {UPLOAD_LIMIT >> 30} GB. Copy '{name[:80]}' to the server instead.")
    path = folder.joinpath(*safe_parts(name))
    if shutil.disk_usage(folder).free < len(content) + SPARE:
        raise _disk_full()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _write(path, offset, content)
    except (IsADirectoryError, NotADirectoryError, FileExistsError):
        raise InvalidInput(f"'{name}' is a file and a folder at once. Rename one of them.") from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full() from error
        raise


def _write(path: Path, offset: int, content: bytes) -> bool:
    # O_NOFOLLOW: nothing in this folder makes links, but nothing should follow one either.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with open(descriptor, "r+b") as file:
        size = os.fstat(descriptor).st_size
        if offset > size:
            raise Conflict(f"'{path.name}' has {size:,} bytes so far; go on there.", code="chunk_missing")
        file.seek(offset)
        if size >= offset + len(content) and content and file.read(len(content)) == content:
            return False
        file.seek(offset)
        file.write(content)
    return True


def safe_parts(name: str) -> tuple[str, ...]:
    """The parts of a file's path as a browser names it.

    Raises
    ------
    InvalidInput
        If it is absolute, leads upwards, or holds what no file name may hold.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    wrong = (
        not parts
        or PurePosixPath(name).is_absolute()
        or ".." in parts
        or re.match(r"[A-Za-z]:", name) is not None
        or any(ord(character) < 32 or ord(character) == 127 for character in name)
        or any(len(part.encode(errors="replace")) > 255 for part in parts)
    )
    if wrong or len(name) > NAME_LIMIT or len(parts) > FOLDER_DEPTH:
        raise InvalidInput(f"'{name[:80]}' is not a name for a file. Rename it, then send it again.")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidInput("A file's name holds broken characters. Rename it, then send it again.") from None
    return parts


def take(config: Config, upload_id: str, folder: Path) -> None:
    """Move the files of an upload into `folder`; the upload is gone then."""
    source = folder_of(config, upload_id)
    folder.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        shutil.move(entry, folder / entry.name)  # both are below the data folder: a rename
    source.rmdir()


def drop(config: Config, upload_id: str) -> None:
    """Delete an upload that nobody goes on with, and what was sent of it.

    Raises
    ------
    NotFound
        If there is no such upload, or it was taken in already.
    """
    shutil.rmtree(folder_of(config, upload_id))


def _disk_full() -> Unavailable:
    return Unavailable("The disk of the data folder is full. Make room, then go on.", code="disk_full")
