"""How jobs look in a notebook and in a terminal."""

from __future__ import annotations

import os
from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_blueno.api import many
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.client import look, session
from jupyter_blueno.client.progress import duration
from jupyter_blueno.jobs import model

if TYPE_CHECKING:
    from jupyter_blueno.client.jobs import Job


def text(info: model.Job) -> str:
    """A job in a line."""
    return f"<Job {info.name!r} {info.id[:8]}: {_line(info)}>"


def html(info: model.Job, tail: str) -> str:
    """The same with its progress and the `tail` of its log."""
    share = info.progress.done / info.progress.total if info.progress and info.progress.total else None
    bar = (
        "" if share is None or info.state in model.TERMINAL else f"<progress value='{share:.3f}'></progress> "
    )
    return (
        f"<div style='{look.FRAME}'><b>{escape(info.name)}</b> "
        f"<span style='{look.FAINT}'>{info.id[:8]}</span> {bar}{escape(_line(info))}"
        + (f"<pre style='margin:4px 0;{look.FAINT}'>{escape(plain(tail))}</pre>" if tail else "")
        + "</div>"
    )


class JobList(list["Job"]):
    """Jobs, shown as a table."""

    def wait(self, timeout: float | None = None) -> JobList:
        """Wait until all have ended; returns the list itself.

        Raises
        ------
        TimeoutError
            If some have not after `timeout` seconds; they go on.
        """
        import time

        deadline = None if timeout is None else time.monotonic() + timeout
        for one in self:
            one.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return self

    def results(self, timeout: float | None = None) -> list[Any]:
        """Wait, and return what came out of each; the first that failed raises.

        See `Job.result`.
        """
        self.wait(timeout)
        return [one.result() for one in self]

    def cancel(self) -> JobList:
        """Ask all to stop: first kindly, then with force; returns the list itself."""
        self._do(many.cancel_jobs)
        return self

    def delete(self) -> list[str]:
        """Take those off the list that are over, with their files; the ids of the others are returned.

        ``blueno.jobs("test").delete()``
        """
        return [one.job for one in self._do(many.delete_jobs)]

    def _do(self, operation: Operation[many.ManyJobs, many.Handled]) -> list[many.Exempt]:
        exempt: list[many.Exempt] = []
        ids = [one.id for one in self]
        for start in range(0, len(ids), many.MOST):
            exempt += session.call(operation, many.ManyJobs(ids[start : start + many.MOST])).exempt
        return exempt

    def _cells(self) -> list[list[str]]:
        rows = [
            [
                one.id[:8],
                one.name if len(one.name) <= 40 else one.name[:39] + "…",
                one._info.kind,
                _state_words(one._info),
                _ran(one._info),
                look.age(one._info.created_at),
            ]
            for one in self
        ]
        if self._some_wait():
            for row, one in zip(rows, self, strict=True):
                row.append((one._info.reason or "") if one._info.state == "QUEUED" else "")
        return rows

    def _head(self) -> list[str]:
        return [*_HEAD, "why"] if self._some_wait() else _HEAD

    def _some_wait(self) -> bool:
        return any(one._info.state == "QUEUED" for one in self)

    def __repr__(self) -> str:
        return look.table(self._cells(), self._head()) if self else _NO_JOBS

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>{escape(_NO_JOBS)}</div>"
        return look.html_table([list(map(escape, row)) for row in self._cells()], self._head())


_HEAD = ["id", "name", "kind", "state", "ran", "started"]
_NO_JOBS = "No jobs yet. %%blueno run at the top of a cell, or blueno.submit(function), starts one."


def plain(text: str) -> str:
    """`text` without a terminal's colours."""
    import re

    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", os.linesep)


def _line(info: model.Job) -> str:
    words = [f"{look.STATE_SIGNS[info.state]} {_state(info)}"]
    if info.progress is not None and info.progress.total and info.state not in model.TERMINAL:
        words.append(f"{info.progress.done / info.progress.total:.0%}")
    if info.progress is not None and info.progress.message and info.state not in model.TERMINAL:
        words.append(info.progress.message)
    words.append(_ran(info))
    if info.reason:
        words.append(info.reason)
    return " · ".join(word for word in words if word)


def _state(info: model.Job) -> str:
    paused = info.desired == "pause" and info.state == "RUNNING"
    return "paused" if paused else look.STATE_WORDS[info.state]


def _state_words(info: model.Job) -> str:
    words = f"{look.STATE_SIGNS[info.state]} {_state(info)}"
    if info.progress is not None and info.progress.total and info.state not in model.TERMINAL:
        words += f" {info.progress.done / info.progress.total:.0%}"
    return words


def _ran(info: model.Job) -> str:
    if info.started_at is None:
        return ""
    from datetime import UTC, datetime

    return duration(((info.finished_at or datetime.now(UTC)) - info.started_at).total_seconds())
