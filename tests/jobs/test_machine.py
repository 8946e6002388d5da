"""Whatever is done to jobs of the local backend, in any order."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import JobMachine

# More of them: BLUENO_EXAMPLES=200 pytest tests/jobs/test_machine.py
EXAMPLES = int(os.environ.get("BLUENO_EXAMPLES", "6"))


@pytest.mark.slow
@pytest.mark.timeout(60 * EXAMPLES)
def test_any_order_of_steps(
    manager: JobManager, another_manager: Callable[[], JobManager], folder: Path
) -> None:
    def status_of(job_id: str) -> SupervisorStatus | None:
        return JobFolder.of(manager.config, job_id).read("status.json", SupervisorStatus)

    def kill_supervisor(job_id: str) -> None:
        status = status_of(job_id)
        if status is not None and JobFolder.of(manager.config, job_id).supervised():
            with contextlib.suppress(ProcessLookupError):
                os.kill(status.supervisor, signal.SIGKILL)

    def kill_dispatcher(_: str) -> None:
        """And all supervisors, which are forks of it; so are processes of jobs, which are spared."""
        queue = str(manager.config.home_path / "queue")
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if queue in one.cmdline() and one.pid not in of_jobs():
                    one.kill()

    def of_jobs() -> set[int]:
        found = map(status_of, (one.name for one in manager.config.folder("jobs").iterdir()))
        return {one.child for one in found if one is not None}

    managers = (manager, another_manager())
    manager.start_monitor()
    run_state_machine_as_test(
        lambda: JobMachine(managers, folder, [kill_supervisor, kill_dispatcher]),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
