"""The graph of a flow: refused where it cannot run, and what follows from how its steps stand. No I/O."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from jupyter_blueno.catalog.checks import check_json_items
from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.flows.model import (
    MOST_PARTS,
    MOST_STEPS,
    PARTS_IN_ALL,
    PartRow,
    PartSpec,
    StepSpec,
    StepState,
)
from jupyter_blueno.jobs.model import TERMINAL, JobSpec

NAME_LIMIT = 120  # characters
SHOWN = 12  # steps of a cycle that are named

# How a step stands that is over, by its parts: the first of these that occurs.
_WORST: tuple[StepState, ...] = ("FAILED", "TIMED_OUT", "LOST", "CANCELLED", "NOT_RUN", "SUCCEEDED")
_ENDED = {
    "FAILED": "failed",
    "TIMED_OUT": "ran into its time limit",
    "LOST": "was lost",
    "CANCELLED": "was cancelled",
}


def check(steps: Sequence[StepSpec]) -> None:
    """Refuse steps that cannot be a flow.

    Raises
    ------
    InvalidInput
        ``flow_empty``, ``flow_name``, ``flow_unknown_step``, ``flow_cycle``, ``flow_parts``.
    TooLarge
    """
    if not steps:
        raise InvalidInput("The flow has no steps: add some with flow.step(function).", code="flow_empty")
    if len(steps) > MOST_STEPS or sum(len(step.parts) for step in steps) > PARTS_IN_ALL:
        raise TooLarge(
            f"A flow has at most {MOST_STEPS} steps with {PARTS_IN_ALL:,} jobs in all; make two of it.",
            code="flow_too_large",
        )
    names: set[str] = set()
    for step in steps:
        _check_name(step.name, names)
        names.add(step.name)
    for step in steps:
        _check_step(step, names)
    cycle = cycle_of({step.name: step.needs for step in steps})
    if cycle:
        shown = cycle if len(cycle) <= SHOWN else [*cycle[: SHOWN - 1], "…", cycle[-1]]
        raise InvalidInput(
            f"The flow is cyclic: {' → '.join(shown)}. Each would wait for the others; "
            "take one of the dependencies out.",
            code="flow_cycle",
        )


def check_parts(parts: Sequence[PartRow]) -> None:
    """Refuse what is said of a flow's parts where it is not as `check` lets it be.

    Raises
    ------
    InvalidInput
        ``flow_empty``, ``flow_name``, ``flow_unknown_step``, ``flow_step``, ``flow_cycle``.
    TooLarge
    """
    if len(parts) > PARTS_IN_ALL:
        raise TooLarge(f"A flow has at most {PARTS_IN_ALL:,} jobs; make two of it.", code="flow_too_large")
    steps: dict[str, StepSpec] = {}
    for place, same in groupby(parts, key=lambda part: (part.position, part.step)):
        group = list(same)
        if place[0] != len(steps) or [part.number for part in group] != [*range(len(group))]:
            raise InvalidInput("The parts of a flow are numbered from 0, step by step.", code="flow_step")
        _check_name(place[1], set(steps))
        first, nothing = group[0], JobSpec(kind="cell")
        every = [PartSpec(part.label) for part in group]
        steps[place[1]] = StepSpec(place[1], nothing, every, first.mapped, first.needs, first.takes)
    check(list(steps.values()))
    check_json_items([msgspec.to_builtins(part) for part in parts], "The flow")


def _check_name(name: str, taken: set[str]) -> None:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise InvalidInput(
            f"The name of a step has 1 to {NAME_LIMIT} characters, on one line.", code="flow_name"
        )
    if name in taken:
        raise InvalidInput(
            f"Two steps are called '{name}'; give one of them another name (name='…').", code="flow_name"
        )


def _check_step(step: StepSpec, names: set[str]) -> None:
    handed = [one.step for one in (*step.parameters.values(), *step.words.values())]
    for need in (*step.needs, *step.takes, *handed):
        if need not in names:
            near = difflib.get_close_matches(need, names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InvalidInput(
                f"The step '{step.name}' needs '{need[:80]}', which is no step of the flow.{hint}",
                code="flow_unknown_step",
            )
        if need not in step.needs:
            raise InvalidInput(
                f"The step '{step.name}' takes '{need}' and does not need it.", code="flow_step"
            )
    if not step.parts or (len(step.parts) > 1 and not step.mapped):
        raise InvalidInput(
            f"The step '{step.name}' has nothing to run: it is mapped over an empty list.", code="flow_parts"
        )
    if len(step.parts) > MOST_PARTS:
        raise TooLarge(
            f"The step '{step.name}' is mapped over {len(step.parts):,} values and takes {MOST_PARTS:,}; "
            "let each call do several.",
            code="flow_too_large",
        )
    for place in step.words:
        if not place.isdigit() or int(place) >= len(step.spec.command):
            raise InvalidInput(f"The command of '{step.name}' has no word {place[:20]}.", code="flow_step")


def cycle_of(needs: dict[str, list[str]]) -> list[str]:
    """Names along a cycle, the first one again at the end; empty where there is none."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        way = [(start, iter(needs[start]))] if start not in done else []
        on_path = {start}
        path.append(start)
        while way:
            name, rest = way[-1]
            following = next(rest, None)
            if following is None:
                way.pop()
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif following in on_path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                way.append((following, iter(needs[following])))
                path.append(following)
                on_path.add(following)
    return []


