"""What the server does unasked, and when it begins."""

from __future__ import annotations

import logging
import threading
from typing import Any

from jupyter_blueno.api.context import Platform
from jupyter_blueno.errors import BluenoError

SOON = 1.0  # seconds after the first request: the panel's own go first
LATEST = 15.0  # seconds after the server's start: jobs may have ended while nobody followed them

log = logging.getLogger("jupyter_blueno")


class Upkeep:
    """Follows the jobs, fires schedules and keeps decoders warm, from the time when Blueno is used.

    Loading what that takes holds the interpreter for half a second. A server
    that has just started has a browser waiting for Lab's own files, so it is
    put off until Lab asks for something of Blueno's, which it does once it is
    painted.

    Parameters
    ----------
    platform : Platform
    loop : tornado.ioloop.IOLoop
        The server's; `begin` and `begin_soon` are called in its thread.
    """

    def __init__(self, platform: Platform, loop: Any) -> None:
        self._platform = platform
        self._loop = loop
        self._asked = self._begun = False

    def begin_latest(self) -> None:
        """Begin after `LATEST` seconds if nothing is asked before."""
        self._loop.call_later(LATEST, self.begin)

    def begin_soon(self) -> None:
        """Begin after `SOON` seconds; called for every request."""
        if not self._asked:
            self._asked = True
            self._loop.call_later(SOON, self.begin)

    def begin(self) -> None:
        """Begin now, in a thread."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._run, name="blueno-upkeep", daemon=True).start()

    def _run(self) -> None:
        try:
            self._platform.decoders.start()
            if not self._platform.config.service_url:  # else the service does it
                self._platform.jobs.start_monitor()
                self._platform.ticker.start()
        except (BluenoError, OSError) as error:  # it is stopping; the data folder cannot be used
            log.warning("Blueno: %s", error)
