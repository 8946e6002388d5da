"""The long poll: one request a Lab tells of everything that changes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_blueno.api.operation import Operation
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.server.handlers.operation import OperationHandler, Serving

if TYPE_CHECKING:
    from jupyter_blueno.api.status import Changes
    from jupyter_blueno.database.news import Change

LONGEST_WAIT = 30.0  # seconds; under the idle time-out of common proxies
PERIOD = 0.15  # seconds between looks

# As `news.look`, of one database.
Look = Callable[[int], "tuple[int, set[Change]]"]


class News(NamedTuple):
    """Up to a revision: the tables in which something is new, and whether it is so for one person alone."""

    revision: int
    kinds: frozenset[str]
    alone: bool = False


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
        self._newest: dict[str, dict[Change, int]] = {}  # by team: when something was new
        self._waiting: dict[asyncio.Event, tuple[str, str]] = {}
        self._answers: dict[tuple[str, int, News], asyncio.Task[Changes]] = {}
        self._task: asyncio.Task[None] | None = None

    def knows(self, since: int) -> bool:
        """Whether it has seen all that came after `since`, but for the last moment."""
        return self._task is not None and since >= self._begun

    def news(self, team: str, person: str, since: int) -> News | None:
        """What is new for somebody after `since`; None: nothing, as far as is known."""
        new = [
            change
            for change, revision in self._newest.get(team, {}).items()
            if revision > since and change.person in ("", person)
        ]
        if not new or not self.knows(since):
            return None
        return News(
            self._seen, frozenset(change.kind for change in new), any(change.person for change in new)
        )

    def answer(
        self, team: str, since: int, news: News, ask: Callable[[], Coroutine[Any, Any, Changes]]
    ) -> Awaitable[Changes]:
        """The answer to `news` that are for a whole team: all who hear of them at once share it."""
        key = team, since, news
        if key not in self._answers:
            self._answers[key] = asyncio.create_task(ask())
        return asyncio.shield(self._answers[key])

    async def wait(self, team: str, person: str, since: int, seconds: float) -> News | None:
        """Return when there is something newer than `since` for somebody, or when the time is over.

        What comes with None is not known: who asks must look.
        """
        if self._task is None:
            self._seen = self._begun = since
            self._newest.clear()
            self._task = asyncio.create_task(self._run())
        if since < self._begun:
            return None
        if (found := self.news(team, person, since)) is not None:
            return found
        woken = asyncio.Event()
        self._waiting[woken] = (team, person)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), seconds)
        finally:
            del self._waiting[woken]
        return self.news(team, person, since)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(PERIOD)
                if not self._waiting:
                    return
                now, changes = await loop.run_in_executor(None, self._look, self._seen)
                if now < self._seen:  # another database than before
                    return
                if now > self._seen:
                    self._answers.clear()
                self._seen = now
                for change in changes:
                    self._newest.setdefault(change.team, {})[change] = now
                self._wake({(change.team, change.person) for change in changes})
        except BluenoError:  # who asks next is told so
            pass
        finally:
            self._task = None
            if self._waiting:
                self._wake(set(self._waiting.values()))

    def _wake(self, told: set[tuple[str, str]]) -> None:
        for woken, (team, person) in self._waiting.items():
            if not told.isdisjoint({(team, ""), (team, person)}):
                woken.set()


class Waiting(Serving):
    """Answers as soon as there is something new, or when the wait is over."""

    def initialize(self, methods: dict[str, Operation[Any, Any]] | None = None, **kwargs: Any) -> None:
        super().initialize(methods, **kwargs)
        self._closed = asyncio.Event()

    def on_connection_close(self) -> None:
        self._closed.set()
        super().on_connection_close()

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        ends = time.monotonic() + min(max(0.0, ask.wait), LONGEST_WAIT)  # in this order: NaN is 0
        once = msgspec.structs.replace(ask, wait=0)
        found = None
        if not (ask.wait > 0 and self._watch().knows(ask.since)):
            found = await super().answer(operation, once)
        while found is None or not (ask.since < 0 or found.revision < ask.since or _tells(found)):
            left = ends - time.monotonic()
            if found is not None and (left <= 0 or self._closed.is_set()):
                break
            news = await self._news(ask.since if found is None else found.revision, left)
            if news is None:
                found = await super().answer(operation, once)
            else:
                found = await self._told(ask.since, news)
        return found

    async def _told(self, since: int, news: News) -> Changes:
        """What is new, asked once for all to whom it is the same."""
        from jupyter_blueno.api.status import changes

        # Nobody in particular asks what is shared: since the watch looked, something private may have come.
        context = self.context() if news.alone else self.context().of_team()
        ask = functools.partial(self.in_thread, changes, context, since, news.revision, news.kinds)
        return await (ask() if news.alone else self._watch().answer(context.user.team, since, news, ask))

    def _watch(self) -> Watch:
        watches: dict[int, Watch] = self.settings.setdefault("blueno_watches", {})
        database = self.context().database.of_everybody
        if id(database.pool) not in watches:
            from jupyter_blueno.database import news

            watches[id(database.pool)] = Watch(lambda seen: news.look(database, seen))
        return watches[id(database.pool)]

    async def _news(self, since: int, seconds: float) -> News | None:
        """Wait for news, as long as somebody listens."""
        user = self.context().user
        waiting = asyncio.create_task(self._watch().wait(user.team, user.name, since, seconds))
        closing = asyncio.create_task(self._closed.wait())
        await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
        for one in (waiting, closing):
            one.cancel()
        return waiting.result() if waiting.done() else None


def _tells(found: Any) -> bool:
    """Whether anything changed for who asks."""
    return any(getattr(found, name) for name in found.__struct_fields__ if name != "revision")


class ChangesHandler(Waiting, OperationHandler):
    """The long poll of a Jupyter server."""
