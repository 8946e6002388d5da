"""Whether somebody is there, and something runs, in a Jupyter server."""

from __future__ import annotations

import threading
import time


class Presence:
    """Remembers when something happened last. Thread-safe.

    Parameters
    ----------
    timeout : float
        Seconds without anything after which the server is to be stopped; 0 is
        never.
    gpu_timeout : float
        The same, of seconds in which its GPUs are hardly used.
    """

    def __init__(self, timeout: float, gpu_timeout: float = 0) -> None:
        self.timeout = timeout
        self.gpu_timeout = gpu_timeout
        self.working = False  # a kernel or a terminal
        self._last = self._gpu_last = time.time()
        self._lock = threading.Lock()

    def seen(self, at: float | None = None) -> None:
        """Something happened, now or `at` that time (seconds since 1970)."""
        with self._lock:
            self._last = max(self._last, time.time() if at is None else min(at, time.time()))

    def gpus_used(self) -> None:
        """The GPUs are at work, or a person wants to keep them."""
        with self._lock:
            self._gpu_last = time.time()

    @property
    def left(self) -> float | None:
        """Seconds until the server is to be stopped, if nothing happens; None is never."""
        times = [one for one in (self._left(False), self._left(True)) if one is not None]
        return min(times, default=None)

    @property
    def for_gpus(self) -> bool:
        """Whether it is for its GPUs that it is to be stopped so soon."""
        others, gpus = self._left(False), self._left(True)
        return gpus is not None and (others is None or gpus < others)

    def _left(self, gpus: bool) -> float | None:
        timeout, last = (self.gpu_timeout, self._gpu_last) if gpus else (self.timeout, self._last)
        if timeout <= 0:
            return None
        return timeout if self.working else max(0.0, last + timeout - time.time())
