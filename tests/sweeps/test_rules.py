"""When a sweep ends, and which trial is the best."""

from __future__ import annotations

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.sweeps import rules
from jupyter_blueno.sweeps.model import Choice, Plan, Stop, Trial, TrialState

SPACE = {"x": Choice(list(range(100)))}


def plan(direction: str = "maximize", sampler: str = "random", take: str = "last", **stop: float) -> Plan:
    return Plan(SPACE, direction=direction, sampler=sampler, take=take, stop=Stop(**stop))  # type: ignore[arg-type]


def trials(*values: float | str | None) -> list[Trial]:
    """Of each value a complete trial; of None one that runs, of a text one that failed, saying it."""

    def one(number: int, value: float | str | None) -> Trial:
        state: TrialState = "failed" if isinstance(value, str) else "running" if value is None else "complete"
        worth = None if isinstance(value, str) else value
        reason = value if isinstance(value, str) else None
        return Trial(number, f"{number}", {}, state, None, value is not None, 0, worth, reason=reason)

    return [one(number, value) for number, value in enumerate(values)]


def test_the_best_is_the_first_of_the_best() -> None:
    told = trials(0.5, 0.9, 0.9, None, "broken", 0.1)
    assert [rules.best_of(plan(way), told).number for way in ("maximize", "minimize")] == [1, 5]  # type: ignore[union-attr]
    assert rules.best_of(plan(), trials(None, "broken")) is None


@pytest.mark.parametrize(
    ("stop", "told", "seconds", "sentence"),
    [
        ({"trials": 3}, (0.1, 0.2, 0.3), 0, "All 3 trials were made."),
        ({"trials": 3}, (0.1, None, "broken"), 0, "All 3 trials were made."),
        ({"hours": 0.5}, (0.1,), 1800, "0.5 hours are over."),
        ({"patience": 2}, (0.3, 0.9, 0.5, 0.9), 0, "2 trials in a row were not better than trial 1."),
        ({"target": 0.9}, (0.1, 0.9), 0, "Trial 1 reached value = 0.9."),
        ({"failures": 2}, (0.1, "a", "b"), 0, "2 trials failed: b"),
        ({}, ("no data", "a", "b"), 0, "The first 3 trials failed, and none went well. Trial 0: no data"),
    ],
)
def test_rules_that_end_it(
    stop: dict[str, float], told: tuple[float, ...], seconds: float, sentence: str
) -> None:
    end = rules.end(plan(**stop), trials(*told), seconds)
    assert end is not None
    assert end.sentence == sentence
    assert end.ok is ("failed" not in sentence)
    assert rules.end(plan(**stop), trials(*told[:-1]), seconds - 1) is None


def test_what_ended_it_does_not_when_it_goes_on() -> None:
    told = trials(0.1, 0.9, 0.2, "a", "b")
    ended = plan(trials=9, target=0.9, patience=1, failures=2, hours=1)
    going_on = rules.gone_on(ended, told)
    assert going_on.stop == Stop(trials=9, hours=1)
    assert rules.end(going_on, told, 0, len(told)) is None
    assert rules.gone_on(plan(trials=9, target=0.95, patience=3), told).stop.target == 0.95


def test_a_grid_ends_with_its_last_point() -> None:
    assert rules.most_trials(plan(sampler="grid")) == 100
    assert rules.most_trials(plan(sampler="grid", trials=7)) == 7
    assert rules.most_trials(plan()) == rules.TRIALS


@pytest.mark.parametrize("stop", [{"trials": 0}, {"hours": -1}, {"patience": 0}, {"target": float("nan")}])
def test_rules_that_make_no_sense(stop: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(stop))):
        rules.check(plan(**stop))


def test_what_a_curve_is_worth() -> None:
    points = rules.points_of([0, 1, 2, 3], [0.5, 0.9, "NaN", 0.7])
    assert rules.value_of(plan(), points) == 0.7
    assert rules.value_of(plan(take="best"), points) == 0.9
    assert rules.value_of(plan("minimize", take="best"), points) == 0.5
    assert rules.value_of(plan(), []) is None
    long = [(float(step), 0.0) for step in range(1000)]
    assert [step for step, _ in rules.thinned(long)] == list(range(0, 1000, 8))


def test_an_objective_that_was_not_logged_is_looked_for() -> None:
    said = rules.not_logged(Plan(SPACE, objective="val_acc"), ["loss", "val_accuracy"])
    assert said == (
        "It logged no number called 'val_acc'. It logged loss, val_accuracy. Did you mean 'val_accuracy'?"
    )
    assert "It returned no number" in rules.not_logged(Plan(SPACE), [])
