"""`blueno.flow`: steps that are jobs, each started when what it needs is there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.api import flows as api
from jupyter_blueno.client import flow_display, flow_steps, session, signature, submit
from jupyter_blueno.client.flow_steps import Step
from jupyter_blueno.client.functions import JobFunction
from jupyter_blueno.client.options import DEFAULTS, Options, refuse_unknown, spec_of, split, takes_options
from jupyter_blueno.flows import graph
from jupyter_blueno.flows.model import FlowSpec, PartSpec, StepSpec

if TYPE_CHECKING:
    from jupyter_blueno.client.flow_run import FlowRun
    from jupyter_blueno.client.schedules import Schedule

_NOT_OF_STEPS = ("name", "dry_run")  # options that mean nothing for all steps of a flow


@takes_options
def flow(name: str = "flow", *, cache: bool = False, **options: Any) -> Flow:
    """Begin a flow: steps that need each other, run as jobs in the background.

    Parameters
    ----------
    name : str
        What it is called.
    cache : bool
        Whether functions that do not say otherwise are taken from earlier runs,
        where the same code had the same input. Say so only of steps that do
        nothing but return a value: what is taken from before does not run. Of
        notebooks and commands, which mostly do more, each has to say so.
    **options
        Those of `blueno.submit`, for all steps that do not say otherwise.

    Returns
    -------
    Flow
        `Flow.step`, `Flow.map`, `Flow.notebook`, `Flow.command` add steps,
        `Flow.submit` starts it.

    Examples
    --------
    >>> with blueno.flow("train and report") as flow:
    ...     data = flow.step(prepare, "mnist", memory="4G")
    ...     model = flow.step(train, data, lr=0.1, gpu=1, retries=2)
    ...     flow.notebook("report.ipynb", accuracy=model)
    >>> run = flow.submit()
    >>> run["train"].result()
    """
    refuse_unknown(options)
    for word in _NOT_OF_STEPS:
        if word in options:
            raise errors.InvalidInput(f"A flow takes no {word!r} here.", code="unknown_option")
    return Flow(name, cast(Options, options), cache)


class Flow:
    """A flow that is being written.

    Attributes
    ----------
    name : str
    steps : list of StepSpec
    """

    def __init__(self, name: str, options: Options, cache: bool) -> None:
        self.name = name
        self.steps: list[StepSpec] = []
        self._options = options
        self._cache = cache
        self._after: dict[str, list[str]] = {}

    def __enter__(self) -> Flow:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(
        self,
        function: Callable[..., Any],
        *args: Any,
        after: Step | str | Sequence[Step | str] = (),
        cache: bool | None = None,
        **kwargs: Any,
    ) -> Step:
        """Add a call of a function.

        Parameters
        ----------
        function : callable
        *args, **kwargs
            Its arguments, also what other steps return, alone or in lists and
            dicts. Beside them, by name, the options of `blueno.submit`.
        after : Step, str, or sequence
            Other steps that must have succeeded before; a name may be that of
            a later one.
        cache : bool, optional
            Whether an earlier result may be taken instead; default: the flow's.

        Returns
        -------
        Step

        Raises
        ------
        InvalidInput
            If the function does not take these arguments, or the name is taken.
        """
        function, options, kwargs = self._call(function, kwargs)
        name = self._named(options.get("name"), signature.called_of(function))
        spec, part, taken = self._call_of(function, args, kwargs, options)
        return self._add(StepSpec(name, spec, [part], False, taken, taken, cache=self._cached(cache)), after)

    def map(
        self,
        function: Callable[..., Any],
        *values: Iterable[Any],
        after: Step | str | Sequence[Step | str] = (),
        cache: bool | None = None,
        **kwargs: Any,
    ) -> Step:
        """Add a step that calls a function once for each value, each time as a job; it returns a list.

        Parameters
        ----------
        function : callable
        *values : iterable
            Of its first argument, of its second … : as for Python's own `map`.
        after, cache
            As in `step`.
        **kwargs
            Further arguments, the same for all calls, and options.
        """
        function, options, kwargs = self._call(function, kwargs)
        name = self._named(options.get("name"), signature.called_of(function))
        if not values:
            raise errors.InvalidInput("map needs a list: flow.map(evaluate, [0.1, 0.01]).", code="flow_parts")
        parts, taken, spec = [], [], None
        for args in zip(*values, strict=False):
            spec, part, met = self._call_of(function, args, kwargs, options)
            taken += met
            parts.append(flow_steps.labelled(part, args))
        if spec is None:
            raise errors.InvalidInput(
                f"{name} is mapped over an empty list: there is nothing to run.", code="flow_parts"
            )
        taken = list(dict.fromkeys(taken))
        return self._add(StepSpec(name, spec, parts, True, taken, taken, cache=self._cached(cache)), after)

    def notebook(
        self,
        path: str | os.PathLike[str],
        *,
        values: Mapping[str, Any] | None = None,
        after: Step | str | Sequence[Step | str] = (),
        cache: bool | None = None,
        **parameters: Any,
    ) -> Step:
        """Add a run of a notebook; it returns the path of the executed one.

        Parameters
        ----------
        path : str or os.PathLike
        values : mapping, optional
            Parameters by name, for those that are called like an option.
        after, cache
            As in `step`.
        **parameters
            Plain values, or what other steps return; and options.
        """
        return self._notebook(path, [{**parameters, **(values or {})}], False, after, cache)

    def map_notebook(
        self,
        path: str | os.PathLike[str],
        values: Iterable[Mapping[str, Any]],
        *,
        after: Step | str | Sequence[Step | str] = (),
        cache: bool | None = None,
        **parameters: Any,
    ) -> Step:
        """Add a step that runs a notebook once for each dict of parameters; it returns a list of paths.

        Parameters
        ----------
        path : str or os.PathLike
        values : iterable of dict
            ``[{"lr": 0.1}, {"lr": 0.01}]``.
        after, cache
            As in `step`.
        **parameters
            Further ones, the same for all runs; and options.
        """
        rows = []
        for row in values:
            if not isinstance(row, Mapping):
                raise errors.InvalidInput(
                    f"map_notebook takes a dict of parameters for each run: {{'lr': 0.1}}, not {row!r:.80}.",
                    code="bad_parameter",
                )
            rows.append({**parameters, **row})
        if not rows:
            raise errors.InvalidInput("The list of parameters is empty: nothing to run.", code="flow_parts")
        return self._notebook(path, rows, True, after, cache)

    def command(
        self,
        *words: Any,
        after: Step | str | Sequence[Step | str] = (),
        cache: bool | None = None,
        **options: Unpack[Options],
    ) -> Step:
        """Add a run of a command; it returns its exit code.

        Parameters
        ----------
        *words
            The program and its arguments. What another step returns becomes
            text where it is a number or a text, else the path of its file.
        after, cache
            As in `step`.
        **options
            As in `blueno.submit`.
        """
        refuse_unknown(options)
        if not words:
            raise errors.InvalidInput(
                "No command was given: flow.command('python', 'x.py').", code="empty_command"
            )
        texts, handed = flow_steps.command(words)
        name = self._named(options.get("name"), Path(texts[0]).name)
        spec = spec_of(self._with(options), kind="command", command=texts)
        taken = self._own(value.step for value in handed.values())
        places = {place: value.handed for place, value in handed.items()}
        step = StepSpec(name, spec, needs=taken, takes=taken, words=places, cache=self._cached(cache, False))
        return self._add(step, after)

    def submit(self, resume: FlowRun | str | None = None) -> FlowRun:
        """Start it; returns at once.

        Parameters
        ----------
        resume : FlowRun or str, optional
            An earlier run, or its id: its steps that succeeded and whose code
            and arguments are still the same are not run again.

        Raises
        ------
        InvalidInput
            If it has no steps, or they wait for each other in a circle.
        """
        from jupyter_blueno.client.flow_run import FlowRun

        ask = self.asked(self.name)
        if resume is not None:
            ask = msgspec.structs.replace(ask, resumes=str(getattr(resume, "id", resume)))
        return FlowRun(session.call(api.start_flow, ask))

    def schedule(self, cron: str | None = None, *, name: str | None = None, **options: Any) -> Schedule:
        """Have it started by itself, as it is now; the options are those of `blueno.schedule`.

        Examples
        --------
        >>> flow.schedule("0 2 * * *", zone="Europe/Berlin")
        """
        from jupyter_blueno.client import schedules

        return schedules.schedule(name or self.name, self, cron=cron, **options)

    def asked(self, name: str) -> FlowSpec:
        """What is to be run, as it is sent.

        Raises
        ------
        InvalidInput
            If it has no steps, or they wait for each other in a circle.
        """
        ask = FlowSpec(uuid.uuid4().hex, name, self._whole(), None, submit.origin())
        graph.check(ask.steps)
        return ask

    # -- steps -------------------------------------------------------------------

    def _whole(self) -> list[StepSpec]:
        """The steps, with what was said of them by name."""
        return [
            msgspec.structs.replace(
                one, needs=list(dict.fromkeys([*one.needs, *self._after.get(one.name, [])]))
            )
            for one in self.steps
        ]

    def _call(
        self, function: Any, words: dict[str, Any]
    ) -> tuple[Callable[..., Any], Options, dict[str, Any]]:
        own: Any = {}
        if isinstance(function, JobFunction):
            own, function = function.options, function.function
        if not callable(function):
            raise errors.InvalidInput(
                f"A step is a function and then its arguments; {function!r:.80} is no function. "
                "Write flow.step(train, data), not flow.step(train(data)).",
                code="not_a_function",
            )
        parameters = flow_steps.parameters(function)
        for word in ("after", "cache"):
            if word in parameters:
                raise errors.InvalidInput(
                    f"{signature.called_of(function)} has a parameter {word!r}, which also says something of "
                    "the step. Give it another name, or wrap the function: "
                    f"flow.step(lambda x: {signature.called_of(function)}({word}=x), …).",
                    code="ambiguous_option",
                )
        options, kwargs = split(function, words)
        return function, self._with({**own, **options}), kwargs

    def _with(self, options: Any) -> Options:
        merged: Any = {**self._options, **options}
        if merged.pop("dry_run", False):
            raise errors.InvalidInput("A step of a flow has no dry run.", code="no_dry_run")
        return merged  # type: ignore[no-any-return]

    def _call_of(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
    ) -> tuple[Any, PartSpec, list[str]]:
        spec, part, met = flow_steps.call(function, args, kwargs, options)
        return spec, part, self._own(met)

    def _notebook(
        self, path: str | os.PathLike[str], rows: list[dict[str, Any]], mapped: bool, after: Any, cache: Any
    ) -> Step:
        options: Any = {name: rows[0][name] for name in DEFAULTS if name in rows[0]}
        spec, parts, handed = flow_steps.notebook(path, rows, self._with(options), mapped)
        taken = self._own(value.step for value in handed.values())
        name = self._named(options.get("name"), Path(path).stem)
        parameters = {key: value.handed for key, value in handed.items()}
        step = StepSpec(name, spec, parts, mapped, taken, taken, parameters, cache=self._cached(cache, False))
        return self._add(step, after)

    def _add(self, step: StepSpec, after: Any) -> Step:
        self.steps.append(step)
        self.need(step.name, [after] if isinstance(after, Step | str) else after)
        return Step(self, step.name)

    def need(self, name: str, others: Iterable[Step | str]) -> None:
        """Have a step wait for others."""
        for one in others:
            if isinstance(one, Step):
                self._own([one])
            self._after.setdefault(name, []).append(one.name if isinstance(one, Step) else str(one))

    def _own(self, steps: Iterable[Step]) -> list[str]:
        """Names of steps, each once; they must be of this flow."""
        own = list(steps)
        for one in own:
            if one.flow is not self:
                raise errors.InvalidInput(
                    f"'{one.name}' is a step of another flow ('{one.flow.name}'). Add it to this one, too.",
                    code="flow_other",
                )
        return list(dict.fromkeys(one.name for one in own))

    def _named(self, asked: Any, default: str) -> str:
        taken = {step.name for step in self.steps}
        if asked is not None:
            if str(asked) in taken:
                raise errors.InvalidInput(
                    f"There is a step '{asked}' already; give this one another name.", code="flow_name"
                )
            return str(asked)
        name, number = default, 1
        while name in taken:
            number += 1
            name = f"{default} {number}"
        return name

    def _cached(self, cache: bool | None, usual: bool = True) -> bool:
        """Notebooks and commands mostly do more than return a value: of them it must be said."""
        return (self._cache and usual) if cache is None else bool(cache)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return flow_display.plan_text(self.name, self._whole())

    def _repr_html_(self) -> str:
        return flow_display.plan_html(self.name, self._whole())