@dataclass(frozen=True)
class Standing:
    """How a step stands: its name, what it needs, the states of its parts, and why it was not run."""

    name: str
    needs: Sequence[str]
    parts: Sequence[StepState]
    reason: str | None = None

    @property
    def state(self) -> StepState:
        """One state for all of its parts."""
        if all(part in TERMINAL or part == "NOT_RUN" for part in self.parts):
            return next(state for state in _WORST if state in self.parts)
        for state in ("RUNNING", "FINISHING", "STARTING", "QUEUED", "SUBMITTING"):
            if state in self.parts:
                return state
        return "RUNNING" if any(part in TERMINAL for part in self.parts) else "WAITING"

    @property
    def over(self) -> bool:
        return self.state in TERMINAL or self.state == "NOT_RUN"


@dataclass(frozen=True)
class Decision:
    """What is to happen to a step of which parts wait: start them, or leave them for a `reason`."""

    name: str
    reason: str | None = None


def decide(steps: Sequence[Standing]) -> list[Decision]:
    """What follows from how the steps stand. Asked again after that, nothing more follows."""
    by_name = {step.name: step for step in steps}
    found: dict[str, Decision] = {}
    for step in sorted(steps, key=lambda one: _depth(one.name, by_name, {})):
        if "WAITING" not in step.parts:
            continue
        reasons = [why for need in step.needs if (why := _why_not(by_name[need], found.get(need)))]
        if reasons:
            found[step.name] = Decision(step.name, reasons[0])
        elif all(by_name[need].state == "SUCCEEDED" for need in step.needs):
            found[step.name] = Decision(step.name)
    return [found[step.name] for step in steps if step.name in found]


def _why_not(need: Standing, decided: Decision | None) -> str | None:
    """Why what needs this one cannot run; None where it can, or may yet."""
    if decided is not None:
        return decided.reason
    if need.state == "NOT_RUN":
        return need.reason or f"'{need.name}' was not run."
    if need.over and need.state != "SUCCEEDED":
        return f"'{need.name}' {_ENDED[need.state]}."
    return None


def _depth(name: str, by_name: dict[str, Standing], known: dict[str, int]) -> int:
    """The longest way to a step from one that needs nothing."""
    waiting = [name]
    while waiting:
        here = waiting[-1]
        missing = [need for need in by_name[here].needs if need not in known]
        if missing:
            waiting += missing
        else:
            known[here] = 1 + max((known[need] for need in by_name[here].needs), default=-1)
            waiting.pop()
    return known[name]


def summary(steps: Sequence[Standing]) -> str | None:
    """Why a flow that is over did not succeed, in a sentence; None if it did."""
    bad = [step for step in steps if step.over and step.state not in ("SUCCEEDED", "NOT_RUN")]
    left = sum(step.state == "NOT_RUN" for step in steps)
    if not bad and not left:
        return None
    words = [f"'{step.name}' {_ENDED[step.state]}" for step in bad[:3]]
    if len(bad) > 3:
        words.append(f"{len(bad) - 3} more did not succeed")
    text = ", ".join(words)
    if left:
        text += f"{'; ' if text else ''}{left} {'step was' if left == 1 else 'steps were'} not run"
    return f"{text[0].upper() if text[0] != chr(39) else text[0]}{text[1:]}."
