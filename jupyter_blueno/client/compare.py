"""`blueno.compare`: jobs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as api
from jupyter_blueno.client import look, session
from jupyter_blueno.client.curves import number
from jupyter_blueno.client.jobs import Job, of
from jupyter_blueno.client.trials import Trial
from jupyter_blueno.jobs import comparison
from jupyter_blueno.jobs.comparison import Line

KINDS = ("parameters", "metrics", "datasets", "resources", "environment")


def compare(*jobs: Job | Trial | str) -> Comparison:
    """Put jobs side by side: what they were given, what came out, what was different.

    Parameters
    ----------
    *jobs : Job, Trial or str
        Two to eight: jobs, trials of a sweep, ids or names.

    Returns
    -------
    Comparison
        Shown as a table of what differs.

    Raises
    ------
    InvalidInput
    NotFound

    Examples
    --------
    >>> blueno.compare("3fa9", "77c1")
    >>> blueno.compare(*blueno.jobs("train", limit=3)).frame()
    """
    refs = [_ref(one) for one in jobs]
    return Comparison(session.call(api.compare_jobs, api.CompareJobs(refs)))


class Comparison:
    """Jobs side by side.

    Attributes
    ----------
    jobs : list of Job
    parameters, metrics, datasets, resources, environment : dict
        Name → the values, in the order of the jobs; None where one has none.
    """

    parameters: dict[str, list[Any]]
    metrics: dict[str, list[Any]]
    datasets: dict[str, list[Any]]
    resources: dict[str, list[Any]]
    environment: dict[str, list[Any]]

    def __init__(self, told: comparison.Comparison) -> None:
        self._told = told
        self.jobs = [of(one) for one in told.jobs]
        for kind in KINDS:
            setattr(self, kind, {line.name: line.values for line in getattr(told, kind)})

    def diff(self) -> str:
        """How the code differs from that of the first job, as text."""
        parts = []
        for one in self._told.code:
            name = self._told.jobs[one.job].name
            parts.append(
                "\n".join([f"--- {self.jobs[0].name}: {one.name}", f"+++ {name}: {one.name}", *one.lines])
            )
        return "\n\n".join(parts)

    def frame(self) -> Any:
        """A DataFrame: a row a job, with its parameters and metrics.

        Raises
        ------
        MissingDependency
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise errors.MissingDependency("This needs pandas: pip install pandas.") from None
        lines = [*self._told.parameters, *self._told.metrics]
        columns = {"name": [one.name for one in self.jobs], **{line.name: line.values for line in lines}}
        return pandas.DataFrame(columns, index=[one.id[:8] for one in self.jobs])

    def _rows(self) -> list[list[str]]:
        rows = []
        for kind in KINDS:
            lines: Sequence[Line] = getattr(self._told, kind)
            rows += [[kind, line.name, *map(_shown, line.values)] for line in lines if line.differs]
        for one in self._told.code:
            changed = sum(line[:1] in "+-" for line in one.lines)
            cells = ["" if place != one.job else f"{changed} lines" for place in range(len(self.jobs))]
            rows.append(["code", one.name, *cells])
        return rows

    def _head(self) -> list[str]:
        return ["", "", *(f"{one.name} {one.id[:8]}" for one in self.jobs)]

    def __repr__(self) -> str:
        return look.table(self._rows() or [["", "nothing differs", *[""] * len(self.jobs)]], self._head())

    def _repr_html_(self) -> str:
        rows = self._rows() or [["", "nothing differs", *[""] * len(self.jobs)]]
        return look.html_table([list(map(escape, row)) for row in rows], list(map(escape, self._head())))


def _ref(job: Job | Trial | str) -> str:
    return job if isinstance(job, str) else job._told.job_id if isinstance(job, Trial) else job.id


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    text = number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
