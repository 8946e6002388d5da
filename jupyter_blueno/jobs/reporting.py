"""What a job says of itself while it runs. Standard library only; without a job, nothing happens."""

from __future__ import annotations

import atexit
import os
import time
from _thread import allocate_lock

from jupyter_blueno.jobs import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PERIOD = 0.1  # seconds between writes

_lock = allocate_lock()
_written = 0.0
_waiting: dict[str, Any] | None = None


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
    global _written, _waiting
    if folder() is None:
        return False
    content: dict[str, Any] = {"done": int(done), "total": None if total is None else int(total)}
    if message is not None:
        content["message"] = str(message)[:500]
    with _lock:
        now = time.monotonic()
        if now - _written < PERIOD and (total is None or done < total):
            _waiting = content
            return True
        _waiting, _written = None, now
        write_json("progress.json", content)
    return True


@atexit.register
def _flush() -> None:
    with _lock:
        if _waiting is not None:
            write_json("progress.json", _waiting)


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
        from jupyter_blueno.jobs import failing

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
