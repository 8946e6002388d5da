"""Starts the process that tells somebody of a job's end (`notify.py`). Standard library only."""

from __future__ import annotations

import os
import sys

from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def have_told(folder: str, plan: dict[str, Any], went_well: bool, seconds: float) -> None:
    """Have it told, if somebody is to be told of such an end after so many seconds; waits for nothing."""
    after = plan.get("notify_after")
    if after is None or (went_well and seconds < after):
        return
    with suppress(OSError):
        if os.fork() == 0:
            with suppress(OSError):
                os.setsid()
                os.dup2(os.open(os.devnull, os.O_RDWR), 0)
                words = [sys.executable, "-I", "-m", "jupyter_blueno.jobs.notify", folder]
                os.execv(sys.executable, words)
            os._exit(127)
