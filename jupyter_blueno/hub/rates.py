"""How often somebody may ask."""

from __future__ import annotations

import time
from collections.abc import Callable

FORGOTTEN = 10_000  # of those who asked, so many are remembered


class Rates:
    """Requests a minute for each of those who ask; a minute's worth may come at once.

    Parameters
    ----------
    per_minute : int
        0 is as many as they like.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # who → what is left, and when that was so

    def wait(self, who: str) -> float:
        """Seconds until the next request may come; 0 is now."""
        left = self._now(who)
        return 0.0 if not self.per_minute or left >= 1 else (1 - left) * 60 / self.per_minute

    def count(self, who: str) -> None:
        """A request came."""
        if len(self._left) >= FORGOTTEN:
            full = [one for one in self._left if self._now(one) >= self.per_minute]
            for one in full or list(self._left):
                del self._left[one]
        self._left[who] = (self._now(who) - 1, self._clock())

    def _now(self, who: str) -> float:
        left, then = self._left.get(who, (float(self.per_minute), 0.0))
        return min(float(self.per_minute), left + (self._clock() - then) * self.per_minute / 60)
