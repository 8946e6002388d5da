"""When a sweep ends, which trial is the best, what a trial's curve says. Nothing is asked or kept here."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.sweeps import space
from jupyter_blueno.sweeps.model import RETURNED, Plan, Stop, Trial

TRIALS = 20  # unless said otherwise
MOST_TRIALS = 10_000
MOST_AT_ONCE = 100
HOPELESS = 3  # failures in a row before the first success
CURVE = 200  # points of a trial's curve that are kept

Point = tuple[float, float]


class End(Struct, frozen=True):
    """Why no more trials are started; `ok` is whether that is how it should end.

    `at_once`: trials under way are cancelled.
    """

    sentence: str
    ok: bool = True
    at_once: bool = False


def check(plan: Plan) -> None:
    """Refuse a plan that makes no sense.

    Raises
    ------
    InvalidInput
        The sentence says what to write.
    """
    space.check(plan.space)
    if plan.sampler == "grid":
        space.check_grid(plan.space)
        points = space.size(plan.space) or 0
        if points > MOST_TRIALS and plan.stop.trials is None:
            raise InvalidInput(
                f"A grid of {points:,} points is more than a sweep's {MOST_TRIALS:,} trials. List fewer "
                "values, say how many of them to try (trials=100), or use the sampler 'tpe' or 'random'.",
                code="sweep_space",
            )
    if not plan.objective.strip() or len(plan.objective) > 200:
        raise InvalidInput("The objective is the name of a metric that each trial logs.", code="sweep_plan")
    stop = plan.stop
    limits = {"trials": MOST_TRIALS, "patience": MOST_TRIALS, "failures": MOST_TRIALS, "hours": 24 * 365}
    for name, most in limits.items():
        value = getattr(stop, name)
        if value is not None and not 0 < value <= most:
            raise InvalidInput(f"'{name}' is {value:g}; it is above 0, at most {most:,}.", code="sweep_plan")
    if not 1 <= plan.at_once <= MOST_AT_ONCE:
        raise InvalidInput(
            f"'at_once' is {plan.at_once}; it goes from 1 to {MOST_AT_ONCE}.", code="sweep_plan"
        )
    if plan.stop.target is not None and not math.isfinite(plan.stop.target):
        raise InvalidInput("'target' is a finite number: the objective to reach.", code="sweep_plan")


def most_trials(plan: Plan) -> int:
    """How many trials there are to be."""
    points = space.size(plan.space)
    if plan.sampler == "grid" and points is not None:
        return min(points, plan.stop.trials or points, MOST_TRIALS)
    return plan.stop.trials or TRIALS


def better(plan: Plan, value: float, than: float) -> bool:
    return value > than if plan.direction == "maximize" else value < than


def best_of(plan: Plan, trials: Iterable[Trial]) -> Trial | None:
    """The best of those that are complete; of equal ones the first."""
    best: Trial | None = None
    for one in trials:
        if one.state != "complete" or one.value is None:
            continue
        if best is None or best.value is None or better(plan, one.value, best.value):
            best = one
    return best


def counted(trials: Iterable[Trial]) -> int:
    """How many count: cancelled ones are made up for."""
    return sum(one.state != "cancelled" for one in trials)


def gone_on(plan: Plan, trials: Sequence[Trial]) -> Plan:
    """A plan to go on with: without the rules by which a sweep has ended already."""
    stop = plan.stop
    for name in ("target", "patience", "failures"):
        alone = Stop(trials=MOST_TRIALS, **{name: getattr(stop, name)})
        if end(msgspec.structs.replace(plan, stop=alone), trials, 0, len(trials)) is not None:
            stop = msgspec.structs.replace(stop, **{name: None})
    return msgspec.structs.replace(plan, stop=stop)


def end(plan: Plan, trials: Sequence[Trial], seconds: float, first: int = 0) -> End | None:
    """Why no more trials are to be started; None while some are.

    Parameters
    ----------
    trials : sequence of Trial
        All of them, by number.
    seconds : float
        Since the sweep began or went on.
    first : int
        The first trial since then.
    """
    stop = plan.stop
    complete = [one for one in trials if one.state == "complete" and one.value is not None]
    failed = [one for one in trials if one.state == "failed"]
    best = best_of(plan, complete)
    if best is not None and best.value is not None and _reached(plan, best.value):
        return End(f"Trial {best.number} reached {plan.objective} = {best.value:.6g}.", at_once=True)
    late = [one for one in failed if one.number >= first]
    if late and not complete and len(late) >= min(HOPELESS, most_trials(plan)):
        why = f" Trial {late[0].number}: {late[0].reason}" if late[0].reason else ""
        words = "The only trial" if len(late) == 1 else f"The first {len(late)} trials"
        return End(f"{words} failed, and none went well.{why}", ok=False, at_once=True)
    if stop.failures is not None and len(failed) >= stop.failures:
        words = "1 trial" if len(failed) == 1 else f"{len(failed)} trials"
        return End(f"{words} failed: {failed[-1].reason or 'see their logs'}", ok=False, at_once=True)
    if counted(trials) >= most_trials(plan):
        return End(f"All {most_trials(plan)} trials were made.")
    if stop.hours is not None and seconds >= 3600 * stop.hours:
        return End(f"{stop.hours:g} hours are over.")
    if stop.patience is not None and best is not None:
        since = sum(one.number > best.number for one in complete)
        if since >= stop.patience:
            return End(f"{since} trials in a row were not better than trial {best.number}.")
    return None


def _reached(plan: Plan, value: float) -> bool:
    target = plan.stop.target
    return target is not None and (value == target or better(plan, value, target))


def points_of(steps: Sequence[float], values: Sequence[object]) -> list[Point]:
    """A curve as pairs of step and value; what is no number has no place in it."""
    pairs = [(float(step), float(value)) for step, value in zip(steps, values, strict=True)]  # type: ignore[arg-type]
    return [pair for pair in pairs if math.isfinite(pair[1]) and math.isfinite(pair[0])]


def value_of(plan: Plan, points: Sequence[Point]) -> float | None:
    """The objective of a curve; None where it has no number."""
    if not points:
        return None
    if plan.take == "last":
        return points[-1][1]
    values = [value for _, value in points]
    return max(values) if plan.direction == "maximize" else min(values)


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most `CURVE` points: of steps 0, 2, 4 … or 0, 4, 8 …, the same ones in each trial."""
    every = 1
    kept = list(points)
    while len(kept) > CURVE:
        every *= 2
        kept = [one for place, one in enumerate(points) if place % every == 0]
    return kept


def not_logged(plan: Plan, logged: Mapping[str, object] | Iterable[str]) -> str:
    """Why a trial that went well has no objective."""
    names = sorted(logged)
    near = difflib.get_close_matches(plan.objective, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    if plan.objective == RETURNED:
        return (
            "It returned no number. Let the function return the objective, or log it with blueno.log_metric "
            f"and name it: objective={(near or names or ['val_accuracy'])[0]!r}."
        )
    there = f"It logged {', '.join(names[:10])}." if names else "It logged nothing."
    return f"It logged no number called {plan.objective!r}. {there}{hint}"
