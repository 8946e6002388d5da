"""Decompressed volumes, kept as plain arrays in ``home/cache/volumes``.

A file's name is the tag of its source (path, time, size, key): a changed
source has another name, and the old array goes when room is needed, the
longest unused first. A file is complete, or ends in ``.part``: while one
process fills it the others wait for it, and if that one dies the next takes
over.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_blueno.errors import BluenoError, DecoderFailed, Unavailable
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats.base import Derived, Mapped
from jupyter_blueno.imaging.reading import checked_blocks, mapped

if TYPE_CHECKING:
    import numpy as np

LIMIT = 32 << 30  # bytes of all arrays together
SPARE = 512 << 20  # bytes that are left free on the disk


class VolumeCache:
    """The arrays below `folder`."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit

    def path(self, tag: str) -> Path:
        return self.folder / f"{tag}.vox"

    def make_room(self, size: int) -> None:
        """Delete what was longest unused until `size` more bytes fit.

        Raises
        ------
        Unavailable
            ``cache_full`` if the disk has no room even so.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):  # another process may have been faster
                status = path.stat()
                if path.suffix == ".vox" or _abandoned(path):
                    kept.append((status.st_mtime_ns, status.st_blocks * 512, path))
        total = sum(bytes_ for _, bytes_, _ in kept)
        free = shutil.disk_usage(self.folder).free
        for _, bytes_, path in sorted(kept):
            if total + size <= self.limit and free >= size + SPARE:
                return
            with contextlib.suppress(OSError):
                path.unlink()  # who has it mapped keeps it
            total, free = total - bytes_, free + bytes_
        if shutil.disk_usage(self.folder).free < size + SPARE:
            raise Unavailable(
                f"There is no room to decompress a volume of {size / 2**20:,.0f} MB below {self.folder}. "
                "Free some disk space there.",
                code="cache_full",
            )


class Inflation:
    """A volume on its way into the cache, filled by a thread of this process or by another one.

    `ready` bytes of the array, from its beginning, may be read already.
    """

    def __init__(self, cache: VolumeCache, tag: str, voxels: Derived, name: str) -> None:
        self.size = limits.check_volume(name, voxels.shape, voxels.dtype.itemsize)
        self.ready = 0
        self.error: BluenoError | None = None
        self._cache, self._voxels, self._name = cache, voxels, name
        self._final = cache.path(tag)
        self._part = self._final.with_suffix(".part")
        self._array: np.ndarray | None = None
        self._begin()

    @property
    def done(self) -> bool:
        return self.ready == self.size

    def array(self) -> np.ndarray | None:
        """The array, three or four axes as `Mapped` says; None while another process fills it.

        Raises
        ------
        BluenoError
            Why it could not be filled, if nothing of it is there.
        """
        if self._array is None:
            self._begin()  # the other process may be done, or gone
        if self.error is not None and not self.ready:
            raise self.error
        return self._array

    def _begin(self) -> None:
        if self._final.exists():
            self._open(self._final)
            os.utime(self._final)
            self.ready = self.size
            return
        self._cache.make_room(self.size)
        file = os.open(self._part, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return
        if not self._part.exists() or os.fstat(file).st_ino != self._part.stat().st_ino:
            os.close(file)  # it was finished or cleared away while we opened it
            self._begin()
            return
        os.ftruncate(file, 0)
        os.ftruncate(file, self.size)
        self._open(self._part)
        threading.Thread(target=self._fill, args=(file,), name="inflate", daemon=True).start()

    def _open(self, path: Path) -> None:
        voxels = self._voxels
        plain = Mapped(str(path), 0, voxels.dtype, voxels.shape, voxels.order, voxels.axes)
        self._array = mapped(plain, self._name)

    def _fill(self, file: int) -> None:
        try:
            for piece in checked_blocks(self._voxels, self._name):
                at = self.ready
                while piece:
                    count = os.pwrite(file, piece, at)
                    at, piece = at + count, piece[count:]
                if at < self.size:
                    self.ready = at
            os.rename(self._part, self._final)
            self.ready = self.size
        except BluenoError as error:
            self._fail(error)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._fail(
                Unavailable(
                    f"The disk is full at {self._part.parent}. Free some space there.", code="cache_full"
                )
                if full
                else Unavailable(f"'{self._name}' cannot be decompressed ({error}).", code="cache_failed")
            )
        except Exception as error:
            self._fail(DecoderFailed(f"'{self._name}' cannot be decoded ({error})."))
        finally:
            os.close(file)

    def _fail(self, error: BluenoError) -> None:
        with contextlib.suppress(OSError):
            self._part.unlink()
        self.error = error


def _abandoned(part: Path) -> bool:
    """Whether nobody fills a part any more."""
    with part.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
