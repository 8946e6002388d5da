"""Looks how busy the GPUs of a notebook server are, and tells the hub's service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tornado.ioloop import PeriodicCallback

from jupyter_blueno.api.notebooks import NotebookUse, report_notebook
from jupyter_blueno.api.presence import Presence
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.jobs.engine.gpus import EVERY, Gpus

LONGEST, LEAST = 10.0, 0.5  # seconds between looks
TOLD = 60.0  # seconds between reports


class GpuWatch:
    """Looks every few seconds.

    Parameters
    ----------
    presence : Presence
        Is told when they are used.
    below : float
        The part of their time below which they are not.
    call : callable, optional
        Asks the service; None where there is none.
    server : str
        The name of this server, of several of a person.
    """

    def __init__(
        self, presence: Presence, below: float, call: Callable[..., Any] | None, server: str, log: Any
    ) -> None:
        self.presence, self.below, self.call, self.server, self.log = presence, below, call, server, log
        self.gpus: Gpus | None = None
        self._seen: list[float] = []
        self._told = time.monotonic()
        of_timeout = presence.gpu_timeout / 10 if presence.gpu_timeout else LONGEST
        pause = min(LONGEST, max(LEAST, of_timeout))
        self._timer = PeriodicCallback(self.look, 1000 * pause)
        self._timer.start()

    def close(self) -> None:
        self._timer.stop()

    async def look(self) -> None:
        """Take a sample; where the GPUs do not say, they count as used."""
        if self.gpus is None:
            self.gpus = await asyncio.to_thread(Gpus, [EVERY])
        said = self.gpus.sample()
        if "gpu" not in said:
            self.presence.gpus_used()
            return
        busy = min(1.0, said["gpu"] / len(self.gpus.handles))
        if busy >= self.below:
            self.presence.gpus_used()
        self._seen.append(busy)
        if time.monotonic() - self._told >= TOLD:
            await self._tell()

    async def _tell(self) -> None:
        self._told = time.monotonic()
        mean = sum(self._seen) / len(self._seen)
        self._seen.clear()
        if self.call is None:
            return
        try:
            await asyncio.to_thread(self.call, report_notebook, NotebookUse(self.server, mean))
        except BluenoError as error:  # the next one comes in a minute
            self.log.info("How busy the GPUs are was not told: %s", error)
