"""Memory and CPU: kept by a control group where there can be one, watched elsewhere. Real processes."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_blueno.jobs.engine import cgroup, limits, memory
from jupyter_blueno.jobs.engine.family import Family
from jupyter_blueno.jobs.engine.limits import Limits
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import cell, command, log, logged, start, wait
from tests.jobs.alone import alone

MB = 10**6
linux = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
grouped = pytest.mark.skipif(cgroup.place() is None, reason="no control group may be made here")

HOLD = "print('up', flush=True); input()"


@pytest.fixture
def family() -> Callable[[str], Family]:
    """Runs a text, and gives its processes once it has printed ``up``; they end with who runs it."""

    def run(text: str) -> Family:
        process = subprocess.Popen(
            [sys.executable, "-c", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        found = Family(f"NOTHING={secrets.token_hex(8)}", lambda: None)
        found.born(process.pid)
        return found

    return run


def watched(size: int) -> Limits:
    """Limits that nothing but looking keeps."""
    return Limits({"id": secrets.token_hex(16), "memory": size})


def seen_over(kept: Limits, family: Family, looks: int = 4) -> bool:
    for _ in range(looks):
        kept.looked = 0.0  # as if a moment had gone by
        if kept.exceeded(family):
            return True
    return False


@linux
@alone
def test_a_process_over_its_limit_is_seen(family: Callable[[str], Family]) -> None:
    found = family(f"x = b'x' * {200 * MB}; {HOLD}")
    kept = watched(100 * MB)
    assert seen_over(kept, found)
    assert 200 * MB <= kept.most < 250 * MB
    assert kept.verdict(signal.SIGKILL) == "out_of_memory"
    assert not seen_over(watched(400 * MB), found)


@linux
@alone
def test_what_workers_share_counts_once(family: Callable[[str], Family]) -> None:
    text = (
        "import os; x = b'x' * 200_000_000\nfor _ in range(3):\n  if os.fork() == 0: os.read(0, 1)\n" + HOLD
    )
    found = family(text)
    assert memory.at_most(found.all()) > 600 * MB
    assert 200 * MB <= memory.exact(found.all()) < 300 * MB
    assert not seen_over(watched(300 * MB), found)
    assert seen_over(watched(150 * MB), found)


@linux
@alone
def test_files_that_are_mapped_do_not_count(family: Callable[[str], Family], tmp_path: Path) -> None:
    file = tmp_path / "pixels"
    file.write_bytes(b"x" * 200_000_000)
    text = (
        f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); "
        f"sum(m[at] for at in range(0, 200_000_000, 4096)); {HOLD}"
    )
    found = family(text)
    assert memory.at_most(found.all()) < 50 * MB


@grouped
def test_the_kernel_keeps_a_group_to_its_limit() -> None:
    group = cgroup.Group.make(secrets.token_hex(16), 100 * MB, None)
    assert group is not None
    kept = Limits({"id": "x", "memory": None})
    kept.begun()
    text = "x = bytearray(300_000_000); x[::4096] = b'1' * len(x[::4096])"
    done = subprocess.run([sys.executable, "-c", text], preexec_fn=group.enter, check=False)
    assert done.returncode == -signal.SIGKILL
    assert group.kills() == 1
    assert 90 * MB < group.peak() <= 110 * MB
    group.remove()
    assert not os.path.exists(group.memory)
    # A job beside it that somebody killed meanwhile was not killed for memory.
    assert kept.verdict(signal.SIGKILL) is None


@grouped
def test_a_machine_without_memory_is_told_from_a_kill() -> None:
    group = cgroup.Group.make(secrets.token_hex(16), 100 * MB, None)
    assert group is not None
    text = """
import subprocess, sys
from jupyter_blueno.jobs.engine.limits import Limits
watching = Limits({"id": "x", "memory": None})
watching.begun()
hog = "x = bytearray(300_000_000); x[::4096] = b'1' * len(x[::4096])"
done = subprocess.run([sys.executable, "-c", hog])
print(done.returncode, watching.verdict(9), watching.verdict(0), watching.verdict(256))
"""
    done = subprocess.run([sys.executable, "-c", text], preexec_fn=group.enter, stdout=subprocess.PIPE)
    group.remove()
    assert done.stdout.split() == [b"-9", b"machine_out_of_memory", b"None", b"None"]


@grouped
def test_a_server_that_others_use_outlives_the_group() -> None:
    group = cgroup.Group.make(secrets.token_hex(16), 100 * MB, None)
    assert group is not None
    server = subprocess.Popen(["sleep", "300"], preexec_fn=group.enter)
    try:
        group.remove()
        assert not os.path.exists(group.memory)
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()


@grouped
def test_half_a_core_is_half_a_core(manager: JobManager) -> None:
    text = (
        "import time; begun = time.monotonic()\nwhile time.process_time() < 0.5: pass\n"
        "print(time.monotonic() - begun)"
    )
    job = wait(manager, start(manager, cell(text, resources=Resources(cpu=0.5))), "SUCCEEDED")
    assert float(log(manager, job)) > 0.8


@grouped
def test_a_pool_that_lost_a_worker_does_not_hang(manager: JobManager) -> None:
    text = "import os, time\nif os.fork() == 0: x = b'x' * 400_000_000\ntime.sleep(300)"
    job = wait(manager, start(manager, cell(text, resources=Resources(memory=200 * MB))), "FAILED")
    assert job.reason == "It was killed for memory at its limit of 200 MB. Run it again with 400 MB."
    assert job.finished_at is not None
    assert job.started_at is not None
    assert (job.finished_at - job.started_at).total_seconds() < limits.GRACE + 20


def test_no_more_than_the_machine_has(manager: JobManager) -> None:
    there = memory.of_machine()
    spec = command("true", resources=Resources(memory=there))
    wait(manager, start(manager, spec), "SUCCEEDED")


@pytest.mark.skipif(len(limits.usable_cores()) < 2, reason="one core has no neighbours")
def test_jobs_that_ask_for_cores_do_not_meet_on_one(manager: JobManager) -> None:
    text = "import os, time\nprint(*os.sched_getaffinity(0), flush=True)\ntime.sleep(300)"
    jobs = [start(manager, cell(text, resources=Resources(cpu=1))) for _ in range(2)]
    used = {logged(manager, job, "\n") for job in jobs}
    assert len(used) == 2
    assert all(len(one.split()) == 1 for one in used)
