"""What jobs were sent with, kept once however many jobs have it: files by the hash of their content.

::

    home/objects/{first two digits}/{sha256}

A job's folder holds hard links to them, so what is no longer in any job has one
link left, and is removed. There is no table to keep true, and two processes that
add and remove at once do no harm: a link that was made keeps its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

SETTLED = 2.0  # seconds after which a file that was not changed is taken for unchanged
KEPT = 86400.0  # seconds that a file nobody links to may wait to be linked
CHUNK = 1 << 20

_known: dict[str, tuple[tuple[int, int, int], str]] = {}  # path → when it was read, and its hash
_KNOWN_LIMIT = 50_000


class Objects:
    """The store in one folder. Holds nothing open; safe from any thread and process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def place(self, content: bytes | Path, target: Path) -> str:
        """Put content, or that of a file, at `target`, sharing it with other jobs; return its hash.

        The file is a hard link and read-only; a copy where links cannot be made.
        """
        digest = _digest_of(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        path = self.path(digest)
        for _ in range(3):
            try:
                if path.stat().st_size != size:  # the power went while it was written
                    path.unlink()
                else:
                    os.link(path, target)
                    return digest
            except FileNotFoundError:
                pass  # new, or removed just now with the last job that had it
            except OSError:  # no links here, or too many to this one
                break
            found = self._add(content, path)
            if found != digest:  # it was written to while we read it
                digest, path = found, self.path(found)
                size = path.stat().st_size
        self._copy(content, target)
        return digest

    def _add(self, content: bytes | Path, path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            self._copy(content, temporary)
            digest = _hash(temporary)
            target = self.path(digest)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return digest

    @staticmethod
    def _copy(content: bytes | Path, target: Path) -> None:
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            with open(target, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        os.chmod(target, 0o444)

    def drop(self, digests: Iterable[str]) -> None:
        """Remove those that no job has any longer."""
        for digest in set(digests):
            with contextlib.suppress(OSError):
                path = self.path(digest)
                if path.stat().st_nlink == 1:
                    path.unlink()

    def sweep(self) -> None:
        """Remove what is left of submissions that came to nothing."""
        before = time.time() - KEPT
        for path in self._all():
            with contextlib.suppress(OSError):
                found = path.stat()
                if found.st_nlink == 1 and found.st_ctime < before:
                    path.unlink()

    def _all(self) -> Iterator[Path]:
        with contextlib.suppress(OSError):
            for folder in list(os.scandir(self.folder)):
                with contextlib.suppress(OSError), os.scandir(folder.path) as names:
                    yield from (Path(one.path) for one in names)


def _digest_of(path: Path) -> str:
    """The hash of a file; it is read once as long as it does not change."""
    found = path.stat()
    stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
    known = _known.get(str(path))
    if known is not None and known[0] == stamp:
        return known[1]
    digest = _hash(path)
    # A file that was just written may change again within one tick of its clock.
    if time.time() - found.st_mtime > SETTLED:
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()
        _known[str(path)] = (stamp, digest)
    return digest


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
