"""What a job uses, measured by its supervisor."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.engine.family import Family
from jupyter_blueno.jobs.engine.gpus import Gpus
from jupyter_blueno.jobs.engine.processes import LINUX
from jupyter_blueno.jobs.engine.usage import Memory, Usage
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.readings import Curve
from jupyter_blueno.jobs.testing import ALICE, cell, command, start, until, wait
from tests.gpus import stand_in
from tests.jobs.alone import alone

pytestmark = pytest.mark.skipif(not LINUX, reason="usage is read from /proc")
MB = 1 << 20


def usage(manager: JobManager, job_id: str) -> dict[str, Curve]:
    return {one.name: one for one in manager.record(ALICE, job_id).curves("usage").curves}


def test_work_memory_and_processes_are_seen(manager: JobManager, folder: Path) -> None:
    source = """
import os, time
held = bytearray(os.urandom(1 << 20) * 100)
if os.fork() == 0:
    while True: pass
while not os.path.exists("enough"): time.sleep(0.02)
"""
    job = start(manager, cell(source, folder=str(folder)))

    def settled() -> bool:  # what processes share is found out now and then
        seen = {name: one.values[-1] for name, one in usage(manager, job.id).items()}
        # Both processes have it; it is counted once.
        return seen.get("processes") == 2 and 100 * MB < seen["memory"] < 190 * MB

    until(settled)
    found = usage(manager, job.id)
    (folder / "enough").touch()
    wait(manager, job, "SUCCEEDED")
    assert set(found) == {"cpu", "memory", "disk_read", "disk_write", "processes"}
    cores = max(found["cpu"].values)
    assert 0.1 < cores < 1.5  # one that never rests, on a machine that may be busy
    assert 1 <= found["cpu"].steps[0] < 30


def test_what_is_written_is_seen(manager: JobManager, folder: Path) -> None:
    source = """
import os, time
with open("large", "wb") as file:
    while not os.path.exists("enough"):
        file.write(os.urandom(1 << 20)); file.flush(); os.fsync(file.fileno()); file.seek(0)
"""
    job = start(manager, cell(source, folder=str(folder)))
    until(lambda: any(one > MB for one in getattr(usage(manager, job.id).get("disk_write"), "values", [])))
    (folder / "enough").touch()
    wait(manager, job, "SUCCEEDED")


def test_another_supervisor_goes_on_measuring(
    manager: JobManager, another_manager: Callable[[], JobManager]
) -> None:
    job = start(manager, command("sleep", "100"))
    manager.start_monitor()
    until(lambda: usage(manager, job.id))
    status = JobFolder.of(manager.config, job.id).read("status.json", SupervisorStatus)
    assert status is not None
    os.kill(status.supervisor, signal.SIGKILL)
    count = usage(manager, job.id)["memory"].count
    until(lambda: usage(manager, job.id)["memory"].count > count, "a sample of the next supervisor")
    assert max(usage(manager, job.id)["cpu"].values) < 1  # and no jump where the totals began anew
    manager.cancel(ALICE, job.id)
    wait(manager, job, "CANCELLED")


@alone
def test_looks_become_rare(tmp_path: Path) -> None:
    """The curves of long jobs stay small, and looking is no load."""
    family = Family("BLUENO_JOB_ID=none", lambda: None)
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    family.born(child)
    try:
        meter = Usage(str(tmp_path), family, None)
        age, looks = 0.0, 0
        while age < 3600:
            before = meter.next
            age = max(meter.next, age + 0.5)
            meter.look(age)
            looks += meter.next != before
        assert 100 < looks < 1600  # of an hour; of a week 4,000
        assert (tmp_path / "usage" / "0000.points").stat().st_size < MB
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_shared_pages_are_counted_once() -> None:
    with mmap.mmap(-1, 64 * MB) as shared:
        shared.write(b"x" * (64 * MB))
        alone = Memory().of({os.getpid()})
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
        try:
            together = Memory().of({os.getpid(), *children})
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        assert together < alone + 32 * MB


def test_without_nvidia_there_are_no_gpus() -> None:
    if os.path.exists("/dev/nvidiactl"):
        assert set(Gpus(["0"]).sample()) == {"gpu", "gpu_memory"}
        return
    assert Gpus(["0"]).sample() == {}


def test_all_gpus_that_can_be_seen_are_asked(tmp_path: Path) -> None:
    environment, busy = stand_in(tmp_path)
    busy.write_text("30")
    source = "from jupyter_blueno.jobs.engine.gpus import EVERY, Gpus\n"
    source += "print(Gpus([EVERY]).sample(), Gpus(['1']).sample())"
    around = {**os.environ, **environment}
    said = subprocess.run(
        [sys.executable, "-c", source], env=around, capture_output=True, text=True, check=True
    )
    both, second = {"gpu": 0.6, "gpu_memory": 2.0 * (1 << 30)}, {"gpu": 0.3, "gpu_memory": 1.0 * (1 << 30)}
    assert said.stdout == f"{both} {second}\n"
