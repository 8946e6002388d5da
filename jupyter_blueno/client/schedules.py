"""Schedules in a notebook: work that starts by itself. How they look is in `schedule_display`."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import schedules as api
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.client import again, schedule_display, session
from jupyter_blueno.client.flows import Flow
from jupyter_blueno.client.functions import JobFunction
from jupyter_blueno.client.jobs import Job, find
from jupyter_blueno.client.notebooks import spec_of_notebook
from jupyter_blueno.client.options import DEFAULTS, Options, spec_of, split, takes_options
from jupyter_blueno.client.schedule_display import RunList, ScheduleList
from jupyter_blueno.client.submit import spec_of_call
from jupyter_blueno.client.zones import local_zone
from jupyter_blueno.jobs.model import Change, JobSpec
from jupyter_blueno.schedules import model

_KEYS = {"catch_up": ("skip", "once", "all"), "overlap": ("skip", "queue", "allow")}


@takes_options
def schedule(
    name: str,
    work: Callable[..., Any] | str | os.PathLike[str] | Sequence[str] | Job | Flow | None = None,
    *args: Any,
    cron: str | None = None,
    zone: str | None = None,
    dataset: str | None = None,
    catch_up: model.CatchUp = "once",
    overlap: model.Overlap = "skip",
    limit: int = 10,
    fresh: bool = False,
    values: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Schedule:
    """Have work started by itself: at certain times, or when a dataset has a new version.

    What runs is the work as it is now. A schedule of this name that is there
    already is replaced; with nothing but a name, it is found.

    Parameters
    ----------
    name : str
        Of the schedule, and of the jobs that it starts.
    work : callable, path, command, Job or Flow
        A function (also one with ``@blueno.job``), a notebook, a script, a
        command as a list of words, a flow, or a job: what that ran.
    *args, **kwargs
        A function's arguments, a notebook's parameters. Beside them, by name,
        the options of `blueno.submit`, for each job.
    cron : str, optional
        Minute, hour, day, month, weekday: ``"0 3 * * *"`` is every day at
        03:00, ``"*/15 9-17 * * 1-5"`` every quarter of an hour at work.
    zone : str, optional
        The time zone in which it is read, ``"Europe/Berlin"``; default: that of
        this machine.
    dataset : str, optional
        A dataset's name: each new version of it starts a job.
    catch_up : {"skip", "once", "all"}
        What becomes of times that passed while nothing fired: left out, made up
        for by one run, or each by one of its own, one after another.
    overlap : {"skip", "queue", "allow"}
        With a run that is not over when the next is due: leave the next out,
        let it wait, or start it beside the other.
    limit : int
        How many at most are made up for, and wait.
    fresh : bool
        Read the notebook anew each time.
    values : mapping, optional
        Arguments or parameters that are called like an option.

    Returns
    -------
    Schedule

    Raises
    ------
    InvalidInput
        If no time ever fits, or the work cannot run.
    NotFound
        With a name alone: there is none.

    Examples
    --------
    >>> blueno.schedule("nightly", train, cron="0 3 * * *", zone="Europe/Berlin", lr=0.1)
    >>> blueno.schedule("nightly").run_now()
    """
    if work is None:
        return Schedule(session.call(api.get_schedule, api.ScheduleRef(str(name))))
    timing = model.Timing(
        cron=cron,
        zone=zone or local_zone(),
        dataset=dataset,
        catch_up=_one_of("catch_up", catch_up),
        overlap=_one_of("overlap", overlap),
        limit=limit,
    )
    made_id = uuid.uuid4().hex
    if isinstance(work, Job):
        change = _change(work, str(name), {**kwargs, **(values or {})})
        made = session.call(api.schedule_job, api.ScheduleJob(made_id, work.id, timing, change, replace=True))
    elif isinstance(work, Flow):
        if args or kwargs or values:
            raise errors.InvalidInput(
                "A flow takes no arguments when it is scheduled; give them to its steps.",
                code="bad_arguments",
            )
        made = session.call(api.schedule_flow, api.ScheduleFlow(timing, work.asked(str(name)), replace=True))
    else:
        spec = _spec(work, args, kwargs, values or {})
        ask = api.CreateSchedule(made_id, str(name), timing, spec, fresh=fresh, replace=True)
        made = session.call(api.create_schedule, ask)
    standby = session.call(api.list_schedules, Nothing()).standby
    return Schedule(made, standby)


def schedules() -> ScheduleList:
    """List the schedules, by name."""
    answer = session.call(api.list_schedules, Nothing())
    return ScheduleList([Schedule(one) for one in answer.schedules], answer.standby)


class Schedule:
    """Work that starts by itself.

    Attributes
    ----------
    id, name : str
    words : str
        When: ``At 03:00 every day, Europe/Berlin``.
    """

    def __init__(self, info: model.Schedule, standby: model.Standby | None = None) -> None:
        self._info = info
        self._standby = standby

    @property
    def id(self) -> str:
        return self._info.id

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def words(self) -> str:
        return self._info.words

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._now().paused

    def next(self, count: int = 1) -> list[datetime]:
        """The next times at which it starts a job, in its time zone; none while it is paused."""
        from zoneinfo import ZoneInfo

        info = self._now()
        if info.paused or info.timing.cron is None:
            return []
        ask = api.DescribeCron(info.timing.cron, info.timing.zone, count)
        times = session.call(api.describe_cron, ask).times
        return [one.astimezone(ZoneInfo(info.timing.zone)) for one in times]

    def runs(self, limit: int = 20) -> RunList:
        """What came of its times, the newest first: jobs, and why there is none."""
        found = session.call(api.list_firings, api.FiringPage(self.id, limit)).firings
        return RunList(found, self._info.timing.zone)

    def jobs(self, limit: int = 20) -> list[Job]:
        """The jobs that it started, the newest first."""
        return [find(one.job_id) for one in self.runs(limit) if one.job_id is not None and one.job_state]

    def run_now(self) -> Job:
        """Start what it runs, now.

        Raises
        ------
        Unavailable
            If it could not be started.
        """
        fired = session.call(api.run_schedule, api.RunSchedule(self.id, uuid.uuid4().hex))
        if fired.job_id is None:
            raise errors.Unavailable(fired.reason or "It was not started; try again.", code="not_started")
        return find(fired.job_id)

    def pause(self) -> Schedule:
        """Start nothing until `resume`; returns the schedule itself."""
        return self._change(paused=True)

    def resume(self) -> Schedule:
        """Go on from now; what was due in the pause is not made up for."""
        return self._change(paused=False)

    def change(
        self,
        *,
        name: str | None = None,
        cron: str | None = None,
        zone: str | None = None,
        dataset: str | None = None,
        catch_up: model.CatchUp | None = None,
        overlap: model.Overlap | None = None,
        limit: int | None = None,
    ) -> Schedule:
        """Change when it starts, or its name; what is not given stays. See `blueno.schedule`."""
        import msgspec

        given: dict[str, Any] = {
            "cron": cron, "zone": zone, "dataset": dataset, "limit": limit,
            "catch_up": _one_of("catch_up", catch_up), "overlap": _one_of("overlap", overlap),
        }  # fmt: skip
        said = {key: value for key, value in given.items() if value is not None}
        timing = msgspec.structs.replace(self._now().timing, **said) if said else None
        return self._change(timing=timing, name=name)

    def delete(self) -> None:
        """End it; the jobs that it started stay."""
        session.call(api.delete_schedule, api.ScheduleRef(self.id))

    # ---- steps

    def _change(self, **values: Any) -> Schedule:
        self._info = session.call(api.change_schedule, api.ChangeSchedule(self.id, **values))
        return self

    def _now(self) -> model.Schedule:
        self._info = session.call(api.get_schedule, api.ScheduleRef(self.id))
        return self._info

    def _seen(self) -> model.Schedule:
        """The present state where it can be had, else the last one."""
        try:
            return self._now()
        except errors.BluenoError:
            return self._info

    def __repr__(self) -> str:
        return schedule_display.text(self._seen(), self._standby)

    def _repr_html_(self) -> str:
        return schedule_display.html(self._seen(), self._standby)


def _spec(work: Any, args: tuple[Any, ...], kwargs: dict[str, Any], values: Mapping[str, Any]) -> JobSpec:
    """What is to run, as a job."""
    options: Options
    if callable(work):
        function, options = work, {}
        if isinstance(work, JobFunction):
            function, options = work.function, work.options  # type: ignore[assignment]
        given, kwargs = split(function, kwargs)
        options = {**options, **given}
        _refuse_dry_run(options)
        return spec_of_call(function, args, {**kwargs, **values}, options)
    options = {key: kwargs.pop(key) for key in DEFAULTS if key in kwargs}  # type: ignore[assignment]
    _refuse_dry_run(options)
    if isinstance(work, str | os.PathLike) and Path(work).suffix == ".ipynb":
        return spec_of_notebook(work, {**kwargs, **values}, options)
    words = _command(work, options)
    if args or kwargs or values:
        named = next(iter({**kwargs, **values}), None) or repr(args[0])
        raise errors.InvalidInput(
            f"A command takes no {named}; write it among its words: ['python', 'train.py', '--lr', '0.1'].",
            code="bad_arguments",
        )
    return spec_of(options, kind="command", command=words)


def _command(work: Any, options: Options) -> list[str]:
    if isinstance(work, str | os.PathLike):
        path = Path(work).expanduser()
        if path.suffix == ".py" and path.is_file():
            python = "python" if options.get("python") or options.get("requirements") else sys.executable
            return [python, "-u", str(path)]
        raise errors.InvalidInput(
            f"{os.fspath(work)!r} is no notebook and no script that is there. Give its path, a function, or "
            "a command as a list: ['make', 'report'].",
            code="bad_arguments",
        )
    if isinstance(work, Sequence) and work:
        return [str(word) for word in work]
    raise errors.InvalidInput(
        f"A {type(work).__name__} cannot be scheduled; a function, a notebook's path, a command as a list, "
        "a flow or a job can.",
        code="not_a_function",
    )


def _change(job: Job, name: str, given: dict[str, Any]) -> Change:
    asked = again.request(job.id, {}, {"name": name, **given})
    return Change(**{one: getattr(asked, one) for one in Change.__struct_fields__ if one != "id"})


def _refuse_dry_run(options: Options) -> None:
    if options.get("dry_run"):
        raise errors.InvalidInput(
            "A schedule has no dry run; look at one of its jobs: blueno.submit(…, dry_run=True).",
            code="no_dry_run",
        )


def _one_of(name: str, value: Any) -> Any:
    if value is not None and value not in _KEYS[name]:
        raise errors.InvalidInput(
            f"{name} is {value!r}; it can be {', '.join(map(repr, _KEYS[name]))}.", code=f"bad_{name}"
        )
    return value
