"""What a function takes, checked before it is sent: a wrong call need not wait for its turn to fail."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from jupyter_blueno.errors import InvalidInput

Parameter = inspect.Parameter


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


def called_of(function: Callable[..., Any]) -> str:
    """A name for it; of a partial that of what it calls."""
    function = getattr(function, "func", function)
    name = getattr(function, "__name__", type(function).__name__)
    return "lambda" if name == "<lambda>" else str(name)


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
                return f"{called} has no parameter {name!r}.{nearest(name, by_name)}"
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
