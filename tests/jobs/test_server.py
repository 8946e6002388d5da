"""Jobs of a real server, which may die."""

from __future__ import annotations

import os
import secrets
import signal

from jupyter_blueno.api.jobs import (
    JobRef,
    LogRange,
    OutputRange,
    SubmitJob,
    get_job,
    get_log,
    list_jobs,
    list_outputs,
    submit_job,
)
from jupyter_blueno.jobs.model import TERMINAL, JobPage
from jupyter_blueno.jobs.testing import cell, until
from tests.servers import Lab

SOURCE = """
import os
open("runs", "a").write("once\\n")
print("up", flush=True)
open("gate").read()
print("down")
6 * 7
"""


def test_a_job_ends_while_its_server_is_dead(own_lab: Lab) -> None:
    os.mkfifo(own_lab.root / "gate")
    job_id = secrets.token_hex(16)
    spec = cell(SOURCE, folder=str(own_lab.root))
    http = own_lab.transport
    http.call(submit_job, SubmitJob(job_id, "survivor", spec))
    until(lambda: http.call(get_log, LogRange(job_id)).body == b"up\n", "the first line")
    until(lambda: http.call(get_job, JobRef(job_id)).state == "RUNNING", "the state")
    own_lab.stop(signal.SIGKILL)
    (own_lab.root / "gate").write_text("go")
    until((own_lab.home / "jobs" / job_id / "exit.json").exists, "the end of the job")

    own_lab.start()

    def ended() -> bool:  # by the list: no question about this very job brings it up to date
        return http.call(list_jobs, JobPage()).jobs[0].state in TERMINAL

    until(ended, "the monitor to see the end")
    (job,) = http.call(list_jobs, JobPage()).jobs
    assert (job.id, job.state, job.exit_code, job.attempt) == (job_id, "SUCCEEDED", 0, 1)
    (output,) = http.call(list_outputs, OutputRange(job_id)).outputs
    assert (output.role, output.data) == ("result", {"text/plain": "42"})
    assert http.call(get_log, LogRange(job_id)).body == b"up\ndown\n"
    again = http.call(submit_job, SubmitJob(job_id, "survivor", spec))  # its answer may have been lost
    assert again.state == "SUCCEEDED"
    assert (own_lab.root / "runs").read_text() == "once\n"
