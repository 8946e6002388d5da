"""Waiting for changes: one look at the database for all who wait, and each hears of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.server.handlers.changes import News, Watch

LONG = 30.0


def alone(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a loop of its own, also where a browser has one in this thread."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


class Database:
    """Revisions, and for which team each is."""

    def __init__(self) -> None:
        self.of: list[str] = []
        self.looks = 0
        self.gone = False

    def look(self, since: int) -> tuple[int, set[tuple[str, str]]]:
        self.looks += 1
        if self.gone:
            raise Unavailable("It is away.")
        return len(self.of), {(team, "job") for team in self.of[max(since, 0) :]}


def test_each_is_woken_by_what_is_new_for_its_team() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        waiting = [asyncio.create_task(watch.wait("a", 0, LONG)) for _ in range(200)]
        other = asyncio.create_task(watch.wait("b", 0, 0.5))
        await asyncio.sleep(0)
        database.of.append("a")
        for news in await asyncio.wait_for(asyncio.gather(*waiting), 5):
            assert news == News(1, frozenset({"job"}))
        assert not other.done()
        began = time.monotonic()
        assert await other is None  # its time is over
        assert time.monotonic() - began < 2
        assert database.looks < 20  # and not two hundred times as many

    alone(run())


def test_nothing_is_missed_between_two_waits() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        holds = asyncio.create_task(watch.wait("b", 0, LONG))
        database.of += ["a", "b"]
        await holds
        # Both were seen by the watch while nobody of the team waited.
        assert await asyncio.wait_for(watch.wait("a", 0, LONG), 1) == News(2, frozenset({"job"}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.wait("a", 2, LONG), 0.5)

    alone(run())


def test_who_knows_less_than_the_watch_is_not_kept_waiting() -> None:
    async def run() -> None:
        database = Database()
        database.of += ["a"] * 5
        watch = Watch(database.look)
        first = asyncio.create_task(watch.wait("b", 5, LONG))
        await asyncio.sleep(0)
        assert not watch.knows(3)
        assert watch.knows(5)
        assert await asyncio.wait_for(watch.wait("a", 3, LONG), 1) is None  # it has to look
        first.cancel()

    alone(run())


def test_a_database_that_goes_away_wakes_all() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        waiting = asyncio.create_task(watch.wait("a", 0, LONG))
        database.gone = True
        assert await asyncio.wait_for(waiting, 5) is None
        database.gone = False
        again = asyncio.create_task(watch.wait("a", 0, LONG))
        await asyncio.sleep(0)
        database.of.append("a")
        await asyncio.wait_for(again, 5)

    alone(run())
