"""Processes that examine files; a file that kills one costs only itself."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.errors import BluenoError

SECONDS_PER_ITEM = 120.0  # a decoder that takes longer hangs
SECONDS_TO_START = 120.0  # until a process has loaded its libraries
_spawn = multiprocessing.get_context("spawn")  # a thread of the caller may hold a lock: no fork


@dataclass
class _Task:
    """A run of items; `results` are filled by position and may come in several turns."""

    items: Sequence[Any]
    results: list[Any]
    todo: list[int]

    @property
    def is_done(self) -> bool:
        return not self.todo


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    position: Any  # shared: which item of `sent` it is at; -1 is none yet
    task: _Task | None = None
    sent: list[int] = field(default_factory=list)
    seen: tuple[int, float] = (-1, 0.0)


class Workers:
    """A pool of processes for one function.

    Not thread-safe. A process that dies, or hangs at an item, is replaced, and
    the item it was at becomes a `Problem`; the others of its run are done again.

    Parameters
    ----------
    target : str
        ``module:function``, called with one item in a process of its own.
    count : int, optional
        How many processes; as many as there are processors by default.
    name_of : callable, optional
        What an item is called in a problem.
    """

    def __init__(self, target: str, count: int | None = None, name_of: Callable[[Any], str] = str) -> None:
        self.target = target
        self.count = count or available_processors()
        self.name_of = name_of
        self.seconds_per_item = SECONDS_PER_ITEM
        self._workers: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers = []

    def map(self, runs: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """Yield the results of each run of items, in order; a failed item's is a `Problem`.

        At most two runs a process are held at once, however many there are.
        """
        source = iter(runs)
        waiting: deque[_Task] = deque()  # to be sent
        order: deque[_Task] = deque()  # to be yielded
        exhausted = False
        while True:
            while not exhausted and len(order) < 2 * self.count:
                items = next(source, None)
                if items is None:
                    exhausted = True
                    break
                task = _Task(items, [None] * len(items), list(range(len(items))))
                order.append(task)
                waiting.append(task)
            while order and order[0].is_done:
                yield order.popleft().results
            if exhausted and not order:
                return
            if not waiting or not self._assign(waiting):
                self._collect(waiting)

    def _assign(self, waiting: deque[_Task]) -> bool:
        """Send the first waiting task to an idle process; False if none is idle."""
        idle = next((one for one in self._workers if one.task is None), None)
        if idle is None and len(self._workers) < self.count:
            idle = self._start()
        if idle is None:
            return False
        task = waiting.popleft()
        idle.task, idle.sent = task, list(task.todo)
        idle.position.value = -1
        idle.seen = (-1, time.monotonic())
        with suppress(OSError):  # it died just now: _collect sees that
            idle.pipe.send([task.items[n] for n in idle.sent])
        return True

    def _collect(self, waiting: deque[_Task]) -> None:
        """Wait for results, a death, or an item that takes too long."""
        busy = {one.pipe: one for one in self._workers if one.task is not None}
        ready = wait(list(busy), timeout=1.0)
        for pipe in ready:
            worker = busy[pipe]  # type: ignore[index]
            task = worker.task
            assert task is not None
            try:
                results = worker.pipe.recv()
            except (EOFError, OSError):
                worker.process.join(5)
                self._blame(worker, waiting, _death_of(worker.process.exitcode))
                continue
            for n, result in zip(worker.sent, results, strict=True):
                task.results[n] = result
            task.todo = []
            worker.task = None
        now = time.monotonic()
        for worker in busy.values():
            at = worker.position.value
            if worker.task is None or worker.seen[0] != at:
                worker.seen = (at, now)
            elif now - worker.seen[1] > (self.seconds_per_item if at >= 0 else SECONDS_TO_START):
                self._blame(worker, waiting, f"took longer than {self.seconds_per_item:.0f} s")

    def _blame(self, worker: _Worker, waiting: deque[_Task], why: str) -> None:
        """The item that a process was at is the problem; the rest of its run is done again."""
        task = worker.task
        assert task is not None
        culprit = worker.sent[max(0, worker.position.value)]
        task.results[culprit] = Problem(
            self.name_of(task.items[culprit]),
            "decoder_failed",
            f"Reading it {why}. The file is damaged or too large; look at it with its own program.",
        )
        task.todo = [n for n in task.todo if n != culprit]
        if task.todo:
            waiting.appendleft(task)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)

    def _start(self) -> _Worker:
        ours, theirs = _spawn.Pipe()
        position = _spawn.Value("q", 0, lock=False)
        limit = _memory_limit(self.count)
        process = _spawn.Process(
            target=_work, args=(self.target, theirs, position, limit), daemon=True, name="blueno-examine"
        )
        with _without_main():
            process.start()
        theirs.close()
        worker = _Worker(process, ours, position)
        self._workers.append(worker)
        return worker


class _without_main:  # noqa: N801 - reads as a statement
    """While a process is spawned, hide the main module: a user's script is not run again in it."""

    def __enter__(self) -> None:
        import sys

        main = sys.modules["__main__"]
        self.kept = {name: getattr(main, name, None) for name in ("__file__", "__spec__")}
        for name in self.kept:
            if hasattr(main, name):
                delattr(main, name)
        main.__spec__ = None

    def __exit__(self, *exception: object) -> None:
        import sys

        main = sys.modules["__main__"]
        for name, value in self.kept.items():
            if value is not None:
                setattr(main, name, value)


def available_processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _work(target: str, pipe: Connection, position: Any, memory: int) -> None:
    """The life of one process: a list of items in, a list of results out."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    module, _, name = target.partition(":")
    function = getattr(import_module(module), name)
    while True:
        try:
            items = pipe.recv()
        except EOFError:
            return
        results = []
        for n, item in enumerate(items):
            position.value = n
            results.append(function(item))
        pipe.send(results)


def problem_of(name: str, error: Exception) -> Problem:
    """What an exception says of the sample called `name`."""
    if isinstance(error, BluenoError):
        return Problem(name, error.code, error.message)
    if isinstance(error, MemoryError):
        return Problem(name, "too_large", "Reading it needs more memory than there is. Make it smaller.")
    if isinstance(error, OSError) and error.strerror:
        return Problem(name, "unreadable_data", f"It cannot be read: {error.strerror}.")
    return Problem(name, "unreadable_data", f"It cannot be read ({type(error).__name__}: {error})."[:500])


def _memory_limit(count: int) -> int:
    import psutil

    # Address space, not memory: libraries map far more than they touch.
    return max(4 << 30, int(psutil.virtual_memory().total * 0.75 / count) + (2 << 30))


def _death_of(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"ended its process (signal {-exit_code})"
    return "ended its process"
