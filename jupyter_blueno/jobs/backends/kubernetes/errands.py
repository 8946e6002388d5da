"""What is done in the cluster while nobody waits for it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.backends.kubernetes.access import Refused, Unreachable

PERIOD = 0.25  # seconds between two of the same kind for a job
MANY = 1000

_log = logging.getLogger(__name__)


class Errands:
    """Some threads, each errand done by one at a time. What fails is put off until it is asked for again."""

    def __init__(self, hands: int) -> None:
        self._hands = ThreadPoolExecutor(hands, thread_name_prefix="blueno-cluster")
        self._again: dict[tuple[str, str], float] = {}  # from when on each may be done again
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._hands.shutdown(wait=False, cancel_futures=True)

    def do(self, errand: str, job_id: str, act: Callable[[], Any]) -> None:
        """Have something done, unless it is being done, or just was: who asks at every look floods nobody."""
        key = (errand, job_id)
        now = time.monotonic()
        with self._lock:
            if now < self._again.get(key, 0.0) or self._closed:
                return
            if len(self._again) > MANY:
                self._again = {one: when for one, when in self._again.items() if when > now}
            self._again[key] = float("inf")
        with contextlib.suppress(RuntimeError):  # just closed
            self._hands.submit(self._run, key, act)

    def _run(self, key: tuple[str, str], act: Callable[[], Any]) -> None:
        errand, job_id = key
        try:
            act()
        except (Unavailable, Refused, Unreachable, OSError) as error:
            _log.info("Job %s: to %s it is put off: %s", job_id, errand, error)
        except Exception:
            _log.exception("Job %s: to %s it went wrong", job_id, errand)
        finally:
            with self._lock:
                self._again[key] = time.monotonic() + PERIOD
