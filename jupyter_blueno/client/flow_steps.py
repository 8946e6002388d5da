"""What a flow's steps are made of: promises of what earlier ones return, and work as it is sent."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.client import fingerprint, submit
from jupyter_blueno.client.notebooks import check_parameters, spec_of_notebook
from jupyter_blueno.client.options import DEFAULTS, Options
from jupyter_blueno.flows.model import Handed, PartSpec
from jupyter_blueno.jobs.inside import given
from jupyter_blueno.jobs.model import JobSpec

if TYPE_CHECKING:
    from jupyter_blueno.client.flows import Flow

LABEL_LIMIT = 80  # characters


class Step:
    """What a step will return. Given to another step, that one gets the value.

    Attributes
    ----------
    name : str
    flow : Flow
    path : PathOf
        Given to another step, that one gets the path of the file with the
        value: a pickle, or the executed notebook.
    """

    def __init__(self, flow: Flow, name: str) -> None:
        self.flow = flow
        self.name = name

    @property
    def path(self) -> PathOf:
        return PathOf(self)

    @property
    def step(self) -> Step:
        return self

    @property
    def handed(self) -> Handed:
        return Handed(self.name)

    def after(self, *others: Step | str) -> Step:
        """Start only when these have succeeded, too; returns the step itself."""
        self.flow.need(self.name, others)
        return self

    def __reduce__(self) -> Any:
        _took(self)
        return given.value, (self.name,)

    def __iter__(self) -> Any:
        raise errors.InvalidInput(
            f"What '{self.name}' returns is not there yet, so it cannot be gone through here. Give it to a "
            "step as it is, and go through it there.",
            code="flow_not_yet",
        )

    def __repr__(self) -> str:
        return f"<step {self.name!r} of {self.flow.name!r}>"


class PathOf:
    """The path of what a step returned; see `Step.path`."""

    def __init__(self, step: Step) -> None:
        self.step = step

    @property
    def handed(self) -> Handed:
        return Handed(self.step.name, "path")

    def __reduce__(self) -> Any:
        _took(self.step)
        return given.path, (self.step.name,)

    def __repr__(self) -> str:
        return f"<path of what {self.step.name!r} returns>"


class _Taking(threading.local):
    """Steps that are met while something is pickled."""

    met: list[Step] | None = None


_taking = _Taking()


def _took(step: Step) -> None:
    if _taking.met is None:
        raise errors.InvalidInput(
            f"What '{step.name}' returns is not there yet; only steps of its flow can be given it: "
            "flow.step(function, step).",
            code="flow_not_yet",
        )
    _taking.met.append(step)


def call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> tuple[JobSpec, PartSpec, list[Step]]:
    """A call as a spec, as a part of a step, and the steps whose values it takes."""
    _taking.met = []
    try:
        spec = submit.spec_of_call(function, args, kwargs, options)
        met = _taking.met
        equal = fingerprint.of_call(function, args, kwargs)
    finally:
        _taking.met = None
    said = _promised(function, args, kwargs)
    arguments = [
        msgspec.structs.replace(one, value=said[one.name]) if one.name in said else one
        for one in spec.arguments
    ]
    part = PartSpec(payload=spec.payload, arguments=arguments, fingerprint=equal)
    return msgspec.structs.replace(spec, payload=None, arguments=[]), part, met


def notebook(
    path: str | os.PathLike[str], rows: Sequence[dict[str, Any]], options: Options, mapped: bool
) -> tuple[JobSpec, list[PartSpec], dict[str, Step | PathOf]]:
    """Runs of a notebook as a spec, as parts of a step, and the parameters that other steps return."""
    handed: dict[str, Step | PathOf] = {}
    parts = []
    for row in rows:
        plain = {}
        for name, value in row.items():
            if isinstance(value, Step | PathOf):
                handed[name] = value
            elif name not in DEFAULTS:
                plain[name] = value
        label = ", ".join(f"{name}={value!r}" for name, value in plain.items())
        parts.append(PartSpec(label[:LABEL_LIMIT] if mapped else "", parameters=plain))
        check_parameters(plain)
    return spec_of_notebook(path, {}, options), parts, handed


def command(words: Sequence[Any]) -> tuple[list[str], dict[str, Step | PathOf]]:
    """Words as texts, and those by place that other steps return."""
    handed: dict[str, Step | PathOf] = {}
    texts = []
    for place, word in enumerate(words):
        if isinstance(word, Step | PathOf):
            handed[str(place)] = word
            texts.append(f"{{{word.step.name}}}")
            continue
        text = os.fspath(word) if isinstance(word, str | os.PathLike) else str(word)
        if "<step '" in text or "<path of what '" in text:
            raise errors.InvalidInput(
                f"{text!r} holds a step inside of a text. Give it as a word of its own.", code="flow_word"
            )
        texts.append(text)
    return texts, handed


def labelled(part: PartSpec, args: tuple[Any, ...]) -> PartSpec:
    """The part with what it was mapped over in its label."""
    words = ["…" if isinstance(one, Step | PathOf) else submit.short((one,)) for one in args]
    return msgspec.structs.replace(part, label=" ".join(words)[:LABEL_LIMIT].strip())


def _promised(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, str]:
    """Arguments that another step returns: name → what to show of them."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {}
    return {
        name: f"what '{value.name}' returns"
        if isinstance(value, Step)
        else f"the path of '{value.step.name}'"
        for name, value in bound.items()
        if isinstance(value, Step | PathOf)
    }


def parameters(function: Callable[..., Any]) -> set[str]:
    """Names of what a function takes."""
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()
