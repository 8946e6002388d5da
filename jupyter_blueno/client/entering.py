"""Getting a kernel what a job had: its folder, environment, modules and values."""

from __future__ import annotations

from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.client import session
from jupyter_blueno.jobs.inside import entering


def enter(job_id: str) -> dict[str, Any]:
    """Change to the job's folder and environment; return what its code begins with, by name.

    Raises
    ------
    NotFound
        If its folder is gone, or on another machine.
    UnreadableData
        If a value needs packages that are not here.
    """
    folder = session.home() / "jobs" / job_id
    if not (folder / "spec.json").exists():
        raise errors.NotFound(
            f"What job {job_id[:8]} ran is not on this machine (any more).", code="job_code_missing"
        )
    try:
        return entering.enter(str(folder))
    except Exception as error:
        raise errors.UnreadableData(
            f"What the job was given cannot be loaded here ({type(error).__name__}: {error}). "
            "Choose a kernel with the packages that it had.",
            code="payload_unreadable",
        ) from error
