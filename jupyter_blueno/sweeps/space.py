"""The space of values that a sweep tries: checked, counted, drawn from. Nothing is asked or kept here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.sweeps.model import Choice, Domain, Range

MOST_PARAMETERS = 50
MOST_VALUES = 10_000  # of one parameter
LARGEST = 2**53  # whole numbers up to here are exact as floats

NAMED = re.compile(r"\{([A-Za-z_]\w*)\}")  # a parameter's place in a command: ``--lr {lr}``


def check(space: Mapping[str, Domain]) -> None:
    """Refuse a space in which nothing can be tried.

    Raises
    ------
    InvalidInput
        ``sweep_space``: it names the parameter, and what to write.
    """
    if not space:
        raise _wrong("There is nothing to vary. Give a parameter several values: lr=[0.1, 0.01].")
    if len(space) > MOST_PARAMETERS:
        raise _wrong(f"{len(space)} parameters are varied at once; at most {MOST_PARAMETERS} can be.")
    for name, domain in space.items():
        if isinstance(domain, Choice):
            _check_choice(name, domain)
        else:
            _check_range(name, domain)


def _check_choice(name: str, domain: Choice) -> None:
    if not domain.values:
        raise _wrong(f"{name} has no values to choose from. Give some: {name}=[1, 2].")
    if len(domain.values) > MOST_VALUES:
        raise _wrong(f"{name} has {len(domain.values):,} values; at most {MOST_VALUES:,} can be listed.")
    words = [json.dumps(value, sort_keys=True) for value in domain.values]
    for place, word in enumerate(words):
        if word in words[:place]:
            raise _wrong(f"{name} has {word} twice among its values; leave one out.")


def _check_range(name: str, domain: Range) -> None:
    low, high, step = domain.low, domain.high, domain.step
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _wrong(f"{name} goes from {low:g} to {high:g}; both ends are finite numbers.")
    if low >= high:
        raise _wrong(f"{name} goes from {low:g} to {high:g}; the lower end comes first, and below the other.")
    if domain.log and low <= 0:
        raise _wrong(f"{name} is on a logarithmic scale, which begins above 0, not at {low:g}.")
    if step is not None and not 0 < step <= high - low:
        raise _wrong(f"{name} has steps of {step:g}; they are above 0 and fit into {low:g} to {high:g}.")
    if step is not None and domain.log:
        raise _wrong(f"{name} has steps and a logarithmic scale; use one of them, or list the values.")
    whole = all(one == int(one) for one in (low, high, step or 1)) and max(-low, high) <= LARGEST
    if domain.integer and not whole:
        raise _wrong(f"{name} takes whole numbers, and its ends and steps are not.")


def check_grid(space: Mapping[str, Domain]) -> None:
    """Refuse what has no grid: a range without steps.

    Raises
    ------
    InvalidInput
    """
    for name, domain in space.items():
        if values_of(domain) is None:
            raise _wrong(
                f"A grid needs single values, and {name} is a range. List them: {name}=[0.1, 0.01], give it "
                "steps, or use the sampler 'tpe' or 'random'."
            )


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="sweep_space")


def values_of(domain: Domain) -> list[Any] | None:
    """All values of one parameter; None where they are without end, or too many to list."""
    if isinstance(domain, Choice):
        return domain.values
    if domain.step is None and not domain.integer:
        return None
    step = domain.step or 1
    count = _steps(domain) + 1
    if count > MOST_VALUES:
        return None
    return [number(domain, domain.low + place * step) for place in range(count)]


def size(space: Mapping[str, Domain]) -> int | None:
    """How many points it has; None where they are without end."""
    sizes = [
        len(domain.values) if isinstance(domain, Choice) else _steps(domain) + 1
        for domain in space.values()
        if isinstance(domain, Choice) or domain.integer or domain.step is not None
    ]
    return math.prod(sizes) if len(sizes) == len(space) else None


def ends(domain: Domain) -> list[Any]:
    """Values that stand for all when it is checked what the work takes."""
    if isinstance(domain, Choice):
        return domain.values
    return [number(domain, domain.low), number(domain, domain.high)]


def grid(space: Mapping[str, Domain], number: int) -> dict[str, Any]:
    """The point of the grid with this number; the last parameter changes first."""
    found: dict[str, Any] = {}
    for name, domain in reversed(list(space.items())):
        values = values_of(domain) or [None]
        number, place = divmod(number, len(values))
        found[name] = values[place]
    return {name: found[name] for name in space}


def draw(space: Mapping[str, Domain], seed: str, number: int) -> dict[str, Any]:
    """A point by chance: always the same one for a seed and a number, whoever asks."""
    random = Random(f"{seed}/{number}")
    return {name: _draw(domain, random) for name, domain in space.items()}


def _draw(domain: Domain, random: Random) -> Any:
    if isinstance(domain, Choice):
        return random.choice(domain.values)
    if domain.log:
        low, high = math.log(domain.low), math.log(domain.high)
        value = math.exp(random.uniform(low, high))
        return number(domain, min(max(value, domain.low), domain.high))
    if domain.integer or domain.step is not None:
        return number(domain, domain.low + random.randint(0, _steps(domain)) * (domain.step or 1))
    return random.uniform(domain.low, domain.high)


def _steps(domain: Range) -> int:
    """How many steps fit; a rounding error more or less is none."""
    return math.floor((domain.high - domain.low) / (domain.step or 1) + 1e-9)


def number(domain: Range, value: float) -> int | float:
    """A value as its range has it: whole, or without the rounding errors of steps."""
    return round(value) if domain.integer else float(f"{value:.12g}") if domain.step else value


def in_words(parameters: Mapping[str, Any]) -> str:
    """Values in a line: ``lr=0.0123 batch=32``."""
    return " ".join(f"{name}={_short(value)}" for name, value in parameters.items())


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text if len(text) <= 40 else text[:39] + "…"
