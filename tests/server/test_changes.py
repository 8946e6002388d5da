"""Waiting for changes: one look at the database for all who wait, and each hears of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jupyter_blueno.api.catalog import CreateDataset, create_dataset
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.status import ChangesSince, get_changes
from jupyter_blueno.database.news import Change
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.server.handlers.changes import News, Waiting, Watch

LONG = 30.0


def alone(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a loop of its own, also where a browser has one in this thread."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


class Database:
    """Revisions, and for which team, or which person of it, each is."""

    def __init__(self) -> None:
        self.of: list[str] = []
        self.looks = 0
        self.gone = False

    def look(self, since: int) -> tuple[int, set[Change]]:
        self.looks += 1
        if self.gone:
            raise Unavailable("It is away.")
        return len(self.of), {Change(*one.partition("/")[::2], "job") for one in self.of[max(since, 0) :]}


def test_each_is_woken_by_what_is_new_for_its_team() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        waiting = [asyncio.create_task(watch.wait("a", "ann", 0, LONG)) for _ in range(200)]
        other = asyncio.create_task(watch.wait("b", "ann", 0, 0.5))
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
        holds = asyncio.create_task(watch.wait("b", "ann", 0, LONG))
        database.of += ["a", "b"]
        await holds
        # Both were seen by the watch while nobody of the team waited.
        assert await asyncio.wait_for(watch.wait("a", "ann", 0, LONG), 1) == News(2, frozenset({"job"}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.wait("a", "ann", 2, LONG), 0.5)

    alone(run())


def test_who_knows_less_than_the_watch_is_not_kept_waiting() -> None:
    async def run() -> None:
        database = Database()
        database.of += ["a"] * 5
        watch = Watch(database.look)
        first = asyncio.create_task(watch.wait("b", "ann", 5, LONG))
        await asyncio.sleep(0)
        assert not watch.knows(3)
        assert watch.knows(5)
        assert await asyncio.wait_for(watch.wait("a", "ann", 3, LONG), 1) is None  # it has to look
        first.cancel()

    alone(run())


def test_a_database_that_goes_away_wakes_all() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        waiting = asyncio.create_task(watch.wait("a", "ann", 0, LONG))
        database.gone = True
        assert await asyncio.wait_for(waiting, 5) is None
        database.gone = False
        again = asyncio.create_task(watch.wait("a", "ann", 0, LONG))
        await asyncio.sleep(0)
        database.of.append("a")
        await asyncio.wait_for(again, 5)

    alone(run())


def test_what_one_person_alone_may_see_wakes_nobody_else() -> None:
    async def run() -> None:
        database = Database()
        watch = Watch(database.look)
        ann = asyncio.create_task(watch.wait("a", "ann", 0, LONG))
        bob = asyncio.create_task(watch.wait("a", "bob", 0, LONG))
        await asyncio.sleep(0)
        database.of.append("a/ann")
        assert await asyncio.wait_for(ann, 5) == News(1, frozenset({"job"}), alone=True)
        assert not bob.done()
        database.of.append("a")
        # What was ann's alone is none of bob's news, though it came after what he knows.
        assert await asyncio.wait_for(bob, 5) == News(2, frozenset({"job"}))

    alone(run())


def test_what_is_shared_has_nothing_that_is_private_to_who_asked_first(context: Context) -> None:
    since = context.ask(get_changes, ChangesSince()).revision
    context.ask(create_dataset, CreateDataset("the team's"))
    news = News(context.ask(get_changes, ChangesSince()).revision, frozenset({"dataset"}))
    context.ask(create_dataset, CreateDataset("alice's own", visibility="private"))  # after the watch looked

    class Asking(Waiting):
        def __init__(self) -> None:
            self.of = Watch(Database().look)

        def context(self) -> Context:
            return context

        def _watch(self) -> Watch:
            return self.of

    async def told(news: News) -> set[str]:
        return {one.name for one in (await Asking()._told(since, news)).datasets}

    async def run() -> None:
        assert await told(news) == {"the team's"}
        assert await told(news._replace(alone=True)) == {"the team's", "alice's own"}

    alone(run())


def test_all_who_hear_the_same_share_an_answer() -> None:
    asked: list[Any] = []

    async def run() -> None:
        watch = Watch(Database().look)

        async def ask(who: str) -> Any:
            asked.append(who)
            await asyncio.sleep(0)
            return who

        same = News(1, frozenset({"job"}))
        told: list[Any] = [watch.answer("a", 0, same, lambda who=who: ask(who)) for who in ("ann", "bob")]  # type: ignore[misc]
        assert await asyncio.gather(*told) == ["ann", "ann"]
        told = [
            watch.answer("b", 0, same, lambda: ask("cleo")),
            watch.answer("a", 1, same, lambda: ask("dan")),
        ]
        assert await asyncio.gather(*told) == ["cleo", "dan"]

    alone(run())
    assert asked == ["ann", "cleo", "dan"]
