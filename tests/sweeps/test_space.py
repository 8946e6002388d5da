"""Spaces of values: what is refused, how many points there are, what is drawn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.sweeps import space
from jupyter_blueno.sweeps.model import Choice, Domain, Range

LR = Range(1e-4, 1e-1, log=True)
BATCH = Choice([16, 32])
DROPOUT = Range(0, 0.5, step=0.1)
LAYERS = Range(1, 8, integer=True)


@pytest.mark.parametrize(
    ("domain", "sentence"),
    [
        (Choice([]), "x has no values to choose from"),
        (Choice([1, 2, 1]), "x has 1 twice"),
        (Range(1, 1), "the lower end comes first"),
        (Range(0, math.inf), "both ends are finite"),
        (Range(0, 1, log=True), "begins above 0, not at 0"),
        (Range(0, 1, step=2), "steps of 2"),
        (Range(1, 2, log=True, step=0.1), "use one of them"),
        (Range(0.5, 3, integer=True), "whole numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(domain: Domain, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        space.check({"x": domain})


def test_an_empty_space_and_a_grid_without_steps() -> None:
    with pytest.raises(InvalidInput, match="nothing to vary"):
        space.check({})
    with pytest.raises(InvalidInput, match="lr is a range"):
        space.check_grid({"batch": BATCH, "lr": LR})


def test_a_grid_has_every_point_once() -> None:
    domains: dict[str, Domain] = {"batch": BATCH, "dropout": DROPOUT, "layers": LAYERS}
    count = space.size(domains)
    assert count == 2 * 6 * 8
    points = [tuple(space.grid(domains, number).values()) for number in range(count)]
    assert len(set(points)) == count
    assert points[:3] == [(16, 0, 1), (16, 0, 2), (16, 0, 3)]
    assert {dropout for _, dropout, _ in points} == {0, 0.1, 0.2, 0.3, 0.4, 0.5}
    assert space.size({"batch": BATCH, "lr": LR}) is None


@given(st.text(max_size=8), st.integers(0, 10_000))
def test_what_is_drawn_lies_within_and_is_the_same_again(seed: str, number: int) -> None:
    domains: dict[str, Domain] = {"lr": LR, "batch": BATCH, "dropout": DROPOUT, "layers": LAYERS}
    point = space.draw(domains, seed, number)
    assert point == space.draw(domains, seed, number)
    assert 1e-4 <= point["lr"] <= 1e-1
    assert point["batch"] in (16, 32)
    assert point["dropout"] in (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert type(point["layers"]) is int
    assert 1 <= point["layers"] <= 8


def test_values_in_a_line() -> None:
    words = space.in_words({"lr": 0.0123456, "batch": 32, "name": "a\nb", "sizes": [64, 32]})
    assert words == "lr=0.01235 batch=32 name=a b sizes=[64, 32]"
