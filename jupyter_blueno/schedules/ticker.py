"""The thread that fires schedules in a process that is there anyway."""

from __future__ import annotations

import logging
import threading
import time

import sqlalchemy as sa

from jupyter_blueno.errors import BluenoError
from jupyter_blueno.schedules import standby
from jupyter_blueno.schedules.manager import ScheduleManager

PERIOD = 10.0  # seconds between looks; sooner where one is due sooner

log = logging.getLogger("jupyter_blueno")


class Ticker:
    """Looks when something is due, and every few seconds: the clock may be set, a dataset grow."""

    def __init__(self, schedules: ScheduleManager, period: float = PERIOD) -> None:
        self._schedules = schedules
        self._period = period
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="blueno-schedules", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop looking; what was started goes on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            with standby.serving(self._schedules.config):
                self._look()
        except OSError as error:
            log.warning("Schedules start no jobs here: %s", error)

    def _look(self) -> None:
        while not self._stop.is_set():
            pause = self._period
            try:
                due = self._schedules.look()
                if due is not None:
                    pause = min(pause, max(0.05, due.timestamp() - time.time()))
            except (BluenoError, OSError, sa.exc.SQLAlchemyError) as error:
                if not self._stop.is_set():
                    log.warning("Schedules cannot be looked at now: %s", error)
            self._stop.wait(pause)
