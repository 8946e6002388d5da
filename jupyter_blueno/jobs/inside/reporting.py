"""What a job says of itself while it runs. Standard library only; without a job, nothing happens."""

from __future__ import annotations

import atexit
import os
import time
from _thread import allocate_lock, start_new_thread

from jupyter_blueno.jobs import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PERIOD = 0.1  # seconds between writes
BAR, FRAMEWORK, WORK = 1, 2, 3  # who says how far it is; the work itself knows best

_lock = allocate_lock()
_written = 0.0
_waiting: dict[str, Any] | None = None
_said_by = 0
_later = False  # a thread will write what waits


def folder() -> str | None:
    """The folder of the job that this process belongs to."""
    return os.environ.get("BLUENO_JOB_FOLDER") or None


def progress(done: int, total: int | None = None, message: str | None = None) -> bool:
    """Say how far the work is; as often as you like, it is written ten times a second at most.

    Parameters
    ----------
    done, total : int
        Steps. `total` is None while it is not known.
    message : str, optional
        A few words about the present step.

    Returns
    -------
    bool
        Whether there is a job to report to.
    """
    return progress_found(WORK, done, total, message)


def progress_found(by: int, done: int, total: int | None, message: str | None) -> bool:
    """The same, said by somebody else than the work: who knows less than another who spoke is not heard."""
    global _written, _waiting, _said_by, _later
    if folder() is None or by < _said_by:
        return False
    _said_by = by
    content: dict[str, Any] = {"done": int(done), "total": None if total is None else int(total)}
    if message is not None:
        content["message"] = str(message)[:500]
    with _lock:
        now = time.monotonic()
        if now - _written < PERIOD and (total is None or done < total):
            _waiting = content
            late, _later = _later, True
        else:
            _waiting, _written = None, now
            write_json("progress.json", content)
            return True
    if not late:
        try:
            start_new_thread(_write_later, ())
        except RuntimeError:  # Python is about to end: it is written then
            _later = False
    return True


def _write_later() -> None:
    global _written, _later
    time.sleep(PERIOD)
    with _lock:
        _later = False
        _written = time.monotonic()
    _flush()


@atexit.register
def _flush() -> None:
    global _waiting
    with _lock:
        if _waiting is not None:
            content, _waiting = _waiting, None
            write_json("progress.json", content)


def _anew() -> None:
    """A fork has no thread that would write, and a lock that nobody opens."""
    global _lock, _later, _waiting
    _lock, _later, _waiting = allocate_lock(), False, None


os.register_at_fork(after_in_child=_anew)


def write_json(name: str, content: dict[str, Any]) -> None:
    """Write a file of the job's folder, whole; a full disk is not the work's fault."""
    place = folder()
    if place is None:
        return
    with lean.suppress(OSError):
        lean.write_json(os.path.join(place, name), content)


def failure(error: BaseException, where: str | None = None) -> None:
    """Keep what is known of an exception, for whoever asks why the job failed; never raises."""
    try:
        from jupyter_blueno.jobs.inside import failing

        keep_failure(failing.describe(error), where)
    except Exception:  # no memory left, perhaps: its traceback is in the log
        return


def keep_failure(content: dict[str, Any], where: str | None = None) -> None:
    """Write ``failure.json``; `where` names the cell of a notebook."""
    import json

    place = folder()
    if place is None:
        return
    if where is not None and content.get("file") == "cell":
        content["file"] = where
    with lean.suppress(OSError):
        temporary = os.path.join(place, ".failure.json")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file, default=str)
        os.replace(temporary, os.path.join(place, "failure.json"))
