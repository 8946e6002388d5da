"""Processes that may die without harm."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.ingest.workers import Workers

HERE = "tests.ingest.test_workers"


def square(item: int) -> int:
    return item * item


def moody(item: int) -> int:
    """Dies, hangs or asks for too much at some numbers."""
    if item == 13:
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == 21:
        time.sleep(600)
    return item


def greedy(item: int) -> int:
    try:
        return len(bytearray(1 << 42))
    except MemoryError:
        return -1


def test_results_come_in_order():
    with Workers(f"{HERE}:square", 2) as workers:
        runs = [range(n, n + 7) for n in range(0, 70, 7)]
        results = [one for run in workers.map(runs) for one in run]
    assert results == [n * n for n in range(70)]


def test_an_item_that_kills_its_process_is_the_only_problem():
    with Workers(f"{HERE}:moody", 2, name_of=lambda n: f"number {n}") as workers:
        results = [one for run in workers.map([range(0, 10), range(10, 20)]) for one in run]
    assert [one for one in results if not isinstance(one, Problem)] == [n for n in range(20) if n != 13]
    (problem,) = [one for one in results if isinstance(one, Problem)]
    assert (problem.name, problem.code) == ("number 13", "decoder_failed")
    assert "signal 11" in problem.message


def test_an_item_that_hangs_is_given_up():
    with Workers(f"{HERE}:moody", 1) as workers:
        workers.seconds_per_item = 0.5
        (results,) = workers.map([[20, 21, 22]])
    assert (results[0], results[2]) == (20, 22)
    assert "longer than" in results[1].message


def test_memory_is_limited():
    with Workers(f"{HERE}:greedy", 1) as workers:
        assert list(workers.map([[0]])) == [[-1]]


def test_nobody_is_left():
    with Workers(f"{HERE}:square", 2) as workers:
        list(workers.map([[1], [2], [3]]))
        processes = [psutil.Process(one.process.pid) for one in workers._workers]
    assert processes
    assert not any(process.is_running() for process in processes)


def test_an_error_in_the_source_of_items_ends_it():
    def broken():
        yield [1]
        raise ValueError("no more")

    with Workers(f"{HERE}:square", 1) as workers, pytest.raises(ValueError, match="no more"):
        list(workers.map(broken()))
