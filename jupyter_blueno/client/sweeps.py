"""`blueno.sweep`: the same work with many values, each as a job, and the best of them."""

from __future__ import annotations

import os
import shlex
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, cast

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as jobs_api
from jupyter_blueno.api import sweeps as api
from jupyter_blueno.client import again, look, ranges, session, signature, submit
from jupyter_blueno.client.curves import number
from jupyter_blueno.client.functions import JobFunction
from jupyter_blueno.client.jobs import MIME, Job
from jupyter_blueno.client.notebooks import spec_of_notebook
from jupyter_blueno.client.options import DEFAULTS, Options, spec_of, split, takes_options
from jupyter_blueno.client.preview import SweepPreview
from jupyter_blueno.client.trials import Trial, Trials
from jupyter_blueno.jobs import model as jobs_model
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.sweeps import model, space

LOSSES = ("loss", "error", "rmse", "mae", "mse", "perplexity")  # less of these is better
SHOWN = 10  # trials in a representation


@takes_options
def sweep(
    work: Callable[..., Any] | str | os.PathLike[str] | Sequence[str] | Job,
    *,
    objective: str | None = None,
    direction: model.Direction | None = None,
    take: model.Take = "last",
    trials: int | None = None,
    at_once: int = 2,
    sampler: model.Sampler = "tpe",
    prune: bool = False,
    stop: Mapping[str, Any] | None = None,
    seed: int | None = None,
    space: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> Sweep:
    """Try many values, each as a background job, and find the best.

    The sweep is a job itself: it goes on when this notebook is closed.

    Parameters
    ----------
    work : callable, path or command
        A function (also one with ``@blueno.job``), a notebook, or a command with
        names in braces: ``["python", "train.py", "--lr", "{lr}"]``. Of a job, its
        snapshot is run again; a job's ``command=`` may be given otherwise.
    objective : str, optional
        The metric that counts, as logged by `blueno.log_metric` or a framework.
        Default: what the function returns; of a dictionary name the entry.
    direction : {"maximize", "minimize"}, optional
        Default: the least of a loss or an error, the most of anything else.
    take : {"last", "best"}
        Which point of the metric counts.
    trials : int, optional
        How many; default 20, or the whole grid.
    at_once : int
        How many run at the same time, as far as there is room for them.
    sampler : {"tpe", "random", "grid"}
        How values are chosen: by what was good so far (Optuna's TPE), by
        chance, or all of them.
    prune : bool
        End trials early that do worse than most did at the same step.
    stop : dict, optional
        Further rules: ``{"hours": 8, "patience": 10, "target": 0.99, "failures": 3}``.
        `patience` is how many trials in a row may bring nothing better.
    seed : int, optional
        The same one proposes the same values by chance.
    space : dict, optional
        Values and ranges of parameters that are called like an option.
    **parameters
        By name. A list, or a range (`blueno.uniform`, `log_uniform`, `integers`,
        `choice`), is varied; other values are the same for all. Beside them the
        options of `blueno.submit`, for each trial.

    Returns
    -------
    Sweep
        `Sweep.best` is the best so far, `Sweep.trials` all.

    Raises
    ------
    InvalidInput
        If there is nothing to vary, or the work does not take it; nothing is started.

    Examples
    --------
    >>> search = blueno.sweep(train, lr=blueno.log_uniform(1e-4, 1e-1), batch=[16, 32], epochs=5)
    >>> search.wait().best.parameters
    """
    own = work.options if isinstance(work, JobFunction) else {}
    dry_run = bool(parameters.get("dry_run", own.get("dry_run")))
    if isinstance(work, Job):
        asked, varied = _of_job(work, parameters, space)
        kind = work.kind
    else:
        name, spec, varied = _work(work, parameters, space)
        kind = spec.kind
    returned = objective is None and kind == "function"
    if objective is None and not returned:
        raise errors.InvalidInput(
            "Say which metric counts: objective='val_accuracy'. It is what the work logs by that name.",
            code="sweep_plan",
        )
    metric = objective or model.RETURNED
    loss = any(word in metric.lower() for word in LOSSES)
    plan = model.Plan(
        space=varied,
        objective=metric,
        direction=_one_of("direction", direction or ("minimize" if loss else "maximize"), model.Direction),
        take=_one_of("take", take, model.Take),
        sampler=_one_of("sampler", sampler, model.Sampler),
        prune=bool(prune),
        at_once=_whole("at_once", at_once),
        seed=None if seed is None else _whole("seed", seed),
        stop=ranges.stop_of(trials, stop),
    )
    if isinstance(work, Job):
        given = {one: getattr(asked, one) for one in asked.__struct_fields__}
        of_job = api.SweepJob(**given, plan=plan)
        if dry_run:
            return cast(Sweep, SweepPreview(session.call(api.preview_sweep_of_job, of_job)))
        return _opened(session.call(api.sweep_job, of_job))
    if dry_run:  # who asks for one knows what comes
        described = api.DescribeSweep(name, spec, plan)
        return cast(Sweep, SweepPreview(session.call(api.preview_sweep, described)))
    return _opened(session.call(api.start_sweep, model.StartSweep(uuid.uuid4().hex, name, spec, plan)))


def _of_job(
    job: Job, given: dict[str, Any], extra: Mapping[str, Any] | None
) -> tuple[jobs_api.RerunJob, dict[str, model.Domain]]:
    """How a job is to run again, and what is varied."""
    options = {name: given.pop(name) for name in [*DEFAULTS, "command"] if name in given}
    varied, fixed = ranges.sorted_out(given, extra)
    space.check(varied)
    return again.request(job.id, fixed, options), varied


def _work(
    work: Any, given: dict[str, Any], extra: Mapping[str, Any] | None
) -> tuple[str, JobSpec, dict[str, model.Domain]]:
    """The name, what a trial runs with the first values, and what is varied."""
    options: dict[str, Any] = {}
    if isinstance(work, JobFunction):
        options, work = dict(work.options), work.function
    if callable(work):
        own, given = split(work, given)
        options |= own
    else:
        options |= {name: given.pop(name) for name in DEFAULTS if name in given}
    varied, fixed = ranges.sorted_out(given, extra)
    space.check(varied)
    first = {name: space.ends(domain)[0] for name, domain in varied.items()}
    chosen: Options = options  # type: ignore[assignment]
    if callable(work):
        spec = submit.spec_of_call(work, (), {**fixed, **first}, chosen)
        name = signature.called_of(work)
    elif isinstance(work, str | os.PathLike) and str(work).endswith(".ipynb"):
        spec = spec_of_notebook(work, {**fixed, **first}, chosen)
        name = Path(work).stem
    else:
        spec = _command(work, fixed, chosen)
        name = Path(spec.command[0]).name
    return str(options.get("name") or name), spec, varied


def _command(work: Any, fixed: dict[str, Any], options: Options) -> JobSpec:
    words = shlex.split(work) if isinstance(work, str) else work
    if not isinstance(words, Iterable) or not (words := [str(one) for one in words]):
        raise errors.InvalidInput(
            "sweep takes a function, the path of a notebook, or a command: "
            "blueno.sweep(train, lr=[0.1, 0.01]).",
            code="not_a_function",
        )
    if fixed:
        raise errors.InvalidInput(
            f"{next(iter(fixed))} has one value only: write it into the command. What is varied is a list or "
            "a range.",
            code="sweep_space",
        )
    return spec_of(options, kind="command", command=words, origin=submit.origin())


def _one_of(name: str, value: Any, allowed: Any) -> Any:
    from typing import get_args

    words = get_args(allowed)
    if value not in words:
        near = f" Did you mean {signature.closest(str(value), words)!r}?"
        near = near if signature.closest(str(value), words) else f" It can be {', '.join(map(repr, words))}."
        raise errors.InvalidInput(f"{name} is {value!r}.{near}", code="sweep_plan")
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.InvalidInput(f"{name} is a whole number, not {value!r:.60}.", code="sweep_plan")
    return value


def _opened(told: model.Sweep) -> Sweep:
    return Sweep(session.call(jobs_api.get_job, jobs_api.JobRef(told.jobs[-1])))


class Sweep(Job):
    """A sweep: a job that runs other jobs. It goes on when this notebook is closed.

    `blueno.job(id)` finds it again.
    """

    @property
    def plan(self) -> model.Plan:
        """What is tried, and what is wanted."""
        return self._told().plan

    @property
    def best(self) -> Trial | None:
        """The best complete trial so far; None before there is one."""
        best = self._told().best
        return None if best is None else Trial(best)

    def trials(self) -> Trials:
        """All trials so far, by number; ``.frame()`` makes a DataFrame of them."""
        told = self._told()
        found = session.call(api.list_trials, api.TrialRange(self.id)).trials
        return Trials(
            [Trial(one) for one in found], told.plan, None if told.best is None else told.best.number
        )

    def result(self, timeout: float | None = None) -> Any:
        """Wait, and return the best trial.

        Raises
        ------
        JobFailed
            If the sweep did not end well; it says why.
        TimeoutError
            After `timeout` seconds.
        """
        self.wait(timeout)
        if self._info.state != "SUCCEEDED":
            raise self._failure()
        return self.best

    def resume(  # type: ignore[override]
        self, trials: int | None = None, *, at_once: int | None = None
    ) -> Sweep:
        """Go on with a sweep that is over, by a new job that knows all its trials.

        Parameters
        ----------
        trials : int, optional
            So many more. Default: as many as were still to come.
        at_once : int, optional
        """
        told = self._told()
        in_all = None
        if trials is not None:
            made = sum(count for state, count in told.counts.items() if state != "cancelled")
            in_all = made + _whole("trials", trials)
        ask = api.ResumeSweep(sweep_id=self.id, id=uuid.uuid4().hex, trials=in_all, at_once=at_once)
        return _opened(session.call(api.resume_sweep, ask))

    def change(self, trials: int | None = None, at_once: int | None = None) -> Sweep:
        """Have more or fewer trials in all, or at once, while it runs; returns the sweep itself."""
        session.call(api.change_sweep, api.ChangeSweep(sweep_id=self.id, trials=trials, at_once=at_once))
        return self

    def plot(self) -> Any:
        """Parallel coordinates of all complete trials, as a plotly figure.

        Raises
        ------
        MissingDependency
            If plotly is not installed.
        """
        from jupyter_blueno.client.sweep_plot import parallel

        return parallel(self.trials(), self.plan)

    def _told(self) -> model.Sweep:
        return session.call(api.get_sweep, api.SweepRef(self.id))

    def __repr__(self) -> str:
        return super().__repr__().replace("<Job", "<Sweep", 1)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        info = self._seen()
        try:
            told = self._told()
            ranked = self.trials()
        except errors.BluenoError:
            return super()._repr_mimebundle_(include, exclude)
        first = sorted(ranked, key=lambda one: _rank(one, told.plan))[:SHOWN]
        shown = Trials(first, told.plan, None if told.best is None else told.best.number)
        head = f"{told.plan.direction} {told.plan.objective}"
        if told.best is not None and told.best.value is not None:
            head += f" · best {number(told.best.value)} with {space.in_words(told.best.parameters)}"
        more = f"{len(ranked) - len(first)} more: .trials()" if len(ranked) > len(first) else ""
        html = (
            f"<div style='{look.FRAME}'><b>{escape(info.name)}</b> "
            f"<span style='{look.FAINT}'>{info.id[:8]}</span> {escape(_standing(info))}<br>"
            f"{escape(head)}</div>"
            f"{shown._repr_html_()}<div style='{look.FAINT}'>{more}</div>"
        )
        return {MIME: {"id": self.id}, "text/html": html, "text/plain": f"{self!r}\n{head}\n{shown!r}"}


def _standing(info: jobs_model.Job) -> str:
    progress = info.progress
    done = "" if progress is None else f" · {progress.done} of {progress.total} trials"
    return f"{look.STATE_SIGNS[info.state]} {look.STATE_WORDS[info.state]}{done}"


def _rank(trial: Trial, plan: model.Plan) -> tuple[int, float]:
    """The best first, then those that run, then the others."""
    if trial.state == "complete" and trial.value is not None:
        return 0, -trial.value if plan.direction == "maximize" else trial.value
    return (1 if trial.state in ("running", "waiting") else 2), trial.number
