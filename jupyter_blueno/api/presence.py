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
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.working = False  # a kernel or a terminal
        self._last = time.time()
        self._lock = threading.Lock()

    def seen(self, at: float | None = None) -> None:
        """Something happened, now or `at` that time (seconds since 1970)."""
        with self._lock:
            self._last = max(self._last, time.time() if at is None else min(at, time.time()))

    @property
    def left(self) -> float | None:
        """Seconds until the server is to be stopped, if nothing happens; None is never."""
        if self.timeout <= 0:
            return None
        if self.working:
            return self.timeout
        return max(0.0, self._last + self.timeout - time.time())
