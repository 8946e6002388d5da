"""Server, supervisors, dispatcher and database are killed while jobs run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal

import psutil
import pytest

from jupyter_blueno.api.jobs import JobRef, LogRange, SubmitJob, get_job, get_log, submit_job
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
        found = self._said("supervisor")
        return self._kill([one for one in self._dispatched() if one.pid in found])

    def dispatcher(self) -> bool:
        others = self._said("supervisor") | self._said("child")  # forks of it
        return self._kill([one for one in self._dispatched() if one.pid not in others])

    def database(self) -> bool:
        return self._kill(servers_of(self.lab.home))

    def _kill(self, found: list[psutil.Process]) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):  # it ended by itself
            self.chance.choice(found).kill()
            return True
        return False

    def _dispatched(self) -> list[psutil.Process]:
        """The dispatcher, and its forks: supervisors, and the first process of a command."""
        queue = str(self.lab.home / "queue")
        return [one for one in psutil.process_iter() if queue in command_of(one)]

    def _said(self, what: str) -> set[int]:
        found = set()
        for path in (self.lab.home / "jobs").glob("*/status.json"):
            with contextlib.suppress(OSError):
                found.add(json.loads(path.read_text())[what])
        return found


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.slow
@pytest.mark.timeout(max(300, 2 * JOBS))
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
    assert storm.verdicts() == []
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
