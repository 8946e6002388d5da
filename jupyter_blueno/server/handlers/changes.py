"""The long poll: one request a Lab tells of everything that changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import msgspec

from jupyter_blueno.api.operation import Operation
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.server.handlers.operation import OperationHandler, Serving

LONGEST_WAIT = 30.0  # seconds; under the idle time-out of common proxies
PERIOD = 0.15  # seconds between looks

Look = Callable[[int], tuple[int, set[str]]]  # as `news.look`, of one database


class Watch:
    """Looks for news while anybody waits for some, once for all of them. For one event loop.

    Parameters
    ----------
    look : callable
        Blocks; it is called in a thread.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._seen = -1  # the revision up to which was looked
        self._begun = 0  # what was before is not known
        self._newest: dict[str, int] = {}  # team → when something was new for it
        self._waiting: dict[asyncio.Event, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def wait(self, team: str, since: int, seconds: float) -> None:
        """Return when there may be something newer than `since` for a team, or when the time is over."""
        if self._task is None:
            self._seen = self._begun = since
            self._newest.clear()
            self._task = asyncio.create_task(self._run())
        if since < self._begun or self._newest.get(team, -1) > since:
            return
        woken = asyncio.Event()
        self._waiting[woken] = team
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), seconds)
        finally:
            del self._waiting[woken]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(PERIOD)
                if not self._waiting:
                    return
                now, teams = await loop.run_in_executor(None, self._look, self._seen)
                if now < self._seen:  # another database than before
                    return
                self._seen = now
                self._newest.update(dict.fromkeys(teams, now))
                self._wake(teams)
        except BluenoError:  # who asks next is told so
            pass
        finally:
            self._task = None
            if self._waiting:
                self._wake(set(self._waiting.values()))

    def _wake(self, teams: set[str]) -> None:
        for woken, team in self._waiting.items():
            if team in teams:
                woken.set()


class Waiting(Serving):
    """Answers as soon as there is something new, or when the wait is over."""

    _closed: asyncio.Event | None = None

    def on_connection_close(self) -> None:
        if self._closed is not None:
            self._closed.set()
        super().on_connection_close()

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        deadline = time.monotonic() + min(max(0.0, ask.wait), LONGEST_WAIT)  # in this order: NaN is 0
        once = msgspec.structs.replace(ask, wait=0)
        while True:
            changes = await super().answer(operation, once)
            left = deadline - time.monotonic()
            if left <= 0 or changes.revision < ask.since or _tells(changes) or ask.since < 0:
                return changes
            if not await self._waited(changes.revision, left):
                return changes

    async def _waited(self, since: int, seconds: float) -> bool:
        """Wait for news; False if nobody listens any more."""
        context = self.context()
        watches: dict[int, Watch] = self.settings.setdefault("blueno_watches", {})
        database = context.database.of_everybody
        if id(database.pool) not in watches:
            from jupyter_blueno.database import news

            watches[id(database.pool)] = Watch(lambda seen: news.look(database, seen))
        self._closed = asyncio.Event()
        waiting = asyncio.create_task(watches[id(database.pool)].wait(context.user.team, since, seconds))
        closing = asyncio.create_task(self._closed.wait())
        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        for one in (waiting, closing):
            one.cancel()
        return not self._closed.is_set()


def _tells(changes: Any) -> bool:
    """Whether anything changed for who asks."""
    return any(getattr(changes, name) for name in changes.__struct_fields__ if name != "revision")


class ChangesHandler(Waiting, OperationHandler):
    """The long poll of a Jupyter server."""
