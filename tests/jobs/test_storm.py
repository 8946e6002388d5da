"""Server, supervisors, dispatcher and database are killed while jobs run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal

import psutil
import pytest

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.jobs.engine import processes
from jupyter_blueno.jobs.model import Job, JobSpec
from jupyter_blueno.jobs.testing import Storm, until
from tests.database.clients import servers_of
from tests.servers import Lab

# 1,000 jobs, for minutes: BLUENO_STORM=1000 pytest tests/jobs/test_storm.py
JOBS = int(os.environ.get("BLUENO_STORM", "48"))


class Kills:
    """What may be killed on this machine, all of one data folder."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.chance = random.Random(1)

    def server(self) -> None:
        self.lab.stop(signal.SIGKILL)
        self.lab.start()

    def supervisor(self) -> bool:
        return self._kill(self._supervisors())

    def dispatcher(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.lab.home / "queue" / "lock").read_text())
            return str(self.lab.home / "queue") in command_of(pid) and self._kill([pid])
        return False

    def database(self) -> bool:
        return self._kill([one.pid for one in servers_of(self.lab.home)])

    def _kill(self, found: list[int]) -> bool:
        with contextlib.suppress(ProcessLookupError, IndexError):  # it ended by itself
            os.kill(self.chance.choice(found), signal.SIGKILL)
            return True
        return False

    def _supervisors(self) -> list[int]:
        """Those that live: what was one long ago may be a job's own process, or anybody's, by now."""
        found = []
        for path in (self.lab.home / "jobs").glob("*/status.json"):
            with contextlib.suppress(OSError):
                said = json.loads(path.read_text())
                if processes.identity(said["supervisor"]) == said["supervisor_identity"]:
                    found.append(said["supervisor"])
        return found


def command_of(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


@pytest.mark.slow
@pytest.mark.timeout(max(300, 4 * JOBS))
def test_nothing_is_lost_or_run_twice(own_lab: Lab) -> None:
    http = own_lab.transport

    def submit(job_id: str, name: str, spec: JobSpec) -> Job:
        return http.call(submit_job, SubmitJob(job_id, name, spec))

    def read_log(job_id: str) -> str:
        return http.call(get_log, LogRange(job_id)).body.decode()

    kills = Kills(own_lab)
    storm = Storm(
        own_lab.root / "record",
        submit,
        lambda job_id: http.call(get_job, JobRef(job_id)),
        read_log,
        {
            "server": kills.server,
            "supervisor": kills.supervisor,
            "dispatcher": kills.dispatcher,
            "database": kills.database,
        },
    )
    storm.run(JOBS, every=0.7, patience=max(120.0, JOBS))
    print(dict(storm.done))
    found = storm.verdicts()
    assert found == [], "\n".join(found)
    assert sum(storm.done.values()) >= 3
    until(lambda: left_of(storm) == [], "the processes of the jobs to end")


def left_of(storm: Storm) -> list[int]:
    ids = set(storm.ids)
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get("BLUENO_JOB_ID") in ids:
                found.append(one.pid)
        except psutil.Error:
            continue
    return found
