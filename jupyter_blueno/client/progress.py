"""A line that says how far something is: live in a notebook and in a terminal."""

from __future__ import annotations

import os
import sys
import time
from html import escape
from types import TracebackType
from typing import Any, TextIO

from jupyter_blueno.client import look

DELAY = 0.7  # seconds before anything is shown: what is quick says nothing
EVERY = 0.1  # seconds between two paintings
WIDTH = 24  # characters of the bar


def progress(done: float, total: float | None = None, message: str | None = None) -> None:
    """Say how far the running job is; shown wherever the job is.

    Outside of a job it does nothing, so that the same code runs in a notebook.

    Parameters
    ----------
    done : float
        How much is done, in any unit; or, without `total`, a share from 0 to 1.
    total : float, optional
        How much there is.
    message : str, optional
        A few words, such as ``"epoch 3, loss 0.11"``.

    Examples
    --------
    >>> for epoch in range(5):
    ...     blueno.progress(epoch + 1, 5)
    """
    if total is None and isinstance(done, float) and 0 <= done <= 1:
        done, total = round(done * 1000), 1000
    from jupyter_blueno.jobs.inside import reporting

    reporting.progress(int(done), None if total is None else int(total), message)


class ProgressLine:
    """One line for one piece of work, painted from the loop that waits for it.

    Parameters
    ----------
    title : str
        What is going on: ``"Preparing mnist"``.
    stream : TextIO, optional
        Where a terminal's line goes (default: standard error). To a pipe only
        the words at the end are written.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self._stream = stream or sys.stderr
        self._begun = time.monotonic()
        self._painted = 0.0
        self._shown = False
        self._text = ""
        self._handle: Any = None

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(
        self, done: float | None = None, total: float | None = None, message: str | None = None
    ) -> None:
        """Paint the present state, unless the last painting was just now."""
        now = time.monotonic()
        if now - self._begun < DELAY or now - self._painted < EVERY:
            return
        self._painted = now
        self._paint(done, total, message, now - self._begun)

    def close(self, words: str | None = None) -> None:
        """Leave `words` in place of the line, if it was ever shown; without words it goes."""
        if not self._shown:
            return
        self._shown = False
        if self._handle is not None:
            self._handle.update(_Both(words or "", f"<div style='{_SMALL}'>{escape(words or '')}</div>"))
        elif self._stream.isatty():
            self._stream.write("\r\x1b[2K" + (f"{words}\n" if words else ""))
            self._stream.flush()
        elif words:
            self._stream.write(f"{words}\n")
            self._stream.flush()

    def _paint(self, done: float | None, total: float | None, message: str | None, age: float) -> None:
        share = min(1.0, done / total) if done is not None and total else None
        counts = "" if done is None else f"{done:,.0f}" + (f" of {total:,.0f}" if total else "")
        percent = "" if share is None else f"{share:.0%}"
        left = _left(share, age)
        words = " · ".join(part for part in (counts, message or "", left) if part)
        if in_notebook():
            self._paint_html(share, percent, words)
            return
        if not self._stream.isatty():
            self._shown = True  # then `close` leaves its words
            return
        bar = "" if share is None else "▮" * round(share * WIDTH) + "▯" * (WIDTH - round(share * WIDTH)) + " "
        text = f"{self.title}  {bar}{percent}{'  ' if percent else ''}{words}".rstrip()
        self._stream.write("\r\x1b[2K" + text[: _columns(self._stream) - 1])
        self._stream.flush()
        self._shown = True

    def _paint_html(self, share: float | None, percent: str, words: str) -> None:
        value = "" if share is None else f" value='{share:.4f}'"
        html = (
            f"<div style='{_SMALL}'><span>{escape(self.title)}</span> "
            f"<progress max='1'{value} style='width:16em;vertical-align:middle'></progress> "
            f"{percent} <span style='color:var(--jp-ui-font-color2,#666)'>{escape(words)}</span></div>"
        )
        both = _Both(f"{self.title}  {percent}  {words}".rstrip(), html)
        if self._handle is None:
            self._handle = look.display(both, display_id=True)
        else:
            self._handle.update(both)
        self._shown = True


_SMALL = "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px)"


class _Both:
    """Text for every program, HTML for those that can."""

    def __init__(self, text: str, html: str) -> None:
        self._text = text
        self._html = html

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self._text, "text/html": self._html}


def in_notebook() -> bool:
    """Whether what is displayed here goes to a notebook (a kernel with a front end)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _left(share: float | None, age: float) -> str:
    if share is None or not 0.02 < share < 1 or age < 2:
        return ""
    return f"~{duration(age / share - age)} left"


def duration(seconds: float) -> str:
    """``8 s``, ``2:14``, ``1:02:03``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 86400:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 86400} d {whole // 3600 % 24} h"


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80
