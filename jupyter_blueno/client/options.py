"""What every way of starting a job takes beside the work itself."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from jupyter_blueno.client.resources import parse_resources
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import JobSpec, Resources

Verb = TypeVar("Verb", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """The options of `blueno.submit`, `run_cell`, `run_notebook`, `run_command` and `blueno.job`.

    Parameters
    ----------
    name : str, optional
        What the job is called. Default: the function's, notebook's or
        program's name, or a cell's first line that says something.
    gpu : int
        How many.
    cpu : float, optional
        Cores.
    memory : str or int, optional
        ``"8G"``, ``"512 MB"`` or bytes.
    timeout : str or float, optional
        ``"2h"`` or seconds, for each attempt; default: no limit.
    priority : int
        From -10 to 10: where there is not room for all, the higher one starts
        first.
    retries : int
        How often it is tried again after a failure that may not come again.
    """

    name: str | None
    gpu: int | str | None
    cpu: float | str | None
    memory: float | str | None
    timeout: float | str | timedelta | None
    priority: int | str | None
    retries: int | str | None


RESOURCES = ("gpu", "cpu", "memory", "timeout", "priority", "retries")
DEFAULTS: dict[str, Any] = dict.fromkeys(Options.__annotations__) | {"gpu": 0, "priority": 0, "retries": 0}


def resources_of(options: Options) -> Resources:
    """What the job may use.

    Raises
    ------
    InvalidInput
        If an amount makes no sense; the sentence shows a right one.
    """
    return parse_resources(**{name: options[name] for name in RESOURCES if name in options})  # type: ignore[literal-required]


def spec_of(options: Options, **work: Any) -> JobSpec:
    """The spec of some `work` (its kind, source …) with these options."""
    refuse_unknown(options)
    given: dict[str, Any] = {"folder": str(Path.cwd()), "python": sys.executable, **work}
    return JobSpec(resources=resources_of(options), **given)


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Name the first word that is no option.

    Raises
    ------
    InvalidInput
        With the nearest right one.
    """
    import difflib

    for name in options:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, DEFAULTS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There is {', '.join(DEFAULTS)}."
            raise InvalidInput(f"{name!r} is no option of a job. {hint}", code="unknown_option")


def split(function: Callable[..., Any], words: Mapping[str, Any]) -> tuple[Options, dict[str, Any]]:
    """Sort what was given to `blueno.submit` by name into options and arguments of the function.

    Raises
    ------
    InvalidInput
        If a name could be either.
    """
    options = {name: value for name, value in words.items() if name in DEFAULTS}
    rest = {name: value for name, value in words.items() if name not in DEFAULTS}
    own = options.keys() & _parameters(function)
    if own:
        name = min(own)
        called = getattr(function, "__name__", "the function")
        raise InvalidInput(
            f"{called} has a parameter {name!r}, which is also an option of the job. Say which one is meant: "
            f"blueno.job({name}=…)({called}).submit(…) for the job, blueno.job({called}).submit({name}=…) "
            "for the function.",
            code="ambiguous_option",
        )
    return options, rest  # type: ignore[return-value]


def _parameters(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()


def takes_options(verb: Verb) -> Verb:
    """Let the options be seen where ``**options`` stands: in Shift+Tab, completion and `help`."""
    shown = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in DEFAULTS.items()
    ]
    parameters: list[inspect.Parameter] = []
    for one in inspect.signature(verb).parameters.values():
        if one.kind is not inspect.Parameter.VAR_KEYWORD:
            parameters.append(one)
            continue
        parameters += [new for new in shown if new.name not in {old.name for old in parameters}]
        if one.name != "options":
            parameters.append(one)
    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return verb
