"""What a function takes, checked before it is sent: a wrong call need not wait for its turn to fail."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jupyter_blueno.client.travelling import described
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import model

LENGTH = 10_000  # characters of a text that is shown as a parameter
ITEMS = 200  # of a list or dict that is


def check(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that the function does not take.

    Raises
    ------
    InvalidInput
        ``bad_arguments``: it names what is missing or unknown, with the nearest right name.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some written in C say nothing of what they take
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        called = called_of(function)
        wrong = _wrong(called, signature, args, kwargs) or f"{called}: {error}."
        raise InvalidInput(f"{wrong} {_takes(called, signature)}", code="bad_arguments") from None


def arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[model.Parameter]:
    """What a call gives the function, by name, as it may be given otherwise.

    What JSON does not bring back as it is, is described and `fixed`.
    """
    try:
        call = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return []
    hints = _hints(function)
    found = []
    for one in call.signature.parameters.values():
        if one.kind is one.VAR_KEYWORD:
            found += [
                _argument(name, value, None) for name, value in call.arguments.get(one.name, {}).items()
            ]
        elif one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
            given = one.name in call.arguments
            value = call.arguments[one.name] if given else one.default
            found.append(_argument(one.name, value, hints.get(one.name), one.default))
    return found


def _argument(name: str, value: Any, hint: Any, default: Any = inspect.Parameter.empty) -> model.Parameter:
    text = None if default is inspect.Parameter.empty else f"{default!r:.200}"
    if not _is_json(value):
        return model.Parameter(name, value=described(value), default=text, fixed=True)
    choices = list(get_args(hint)) if get_origin(hint) is Literal else []
    named: dict[Any, model.ParameterType] = {int: "int", float: "float", bool: "bool", str: "str"}
    kind = named.get(hint) or named.get(type(value), "json")
    if type(value) is int and hint is None and isinstance(default, float):
        kind = "float"
    choices = choices if _is_json(choices) else []
    return model.Parameter(name, kind, value, default=text, choices=choices, typed=hint in named)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    function = getattr(function, "func", function)
    try:
        return get_type_hints(function)
    except Exception:  # names that exist only for the type checker
        return {}


def _is_json(value: Any, depth: int = 0) -> bool:
    """Whether JSON brings it back just as it is, and it is small."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is int:
        return abs(value) < 2**53
    if type(value) is str:
        return len(value) <= LENGTH
    if type(value) in (list, dict):
        inner = list(value.values()) if isinstance(value, dict) else value
        keys = all(type(key) is str for key in value) if isinstance(value, dict) else True
        return keys and depth < 4 and len(inner) <= ITEMS and all(_is_json(one, depth + 1) for one in inner)
    return type(value) in (bool, NoneType)


def called_of(function: Callable[..., Any]) -> str:
    """A name for it; of a partial that of what it calls."""
    function = getattr(function, "func", function)
    name = getattr(function, "__name__", type(function).__name__)
    return "lambda" if name == "<lambda>" else str(name)


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one that is most like it; None where none is near."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1)), None)


def nearest(name: str, names: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing where none is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _wrong(
    called: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str | None:
    parameters = signature.parameters.values()
    by_name = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    if not any(one.kind is one.VAR_KEYWORD for one in parameters):
        for name in kwargs:
            if name not in by_name:
                from jupyter_blueno.client.options import DEFAULTS

                return f"{called} has no parameter {name!r}.{nearest(name, [*by_name, *DEFAULTS])}"
    by_place = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(args) > len(by_place) and not any(one.kind is one.VAR_POSITIONAL for one in parameters):
        most = f"{len(by_place)} argument{'' if len(by_place) == 1 else 's'} by place"
        return f"{called} takes {most if by_place else 'no arguments by place'}, and {len(args)} were given."
    for one in by_place[: len(args)]:
        if one.name in kwargs and one.kind is one.POSITIONAL_OR_KEYWORD:
            return f"{called} got {one.name!r} twice, by place and by name."
    given = {one.name for one in by_place[: len(args)]} | kwargs.keys()
    missing = [
        repr(one.name)
        for one in parameters
        if one.default is one.empty
        and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        and one.name not in given
    ]
    return f"{called} needs a value for {' and '.join(missing)}." if missing else None


def _takes(called: str, signature: inspect.Signature) -> str:
    parameters = [
        one.replace(annotation=_Plain(one.annotation)) if isinstance(one.annotation, str) else one
        for one in signature.parameters.values()
    ]
    words = str(inspect.Signature(parameters))
    return f"It is {called}{words}." if len(words) < 300 else f"help({called}) says what it takes."


class _Plain(str):
    """An annotation that is text already, shown without quotation marks."""

    def __repr__(self) -> str:
        return str(self)
