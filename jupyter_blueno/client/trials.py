"""Trials of a sweep in a notebook: one by one, as a table, as a DataFrame."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_blueno import errors
from jupyter_blueno.client import look
from jupyter_blueno.client.curves import number
from jupyter_blueno.client.progress import duration
from jupyter_blueno.sweeps import model

if TYPE_CHECKING:
    from jupyter_blueno.client.jobs import Job

SIGNS = {"waiting": "◌", "running": "●", "complete": "✓", "pruned": "✂", "failed": "✗", "cancelled": "–"}


class Trial:
    """One set of values that a sweep tried.

    Attributes
    ----------
    number : int
    parameters : dict
    state : str
        ``waiting``, ``running``, ``complete``, ``pruned``, ``failed`` or ``cancelled``.
    value : float or None
        The objective; while it runs its newest point.
    reason : str or None
        Why it was given up, or failed.
    """

    def __init__(self, told: model.Trial) -> None:
        self._told = told
        self.number = told.number
        self.parameters = told.parameters
        self.state = told.state
        self.value = told.value
        self.reason = told.reason

    @property
    def job(self) -> Job:
        """The job that it is: its log, results, metrics, code."""
        from jupyter_blueno.client.jobs import find

        return find(self._told.job_id)

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Points of the objective: step and value. Empty while it runs."""
        return self._told.curve

    @property
    def seconds(self) -> float | None:
        """How long it ran; None before it has ended."""
        told = self._told
        if told.started_at is None or told.finished_at is None:
            return None
        return (told.finished_at - told.started_at).total_seconds()

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={_shown(value)}" for name, value in self.parameters.items())
        value = "" if self.value is None else f" {number(self.value)}"
        return f"<Trial {self.number}: {self.state}{value} with {values}>"


class Trials(list[Trial]):
    """Trials by number, shown as a table."""

    def __init__(self, trials: list[Trial], plan: model.Plan, best: int | None) -> None:
        super().__init__(trials)
        self._plan = plan
        self._best = best

    def frame(self) -> Any:
        """A DataFrame: a row a trial, with ``state``, ``value``, ``seconds``, ``job``, and its parameters.

        Raises
        ------
        MissingDependency
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise errors.MissingDependency("This needs pandas: pip install pandas.") from None
        rows = [
            {
                "number": one.number,
                "state": one.state,
                **one.parameters,
                self._plan.objective: one.value,
                "seconds": one.seconds,
                "job": one._told.job_id,
            }
            for one in self
        ]
        columns = ["number", "state", *self._plan.space, self._plan.objective, "seconds", "job"]
        return pandas.DataFrame(rows, columns=list(dict.fromkeys(columns))).set_index("number")

    def _cells(self) -> list[list[str]]:
        return [
            [
                f"{one.number}",
                f"{SIGNS[one.state]} {one.state}" + (" (best)" if one.number == self._best else ""),
                "" if one.value is None else number(one.value),
                *(_shown(one.parameters.get(name)) for name in self._plan.space),
                "" if one.seconds is None else duration(one.seconds),
            ]
            for one in self
        ]

    def _head(self) -> list[str]:
        return ["trial", "state", self._plan.objective, *self._plan.space, "ran"]

    def __repr__(self) -> str:
        return look.table(self._cells(), self._head(), right=(0, 2)) if self else "No trials yet."

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>No trials yet.</div>"
        rows = [list(map(escape, row)) for row in self._cells()]
        for row, one in zip(rows, self, strict=True):
            if one.number == self._best:
                row[:] = [f"<b>{cell}</b>" for cell in row]
        return look.html_table(rows, list(map(escape, self._head())), right=(0, 2))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
