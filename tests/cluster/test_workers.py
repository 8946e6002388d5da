"""Jobs of several workers in a cluster: what befalls one pod befalls the job, once."""

from __future__ import annotations

import pytest

from jupyter_blueno.jobs.backends.kubernetes.objects import name_of
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import ALICE, cell, command, start, until, wait
from tests.cluster.jobs import Space, another_manager, folder, manager, space
from tests.cluster.test_job_faults import UP, open_gate, pods_of, reason_has

__all__ = ["another_manager", "folder", "manager", "space"]

pytestmark = pytest.mark.slow

TWO = Resources(workers=2)


def test_a_worker_that_is_deleted_has_all_begin_anew(manager: JobManager, space: Space) -> None:
    job = start(manager, command("sh", "-c", f"echo on $MASTER_ADDR; {UP}", resources=TWO))
    record = manager.record(ALICE, job.id)

    def begun(times: int) -> bool:
        return all(record.log(0, 10_000, rank)[0].count(b"up\n") == times for rank in (0, 1))

    until(lambda: begun(1), "both to run")
    assert {one.host for one in record.workers()} == {pods_of(space, job)[0]["spec"]["nodeName"]}
    policy = space.get(f"networkpolicy/{name_of(job.id)}")
    assert policy["spec"]["ingress"][0]["from"] == [{"podSelector": policy["spec"]["podSelector"]}]
    space.run(
        "delete", "pod", f"--selector=batch.kubernetes.io/job-completion-index=1,blueno.dev/job={job.id}"
    )
    until(lambda: begun(2), "both to begin anew")
    reason_has(manager, job, "the machine that rank 1 ran on was taken from it")
    open_gate(manager)
    assert wait(manager, job, "SUCCEEDED").attempt == 2


def test_a_worker_without_a_place_is_waited_for_and_explained(manager: JobManager, space: Space) -> None:
    space.run("create", "quota", "few", "--hard=pods=1")
    try:
        job = start(manager, command("sh", "-c", UP, resources=TWO))
        said = reason_has(manager, job, "1 of 2 workers are up.")
        assert "The quota 'few' allows 1 of pods in all" in said
        assert manager.get(ALICE, job.id).state == "QUEUED"
    finally:
        space.run("delete", "quota", "few")
    open_gate(manager)
    assert wait(manager, job, "SUCCEEDED").attempt == 1


def test_a_worker_that_the_kernel_ends_for_memory_is_named(manager: JobManager, space: Space) -> None:
    text = "import os, time\nif os.environ['RANK'] == '1': x = b'x' * 600_000_000\ntime.sleep(600)"
    spec = cell(text, resources=Resources(workers=2, memory=300_000_000))
    job = wait(manager, start(manager, spec), "FAILED")
    assert job.failure is not None
    assert job.failure.sentence.startswith(
        "Rank 1 of 2 workers ended, and the others with it: It was killed for"
    )
    assert job.failure.suggestion is not None
    assert job.failure.suggestion.resources == Resources(workers=2, memory=600_000_000)
