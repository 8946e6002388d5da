"""Jobs in a cluster whose parts are killed one after the other: none is lost, none runs twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, JobSpec
from jupyter_blueno.jobs.testing import JobMachine, Storm
from tests.cluster.jobs import Space, another_manager, folder, manager, space
from tests.database.clients import servers_of
from tests.servers import Lab

__all__ = ["another_manager", "folder", "manager", "space"]

pytestmark = pytest.mark.slow

# More of them: BLUENO_EXAMPLES=50 BLUENO_STORM=300 scripts/test tests/cluster/test_job_storm.py
EXAMPLES = int(os.environ.get("BLUENO_EXAMPLES", "2"))
JOBS = int(os.environ.get("BLUENO_STORM", "24"))
PARTS = ("apiserver", "controller-manager", "scheduler", "kubelet")


def kill(space: Space, part: str) -> bool:
    """Kill a part of the cluster, which starts again by itself; False if it is just down."""
    assert space.cluster.node is not None
    try:
        os.kill(space.cluster.node.pid(part), signal.SIGKILL)
    except (ProcessLookupError, ValueError):
        return False
    return True


@pytest.fixture
def open_files() -> Iterator[None]:
    """What is written from here on can be written by the pods, too, which have another user."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.timeout(240 * EXAMPLES)
@pytest.mark.usefixtures("open_files")
def test_any_order_of_steps(
    manager: JobManager, another_manager: Callable[[], JobManager], folder: Path, space: Space
) -> None:
    managers = (manager, another_manager())
    manager.start_monitor()
    faults = [lambda _, part=part: kill(space, part) for part in PARTS]
    run_state_machine_as_test(
        lambda: JobMachine(managers, folder, faults),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.fixture
def clustered_lab(tmp_path: Path, space: Space, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A Lab whose jobs are pods."""
    home, root = tmp_path / "home", tmp_path / "root"
    for one in (home, root):
        one.mkdir()
    root.chmod(0o777)
    pods = tmp_path / "pods.json"
    pods.write_text(json.dumps(msgspec.to_builtins(space.template(home, root))))
    environment = {
        "KUBECONFIG": str(space.cluster.kubeconfig),
        "BLUENO_JOBS_BACKEND": "kubernetes",
        "BLUENO_JOBS_NAMESPACE": space.namespace,
        "BLUENO_JOBS_PODS": str(pods),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    running = Lab(root=root, home=home)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


@pytest.mark.timeout(max(400, 10 * JOBS))
def test_nothing_is_lost_or_run_twice(clustered_lab: Lab, space: Space) -> None:
    http = clustered_lab.transport

    def submit(job_id: str, name: str, spec: JobSpec) -> Job:
        return http.call(submit_job, SubmitJob(job_id, name, spec))

    def server() -> None:
        clustered_lab.stop(signal.SIGKILL)
        clustered_lab.start()

    def database() -> bool:
        found = servers_of(clustered_lab.home)
        for one in found[:1]:
            one.kill()
        return bool(found)

    faults: dict[str, Callable[[], object]] = {"server": server, "database": database}
    faults |= {part: lambda part=part: kill(space, part) for part in PARTS}
    record = clustered_lab.root / "record"
    record.touch()
    record.chmod(0o666)
    storm = Storm(
        record,
        submit,
        lambda job_id: http.call(get_job, JobRef(job_id)),
        lambda job_id: http.call(get_log, LogRange(job_id)).body.decode(),
        faults,
    )
    storm.run(JOBS, every=2.0, patience=max(240.0, 5 * JOBS))
    print(dict(storm.done))
    wrong = storm.verdicts()
    assert wrong == [], "\n".join(wrong)
    assert sum(storm.done.values()) >= 3
