"""The long poll: one request a Lab tells of everything that changes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from jupyter_blueno.api.operation import Operation
from jupyter_blueno.server.handlers.operation import OperationHandler, Serving

LONGEST_WAIT = 30.0  # seconds; under the idle time-out of common proxies
PERIOD = 0.15  # seconds between looks


class Waiting(Serving):
    """Answers as soon as there is something new, or when the wait is over."""

    _closed = False

    def on_connection_close(self) -> None:
        self._closed = True
        super().on_connection_close()

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        deadline = time.monotonic() + min(max(0.0, ask.wait), LONGEST_WAIT)  # in this order: NaN is 0
        once = msgspec.structs.replace(ask, wait=0)
        while True:
            changes = await super().answer(operation, once)
            if changes.revision != ask.since or self._closed or time.monotonic() >= deadline:
                return changes
            await asyncio.sleep(PERIOD)


class ChangesHandler(Waiting, OperationHandler):
    """The long poll of a Jupyter server."""
