"""A flow that was submitted: its steps as they stand, what they return, and how it goes on."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jupyter_blueno import errors
from jupyter_blueno.api import flows as api
from jupyter_blueno.client import flow_display, session
from jupyter_blueno.client.job_display import JobList
from jupyter_blueno.client.jobs import FIRST_POLL, LATER_POLL, MIME, SLOWEST_POLL, Job, find
from jupyter_blueno.flows import model
from jupyter_blueno.jobs.model import TERMINAL

if TYPE_CHECKING:
    from jupyter_blueno.client.flows import Flow


class FlowRun(Job):
    """A flow in the background. It goes on when this notebook is closed.

    ``run["train"]`` is a step of it.
    """

    @property
    def flow(self) -> model.Flow:
        """How it stands now, with all of its steps."""
        return session.call(api.get_flow, api.FlowRef(self.id))

    @property
    def steps(self) -> list[RunStep]:
        """Its steps, in the order in which they were written."""
        return [RunStep(self, one) for one in self.flow.steps]

    def __getitem__(self, name: str) -> RunStep:
        found = {one.name: one for one in self.flow.steps}
        if name not in found:
            raise errors.NotFound(
                f"{self.name} has no step {name!r}. It has {', '.join(map(repr, found))}.",
                code="flow_step_not_found",
            )
        return RunStep(self, found[name])

    def __iter__(self) -> Iterator[RunStep]:
        return iter(self.steps)

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait, and return what the last steps returned, by their names: those whose results no step takes.

        Raises
        ------
        Exception
            What the first step that failed raised.
        JobFailed
            If it ended in any other way than well.
        TimeoutError
            After `timeout` seconds.
        """
        self.wait(timeout)
        steps = self.steps
        for step in steps:
            if step.state in TERMINAL and step.state != "SUCCEEDED":
                step.result()
        if self._info.state != "SUCCEEDED":
            raise self._failure()
        taken = {need for step in steps for need in step.info.takes}
        return {step.name: step.result() for step in steps if step.name not in taken}

    def resume(self, flow: Flow | None = None, **_: Any) -> FlowRun:
        """Run it again, as a new flow, from where it failed: what succeeded is taken over.

        Parameters
        ----------
        flow : Flow, optional
            The flow as it is written now; steps whose code or arguments changed
            run again, with all that follow. Default: as it was.

        Raises
        ------
        Conflict
            If it has not ended.
        """
        if flow is not None:
            return flow.submit(resume=self)
        return FlowRun(session.call(api.resume_flow, api.ResumeFlow(self.id, uuid.uuid4().hex)))

    def frame(self, step: str | None = None) -> Any:
        """Parameters and metrics of a step's jobs, as a table of pandas.

        Parameters
        ----------
        step : str, optional
            Default: the only mapped one.

        Returns
        -------
        pandas.DataFrame
            A row for each job, in the order of the values.
        """
        return self[step or self._mapped()].frame()

    def _mapped(self) -> str:
        names = [one.name for one in self.flow.steps if one.mapped]
        if len(names) != 1:
            words = "no mapped step" if not names else f"several mapped steps: {', '.join(map(repr, names))}"
            raise errors.InvalidInput(f"{self.name} has {words}; say which one: run.frame('…').")
        return names[0]

    def __repr__(self) -> str:
        return flow_display.run_text(self.flow)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        flow = self.flow
        return {
            MIME: {"id": self.id},
            "text/html": flow_display.run_html(flow),
            "text/plain": flow_display.run_text(flow),
        }


class RunStep:
    """A step of a flow that was submitted.

    Attributes
    ----------
    name : str
    info : Step
        How it stood when it was looked up.
    """

    def __init__(self, run: FlowRun, info: model.Step) -> None:
        self.run = run
        self.info = info

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def state(self) -> model.StepState:
        """As it is now: ``WAITING``, ``RUNNING``, ``SUCCEEDED``, ``NOT_RUN`` …"""
        return self._now().state

    @property
    def reason(self) -> str | None:
        """Why it failed, was not run, or what was reused."""
        return self._now().reason

    @property
    def reused(self) -> bool:
        """Whether nothing ran: an earlier result was taken."""
        return self._now().reused

    @property
    def parts(self) -> list[model.Part]:
        """Its jobs, with what they were given and what they measured."""
        return session.call(api.list_flow_parts, api.StepRef(self.run.id, self.name)).parts

    @property
    def jobs(self) -> JobList:
        """Its jobs, as far as there are any yet."""
        return JobList([find(part.job_id) for part in self.parts if part.job_id is not None])

    @property
    def job(self) -> Job:
        """Its only job.

        Raises
        ------
        Conflict
            If it has none yet, or several.
        """
        found = self.jobs
        if len(found) != 1 or self.info.mapped:
            words = "has not begun" if not found else f"has {len(found)} jobs; see .jobs"
            raise errors.Conflict(f"'{self.name}' {words}.", code="flow_no_job")
        return found[0]

    def wait(self, timeout: float | None = None) -> RunStep:
        """Wait until it is over; returns the step itself.

        Raises
        ------
        TimeoutError
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_POLL
        while self.state not in TERMINAL and self.info.state != "NOT_RUN":
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TimeoutError(f"'{self.name}' is not over after {timeout:g} s. It goes on.")
            time.sleep(pause)
            pause = min(SLOWEST_POLL, pause * LATER_POLL)
        return self

    def result(self, timeout: float | None = None) -> Any:
        """Wait, and return what it returned: of a mapped step a list.

        Raises
        ------
        Exception
            What the function raised.
        Conflict
            If it was not run.
        TimeoutError
        """
        self.wait(timeout)
        if self.info.state == "NOT_RUN":
            raise errors.Conflict(
                f"'{self.name}' was not run: {self.info.reason or 'the flow ended before.'}",
                code="flow_not_run",
            )
        found = self.jobs.results()
        return found if self.info.mapped else found[0]

    def frame(self) -> Any:
        """Parameters and metrics of its jobs, as a table of pandas."""
        try:
            import pandas
        except ImportError:
            raise errors.MissingDependency(
                "A table needs pandas: pip install pandas. The same is in .parts.", code="missing_pandas"
            ) from None
        rows = [
            {**part.parameters, **{name: float(value) for name, value in part.metrics.items()}}
            | {"state": part.state, "seconds": part.seconds, "job": part.job_id}
            for part in self.parts
        ]
        return pandas.DataFrame(rows)

    def _now(self) -> model.Step:
        if self.info.state not in TERMINAL and self.info.state != "NOT_RUN":
            self.info = next(one for one in self.run.flow.steps if one.name == self.name)
        return self.info

    def __repr__(self) -> str:
        return f"<step {self.name!r} of {self.run.name!r}: {flow_display.step_words(self._now())}>"
