"""Who is next, on its own: nothing runs here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blueno.jobs.engine.order import PATIENCE, PLACES, Entry, Limits, Order


def entry(job_id: str, priority: int = 0, **needs: Any) -> Entry:
    return Entry(job_id, priority, {"owner": "alice", "submitted": float(ord(job_id[0])), **needs})


def started(order: Order, now: float = 0.0) -> list[str]:
    """Start all there is room for; their ids in order."""
    found = []
    while (one := order.next(now)) is not None:
        one.gpus = order.free_gpus()[: one.gpu]
        order.start(one)
        found.append(one.id)
    return found


def one_by_one(order: Order) -> list[str]:
    """Run all, each to its end."""
    found = []
    while (one := order.next(0.0)) is not None:
        order.start(one)
        order.end(one.id)
        found.append(one.id)
    return found


def order_of(*entries: Entry, **limits: Any) -> Order:
    order = Order(Limits(**limits))
    for one in entries:
        order.add(one)
    return order


def test_by_priority_then_age() -> None:
    assert one_by_one(order_of(entry("c"), entry("a"), entry("b", 5), entry("d", -1))) == ["b", "a", "c", "d"]


def test_a_new_priority_takes_the_place_of_the_old() -> None:
    order = order_of(entry("a"), entry("b"))
    order.add(entry("b", 3))
    assert one_by_one(order) == ["b", "a"]


def test_people_take_turns() -> None:
    many = [entry(sign) for sign in "abcd"]
    order = order_of(*many, entry("x", owner="bob"), entry("y", owner="bob"))
    assert one_by_one(order) == ["a", "x", "b", "y", "c", "d"]


def test_who_has_fewest_running_is_next() -> None:
    order = order_of(*[entry(sign) for sign in "abcd"], at_once=3)
    assert started(order) == ["a", "b", "c"]
    order.add(entry("x", owner="bob"))
    order.add(entry("y", owner="bob"))
    order.end("a")
    order.end("b")
    assert started(order) == ["x", "d"]  # each has one then, and alice's last turn was before


def test_gpus_are_each_given_to_one() -> None:
    order = order_of(entry("a", gpu=1), entry("b", gpu=2), entry("c", gpu=1), at_once=8, gpus="0,1")
    assert started(order) == ["a", "c"]
    assert [order.running[one].gpus for one in "ac"] == [["0"], ["1"]]
    assert order.lacking(order.waiting["b"]) == {"gpu"}


def test_memory_and_cores_are_not_given_twice() -> None:
    limits = {"at_once": 4, "cpu": 4, "memory": 8e9}
    assert started(order_of(entry("a", memory=5e9), entry("b", memory=5e9), **limits)) == ["a"]
    assert started(order_of(entry("a", cpu=3), entry("b", cpu=1.5), entry("c", cpu=0.5), **limits)) == [
        "a",
        "c",
    ]


def test_a_large_job_is_passed_for_a_while_only() -> None:
    order = order_of(entry("a"), entry("b", cpu=2), *[entry(sign) for sign in "cde"], at_once=2, cpu=2)
    assert started(order, 0) == ["a", "c"]
    order.end("c")
    assert started(order, PATIENCE / 2) == ["d"]
    order.end("d")
    assert started(order, PATIENCE * 2) == []  # what is free is kept for b
    order.end("a")
    assert started(order, PATIENCE * 2) == ["b"]


def test_who_takes_nothing_of_what_it_lacks_passes_on() -> None:
    order = order_of(entry("a", gpu=1), entry("b", gpu=1), entry("c"), at_once=8, gpus="0")
    assert started(order, 0) == ["a", "c"]
    order.add(entry("d"))
    assert started(order, PATIENCE * 2) == ["d"]


def test_ingests_have_places_of_their_own() -> None:
    ingests = [entry(sign, lane="ingest") for sign in "xyz"]
    order = order_of(entry("a"), entry("b"), *ingests)
    assert sorted(started(order)) == ["a", "x", "y"]
    assert PLACES["ingest"] == 2


@pytest.mark.parametrize("gone", ["a", "b"])
def test_what_is_withdrawn_never_starts(gone: str) -> None:
    order = order_of(entry("a"), entry("b"))
    order.drop(gone)
    order.drop(gone)
    assert one_by_one(order) == [one for one in "ab" if one != gone]


needs = st.fixed_dictionaries(
    {
        "owner": st.sampled_from(["alice", "bob", "carol"]),
        "cpu": st.sampled_from([None, 0.5, 1, 2, 4]),
        "memory": st.sampled_from([None, 1, 5, 10]),
        "gpu": st.integers(0, 2),
        "lane": st.sampled_from(["jobs", "jobs", "ingest"]),
    }
)


@given(st.lists(st.tuples(needs, st.integers(-10, 10)), max_size=30), st.randoms())
def test_nothing_is_given_twice_and_everything_runs_once(jobs: list[Any], random: Any) -> None:
    order = Order(Limits(at_once=3, cpu=4, memory=10, gpus="0,1"))
    for n, (content, priority) in enumerate(jobs):
        order.add(Entry(str(n), priority, {**content, "submitted": n}))
    done: list[str] = []
    now = 0.0
    while order.waiting or order.running:
        done += started(order, now)
        running = order.running.values()
        here = [one for one in running if one.lane == "jobs"]
        assert len(here) <= 3
        assert sum(one.cpu for one in here) <= 4
        assert sum(one.memory for one in here) <= 10
        held = [name for one in running for name in one.gpus]
        assert len(held) == len(set(held))
        assert order.running  # or what waits waits for ever
        order.end(random.choice(list(order.running)))
        now += PATIENCE / 3
    assert sorted(done, key=int) == [str(n) for n in range(len(jobs))]
