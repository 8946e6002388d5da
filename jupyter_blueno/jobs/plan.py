"""What a job's supervisor does, as ``run.json`` says it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jupyter_blueno.jobs import request
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobSpec

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")
LOG_LIMIT = 64 << 20  # bytes of a log on disk
PROCESS_LIMIT = 512
GRACE = 5.0  # seconds between asking a job to stop and ending it
RETRY_PAUSE = 15.0  # seconds, more or less, before the second attempt; twice as many before the next


def of(config: Config, job_id: str, spec: JobSpec) -> dict[str, Any]:
    """The plan for a job; see `supervisor.py`."""
    folder = str(JobFolder.of(config, job_id).path)
    if spec.kind in ("command", "ingest"):
        argv = list(spec.command)
    else:
        argv = [request.interpreter(spec), RUNNER, folder]
    return {
        "id": job_id,
        "argv": argv,
        "cwd": str(request.working_folder(config, spec)),
        "timeout": spec.resources.timeout,
        "memory": spec.resources.memory,
        "cpu": spec.resources.cpu,
        "retries": spec.resources.retries,
        "retry_pause": RETRY_PAUSE,
        "grace": GRACE,
        "log_limit": LOG_LIMIT,
        "process_limit": PROCESS_LIMIT,
    }
