"""Jobs of a real server, which may die."""

from __future__ import annotations

import os
import secrets
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_blueno.api.jobs import (
    JobRef,
    OutputRange,
    SubmitJob,
    cancel_job,
    get_job,
    list_jobs,
    list_outputs,
    submit_job,
)
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.jobs.model import TERMINAL, JobPage
from jupyter_blueno.jobs.testing import cell, command, until
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


@pytest.mark.timeout(300)  # it starts a Lab of its own
def test_two_servers_on_one_database_agree(lab: Lab) -> None:
    twin = Lab(root=lab.root, home=lab.home)
    twin.start()
    try:
        https = (lab.transport, twin.transport)
        count = command("sh", "-c", "echo once >> twins", folder=str(lab.root))
        ids = [secrets.token_hex(16) for _ in range(6)]
        with ThreadPoolExecutor(6) as threads:  # each is sent to both, at the same time
            for http in https * 2:
                for job_id in ids:
                    threads.submit(http.call, submit_job, SubmitJob(job_id, "twin", count))
        for http in https:
            for job_id in ids:
                until(lambda: http.call(get_job, JobRef(job_id)).state == "SUCCEEDED", "the jobs")  # noqa: B023
        assert (lab.root / "twins").read_text() == "once\n" * 6
        job = https[0].call(submit_job, SubmitJob(secrets.token_hex(16), "long", command("sleep", "600")))
        https[1].call(cancel_job, JobRef(job.id))
        until(lambda: https[0].call(get_job, JobRef(job.id)).state == "CANCELLED", "the cancellation")
    finally:
        twin.stop()
    assert lab.transport.call(get_job, JobRef(ids[0])).state == "SUCCEEDED"
