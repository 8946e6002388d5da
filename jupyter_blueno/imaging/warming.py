"""Getting the pages of a memory map into memory before they are asked for."""

from __future__ import annotations

import ctypes
import mmap
import sys
from typing import TYPE_CHECKING

from jupyter_blueno.imaging.limits import free_memory

if TYPE_CHECKING:
    import numpy as np

_PIECE = 8 << 20  # bytes a call; other threads of the process go on in between
_POPULATE_READ = 22  # Linux ≥ 5.14
_LARGEST_SHARE = 0.4  # of the free memory


def warm(array: np.ndarray) -> None:
    """Touch every page of a mapped array, if there is memory for it.

    It runs beside the requests of the process, in a thread; the calls let go
    of the interpreter's lock.
    """
    if array.nbytes > free_memory() * _LARGEST_SHARE:
        return
    begin = min(_ends(array)) // mmap.PAGESIZE * mmap.PAGESIZE
    end = max(_ends(array))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for at in range(begin, end, _PIECE):
            length = min(_PIECE, end - at)
            if libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(length), _POPULATE_READ):
                break
        else:
            return
    _read_all(array)


def _ends(array: np.ndarray) -> tuple[int, int]:
    from numpy.lib.array_utils import byte_bounds

    low, high = byte_bounds(array)
    return int(low), int(high)


def _read_all(array: np.ndarray) -> None:
    """The slow way: add up a number of every page."""
    import numpy as np

    order = np.argsort([-abs(step) for step in array.strides])
    for block in array.transpose(order):
        block.max()
