"""What follows from how steps stand, and which flows are refused."""

from __future__ import annotations

import random
from typing import Any

import pytest

from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.flows import graph
from jupyter_blueno.flows.graph import Decision, Standing
from jupyter_blueno.flows.model import Handed, PartSpec, StepSpec
from jupyter_blueno.jobs.model import JobSpec

SPEC = JobSpec(kind="command", command=["true"])


def step(name: str, *needs: str, **fields: Any) -> StepSpec:
    return StepSpec(name, SPEC, needs=list(needs), **fields)


@pytest.mark.parametrize(
    ("steps", "code", "words"),
    [
        ([], "flow_empty", "has no steps"),
        ([step("a"), step("a")], "flow_name", "Two steps are called 'a'"),
        ([step(" ")], "flow_name", "1 to 120 characters"),
        ([step("a\n")], "flow_name", "on one line"),
        ([step("train"), step("b", "trian")], "flow_unknown_step", "Did you mean 'train'"),
        ([step("a", "c"), step("b", "a"), step("c", "b")], "flow_cycle", "a → c → b → a"),
        ([step("a", "a")], "flow_cycle", "a → a"),
        ([step("a", parts=[])], "flow_parts", "empty list"),
        ([step("a"), step("b", takes=["a"])], "flow_step", "does not need it"),
        ([step("a"), step("b", "a", words={"7": Handed("a")})], "flow_step", "no word 7"),
    ],
)
def test_what_cannot_run_is_refused(steps: list[StepSpec], code: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        graph.check(steps)
    assert caught.value.code == code


def test_there_are_limits() -> None:
    with pytest.raises(TooLarge):
        graph.check([step("a", mapped=True, parts=[PartSpec()] * 1001)])
    with pytest.raises(TooLarge):
        graph.check([step(str(number)) for number in range(501)])


def test_a_long_chain_and_a_long_circle() -> None:
    names = [f"s{number}" for number in range(500)]
    chain = [step(name, *names[place - 1 : place]) for place, name in enumerate(names)]
    graph.check(chain[::-1])
    with pytest.raises(InvalidInput, match="…"):
        graph.check([step(names[0], names[-1]), *chain[1:]])


def test_steps_start_when_what_they_need_has_succeeded() -> None:
    steps = [
        Standing("a", [], ["SUCCEEDED"]),
        Standing("b", ["a"], ["WAITING"]),
        Standing("c", ["a", "b"], ["WAITING"]),
        Standing("d", [], ["RUNNING"]),
        Standing("e", ["d"], ["WAITING"]),
    ]
    assert graph.decide(steps) == [Decision("b")]


def test_a_failure_stops_only_what_needs_it() -> None:
    steps = [
        Standing("late", ["report"], ["WAITING"]),
        Standing("train", [], ["FAILED"]),
        Standing("report", ["train", "other"], ["WAITING"]),
        Standing("other", [], ["RUNNING"]),
        Standing("free", [], ["WAITING"]),
    ]
    assert graph.decide(steps) == [
        Decision("late", "'train' failed."),
        Decision("report", "'train' failed."),
        Decision("free"),
    ]


def test_a_mapped_step_is_over_when_all_of_it_is() -> None:
    assert Standing("m", [], ["SUCCEEDED", "RUNNING", "FAILED"]).state == "RUNNING"
    assert Standing("m", [], ["SUCCEEDED", "QUEUED"]).state == "QUEUED"
    assert Standing("m", [], ["SUCCEEDED", "WAITING"]).state == "RUNNING"
    assert Standing("m", [], ["SUCCEEDED", "LOST", "FAILED"]).state == "FAILED"
    assert Standing("m", [], ["SUCCEEDED", "SUCCEEDED"]).state == "SUCCEEDED"


def test_the_summary_names_what_failed() -> None:
    good = Standing("a", [], ["SUCCEEDED"])
    assert graph.summary([good]) is None
    bad, left = Standing("b", [], ["TIMED_OUT"]), Standing("c", ["b"], ["NOT_RUN"], "'b' …")
    assert graph.summary([good, bad, left]) == "'b' ran into its time limit; 1 step was not run."


@pytest.mark.parametrize("seed", range(20))
def test_every_flow_comes_to_an_end(seed: int) -> None:
    """Random graphs whose steps end at random: each is run at most once, and only after what it needs."""
    chance = random.Random(seed)
    count = chance.randint(1, 30)
    needs = {f"s{at}": [f"s{one}" for one in range(at) if chance.random() < 0.2] for at in range(count)}
    states: dict[str, Any] = dict.fromkeys(needs, "WAITING")
    reasons: dict[str, str | None] = dict.fromkeys(needs)
    begun = []
    names = chance.sample(list(needs), count)
    for _ in range(10 * count):
        steps = [Standing(name, needs[name], [states[name]], reasons[name]) for name in names]
        for one in graph.decide(steps):
            assert states[one.name] == "WAITING"
            if one.reason is None:
                assert all(states[need] == "SUCCEEDED" for need in needs[one.name])
                states[one.name] = "RUNNING"
                begun.append(one.name)
            else:
                states[one.name], reasons[one.name] = "NOT_RUN", one.reason
        running = [name for name in names if states[name] == "RUNNING"]
        if not running:
            break
        states[chance.choice(running)] = chance.choice(["SUCCEEDED", "SUCCEEDED", "FAILED"])
    assert "WAITING" not in states.values()
    assert "RUNNING" not in states.values()
    assert len(begun) == len(set(begun))
