"""What `blueno.sweep` may try: values in a list, or ranges from here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.sweeps.model import Choice, Domain, Range, Stop


def uniform(low: float, high: float, step: float | None = None) -> Range:
    """Numbers from `low` to `high`, all equally likely; with `step` only ``low``, ``low + step`` …

    Examples
    --------
    >>> blueno.sweep(train, dropout=blueno.uniform(0, 0.5))
    """
    return Range(_float(low), _float(high), step=None if step is None else _float(step))


def log_uniform(low: float, high: float) -> Range:
    """Numbers from `low` to `high`, each factor of ten as likely as the next: for learning rates.

    Examples
    --------
    >>> blueno.sweep(train, lr=blueno.log_uniform(1e-5, 1e-1))
    """
    return Range(_float(low), _float(high), log=True)


def integers(low: int, high: int, step: int = 1, log: bool = False) -> Range:
    """Whole numbers from `low` to `high`, both included.

    Examples
    --------
    >>> blueno.sweep(train, layers=blueno.integers(1, 8))
    """
    return Range(_float(low), _float(high), log=bool(log), step=None if log else _float(step), integer=True)


def choice(*values: Any) -> Choice:
    """One of these values; as the list of them, but they may be lists themselves.

    Examples
    --------
    >>> blueno.sweep(train, layers=blueno.choice([64, 64], [128, 64, 32]))
    """
    return Choice([plain("a choice", value) for value in values])


def sorted_out(
    given: Mapping[str, Any], space: Mapping[str, Any] | None
) -> tuple[dict[str, Domain], dict[str, Any]]:
    """Tell what is varied from what is the same in each trial.

    Lists and ranges among the `given` are varied; all of `space` is.
    """
    varied, fixed = dict[str, Domain](), dict[str, Any]()
    for name, value in given.items():
        if isinstance(value, Range | Choice | list | range):
            varied[name] = _domain(name, value)
        else:
            fixed[name] = value
    for name, value in (space or {}).items():
        varied[str(name)] = _domain(name, value)
        fixed.pop(name, None)
    return varied, fixed


def _domain(name: str, value: Any) -> Domain:
    if isinstance(value, Range | Choice):
        return value
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise InvalidInput(
            f"{name} is {value!r:.60}; a space takes lists of values, or ranges: {name}=[1, 2], "
            f"{name}=blueno.uniform(0, 1).",
            code="sweep_space",
        )
    return Choice([plain(name, one) for one in value])


def stop_of(trials: int | None, stop: Any) -> Stop:
    """Rules from a dictionary of them.

    Raises
    ------
    InvalidInput
        If there is no such rule.
    """
    if stop is not None and not isinstance(stop, Mapping):
        raise InvalidInput(
            f"stop takes rules with numbers: {{'hours': 8, 'patience': 10}}, not {stop!r:.60}.",
            code="sweep_plan",
        )
    given = dict(stop or {})
    for name in given:
        if name not in Stop.__struct_fields__:
            near = difflib.get_close_matches(str(name), Stop.__struct_fields__, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There is {', '.join(Stop.__struct_fields__)}."
            raise InvalidInput(f"{name!r} is no rule by which a sweep stops. {hint}", code="sweep_plan")
    if trials is not None:
        given["trials"] = trials
    found = {name: plain(name, value) for name, value in given.items()}
    for name, value in found.items():
        whole = name in ("trials", "patience", "failures")
        if value is not None and not (type(value) is int or (type(value) is float and not whole)):
            raise InvalidInput(
                f"{name!r} is {value!r:.60}, and takes a {'whole ' if whole else ''}number.",
                code="sweep_plan",
            )
    return msgspec.convert(found, Stop)


def plain(name: str, value: Any) -> Any:
    """A value as JSON has it; NumPy's numbers become Python's.

    Raises
    ------
    InvalidInput
    """
    item = getattr(value, "item", None)
    found = item() if callable(item) and getattr(value, "ndim", None) == 0 else value
    try:
        built = msgspec.to_builtins(found)
        msgspec.json.encode(built)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{name} has a {type(value).__name__} among its values, and only plain ones can be tried: text, "
            "numbers, lists and dicts. List names or paths, and let the work make the rest of them.",
            code="bad_parameter",
        ) from None
    return built


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"A range goes from one number to another; {value!r:.60} is none.") from None
