"""Numbers that a job measures while it runs. Standard library only; without a job, nothing happens."""

from __future__ import annotations

import atexit
import os
import sys
import time
from _thread import allocate_lock, start_new_thread

from jupyter_blueno.jobs import points
from jupyter_blueno.jobs.inside import reporting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PERIOD = 0.1  # seconds between writes of who logs all the time
AT_ONCE = 20  # writes in a row that need not wait for it
NEWEST = 4  # metrics whose newest value is seen from outside, without the curves
NEWEST_PERIOD = 0.5
NAMES = 2000  # curves of a process
NAME_LENGTH = 200
COMPLAINTS = 10
WORK = "work"


class _State:
    """What this process has logged; a fork begins anew."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.writer: points.Writer | None = None
        self.allowed = float(AT_ONCE)
        self.flushed = 0.0
        self.later = False  # a thread will flush
        self.newest: dict[str, float | str] = {}
        self.newest_changed = False
        self.newest_written = 0.0
        self.complained: set[str] = set()
        self.source: dict[str, str] = {}  # who logs a metric: several may tell of the same


_state = _State()


def log_metric(name: str, value: Any, step: float | None = None) -> bool:
    """Add a point to a curve of the running job; shown live wherever the job is.

    As often as you like: it is written ten times a second at most. Outside of a
    job it does nothing, so that the same code runs in a notebook.

    Parameters
    ----------
    name : str
        Such as ``"loss"`` or ``"val/accuracy"``; ``loss`` and ``val_loss`` share a chart.
    value : number
        Also a NumPy, PyTorch or TensorFlow scalar. NaN and infinity are kept.
    step : number, optional
        Default: one more than the last of this name, from 0.

    Returns
    -------
    bool
        Whether it was kept. A value that is no number is not; a line in the
        log says so, and the work goes on.

    Examples
    --------
    >>> blueno.log_metric("loss", 0.25)
    >>> blueno.log_metrics({"loss": 0.25, "accuracy": 0.9}, step=3)
    """
    return log_metrics({name: value}, step)


def log_metrics(values: Mapping[str, Any], step: float | None = None) -> bool:
    """Add a point to several curves at once; see `log_metric`."""
    return _log(WORK, values, step)


def log_found(source: str, values: Mapping[str, Any], step: float | None) -> None:
    """Log what a framework tells of; of what the work or another one logs already, nothing."""
    known = _state.source
    new = {name: value for name, value in values.items() if known.setdefault(name, source) == source}
    _log(source, new, step)


def _log(source: str, values: Mapping[str, Any], step: float | None) -> bool:
    folder = reporting.folder()
    if folder is None:
        return False
    try:
        pairs = list(values.items())
    except AttributeError:
        _complain("", f"log_metrics takes a dictionary of names and numbers, not {_kind(values)}.")
        return False
    now = time.time()
    at = None if step is None else _number("", step, "a step")
    if at is None and step is not None:
        return False
    kept = True
    state = _state
    for name, value in pairs:
        number = value if type(value) is float else _number(name, value, "a value")
        if number is None or not _named(name):
            kept = False
            continue
        state.source[name] = source
        with state.lock:
            if state.writer is None:
                state.writer = _begin(folder)
            state.writer.add(name, number, at, now)
            if name in state.newest or len(state.newest) < NEWEST:
                finite = number - number == 0
                state.newest[name] = number if finite else _word(number)
                state.newest_changed = True
    _write_soon()
    return kept


def _begin(folder: str) -> points.Writer:
    if "multiprocessing.util" in sys.modules:  # its processes end without `atexit`
        from multiprocessing import util

        util.Finalize(None, finish, exitpriority=0)
    return points.Writer(os.path.join(folder, "metrics"))


def _write_soon() -> None:
    """Write now, or, where that was often lately, in a moment and all at once."""
    state = _state
    now = time.monotonic()
    with state.lock:
        state.allowed = min(AT_ONCE, state.allowed + (now - state.flushed) / PERIOD)
        if state.allowed >= 1:
            state.allowed -= 1
            state.flushed = now
            _flush(now)
            if not state.newest_changed:
                return
        if state.later:
            return
        state.later = True
    try:
        start_new_thread(_flush_later, (state,))
    except RuntimeError:  # no thread can be had, or Python is about to end: it is written then
        state.later = False


def _flush_later(state: _State) -> None:
    while True:
        time.sleep(PERIOD)
        with state.lock:
            now = state.flushed = time.monotonic()
            _flush(now)
            if not state.newest_changed:
                state.later = False
                return


def _flush(now: float) -> None:
    state = _state
    if state.writer is not None:
        state.writer.flush()
    if state.newest_changed and now - state.newest_written >= NEWEST_PERIOD:
        state.newest_changed, state.newest_written = False, now
        reporting.write_json("metrics.json", state.newest)


@atexit.register
def finish() -> None:
    """Write all of it: the process ends."""
    state = _state
    with state.lock:
        if state.writer is not None:
            state.writer.finish()
        if state.newest_changed:
            state.newest_changed = False
            reporting.write_json("metrics.json", state.newest)


def _anew() -> None:
    global _state
    _state = _State()


os.register_at_fork(after_in_child=_anew)


def _number(name: object, value: Any, what: str) -> float | None:
    """`value` as a number; None, and a line in the log, if it is none."""
    try:
        if isinstance(value, str | bytes | bytearray):
            raise TypeError
        alone = getattr(value, "item", None)  # of an array or tensor with one number
        return float(value if alone is None else alone())
    except Exception:
        shape = getattr(value, "shape", None)
        size = f" of shape {tuple(shape)}" if isinstance(shape, tuple) and shape else ""
        whose = f" of {str(name)[:NAME_LENGTH]!r}" if name else ""
        hint = "; log its mean, say, or each number by a name of its own" if size else ""
        _complain(str(name)[:NAME_LENGTH], f"{what}{whose} is one number, not {_kind(value)}{size}{hint}.")
        return None


def _named(name: Any) -> bool:
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LENGTH:
        _complain("", f"a metric's name is a text of 1 to {NAME_LENGTH} letters, not {str(name)[:80]!r}.")
        return False
    known = _state.writer.lines if _state.writer is not None else {}
    if name not in known and len(known) >= NAMES:
        _complain("", f"there are {NAMES} metrics already; {name!r} and further new ones are left out.")
        return False
    return True


def _kind(value: object) -> str:
    return "nothing (None)" if value is None else f"{type(value).__name__}"


def _word(value: float) -> str:
    """What JSON has no number for, as Python and JavaScript read it."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _complain(about: str, sentence: str) -> None:
    """Say it once in the log."""
    said = _state.complained
    if about not in said and len(said) < COMPLAINTS:
        said.add(about)
        print(f"blueno: {sentence}", file=sys.stderr)
