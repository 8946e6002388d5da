"""What a cluster does to jobs: none is lost, none runs twice at a time, and each end is put in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.backends.kubernetes import objects, reading
from jupyter_blueno.jobs.backends.kubernetes.backend import KubernetesBackend
from jupyter_blueno.jobs.backends.kubernetes.objects import JOB
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, Job, JobSpec, Resources
from jupyter_blueno.jobs.testing import ALICE, cell, command, log, logged, start, until, wait
from tests.cluster.jobs import Space, account, another_manager, folder, manager, settings, space

__all__ = ["account", "another_manager", "folder", "manager", "space"]

pytestmark = pytest.mark.slow

Make = Callable[[], JobManager]
UP = 'echo up; while [ ! -e "$BLUENO_HOME/gate" ]; do sleep 0.1; done; echo done'


def held() -> JobSpec:
    """Runs until the gate is open."""
    return command("sh", "-c", UP)


def open_gate(manager: JobManager) -> None:
    (manager.config.home_path / "gate").touch()


def pods_of(space: Space, job: Job) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        space.run("get", "pods", "--output=json", f"--selector={JOB}={job.id}")
    )["items"]
    return found


def running_pod(space: Space, job: Job) -> str:
    def one() -> str | None:
        names = [
            pod["metadata"]["name"] for pod in pods_of(space, job) if pod["status"]["phase"] == "Running"
        ]
        return names[0] if names else None

    return str(until(one, "a pod that runs"))


def reason_has(manager: JobManager, job: Job, words: str) -> str:
    def said() -> str | None:
        reason = manager.get(ALICE, job.id).reason or ""
        return reason if words in reason else None

    return str(until(said, f"{words!r}, but it says {manager.get(ALICE, job.id).reason!r}"))


# -- what is taken away ------------------------------------------------------------


def test_a_pod_that_is_evicted_goes_on_as_another(manager: JobManager, space: Space) -> None:
    job = start(manager, held())
    logged(manager, job, "up")
    pod = running_pod(space, job)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": space.namespace},
    }
    path = f"/api/v1/namespaces/{space.namespace}/pods/{pod}/eviction"
    space.cluster.run("create", "--raw", path, "--filename=-", given=json.dumps(eviction))
    logged(manager, job, "taken from the machine that it ran on")
    assert manager.get(ALICE, job.id).state == "RUNNING"
    reason_has(manager, job, "Attempt 2 of 2")
    open_gate(manager)
    job = wait(manager, job, "SUCCEEDED")
    assert job.attempt == 2
    assert log(manager, job).count("done") == 1


def test_a_pod_that_somebody_deletes_goes_on_as_another(manager: JobManager, space: Space) -> None:
    job = start(manager, held())
    logged(manager, job, "up")
    space.run("delete", "pod", running_pod(space, job), "--wait=false")
    logged(manager, job, "The next begins.")
    open_gate(manager)
    assert wait(manager, job, "SUCCEEDED").attempt == 2


def test_a_job_that_somebody_deletes_is_lost_and_says_so(manager: JobManager, space: Space) -> None:
    job = start(manager, held())
    logged(manager, job, "up")
    space.run("delete", "job", f"blueno-{job.id}", "--wait=false")
    job = wait(manager, job, "LOST")
    assert "deleted from the cluster by somebody, while it ran" in (job.reason or "")
    # The pod may be listed for a moment longer, but nothing of it runs.
    assert {pod["status"]["phase"] for pod in pods_of(space, job)} <= {"Succeeded", "Failed"}


def test_a_container_that_is_killed_is_lost_and_says_where(manager: JobManager, space: Space) -> None:
    job = start(manager, held())
    logged(manager, job, "up")
    running_pod(space, job)
    assert space.cluster.node is not None
    (status,) = pods_of(space, job)[0]["status"]["containerStatuses"]
    container = status["containerID"].removeprefix("containerd://")
    space.cluster.node.ctr("tasks", "kill", "--signal", "SIGKILL", container)
    job = wait(manager, job, "LOST")
    assert "was killed on the node" in (job.reason or "")


# -- what is not there -----------------------------------------------------------------


def test_an_image_that_is_not_there(
    config: Config, space: Space, folder: Path, another_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "HOPELESS_PATIENCE", 2.0)
    fields = {"image": "localhost/nobody-made-this:1", "pull_policy": "Never"}
    settings(config, space, space.template(config.home_path, folder, **fields))
    manager = another_manager()
    job = wait(manager, start(manager, command("true")), "FAILED")
    assert job.failure is not None
    assert job.failure.kind == "not_started"
    assert "'localhost/nobody-made-this:1' is not on the node" in job.failure.sentence
    assert pods_of(space, job) == []


def test_an_image_without_its_python(
    config: Config, space: Space, folder: Path, another_manager: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "STARTS", 1)  # the cluster waits ever longer in between
    settings(config, space, space.template(config.home_path, folder, python="/nowhere/python"))
    manager = another_manager()
    job = wait(manager, start(manager, command("true")), "FAILED")
    assert job.failure is not None
    assert job.failure.kind == "not_started"
    assert "/nowhere/python" in job.failure.sentence


def test_what_waits_for_a_quota_says_so(manager: JobManager, space: Space) -> None:
    space.run("create", "quota", "team", "--hard=requests.memory=1500Mi")
    try:
        first, second = (start(manager, held(), name) for name in ("first", "second"))
        waits = next(
            one
            for one in until(
                lambda: [
                    one for one in (first, second) if "quota" in (manager.get(ALICE, one.id).reason or "")
                ],
                "a job that the quota holds back",
            )
        )
        said = manager.get(ALICE, waits.id)
        assert said.state == "QUEUED"
        assert "The quota 'team' allows 1.57 GB of memory in all" in (said.reason or "")
        open_gate(manager)
        for one in (first, second):
            wait(manager, one, "SUCCEEDED")
    finally:
        space.run("delete", "quota", "team")


def test_what_waits_for_room_says_so(manager: JobManager, space: Space) -> None:
    real = "--selector=type!=kwok"  # the memory of simulated nodes is nobody's
    there = space.run("get", "nodes", real, "--output=jsonpath={.items[*].status.allocatable.memory}")
    most = int(0.6 * max(int(one.removesuffix("Ki")) * 1024 for one in there.split()))
    resources = Resources(memory=most)
    jobs = [start(manager, command("sh", "-c", UP, resources=resources), f"job {n}") for n in range(2)]
    waits = until(
        lambda: [
            one for one in jobs if "too little free memory" in (manager.get(ALICE, one.id).reason or "")
        ],
        "a job without room",
    )
    assert len(waits) == 1
    assert manager.get(ALICE, waits[0].id).state == "QUEUED"
    manager.cancel(ALICE, waits[0].id)
    wait(manager, waits[0], "CANCELLED")
    open_gate(manager)
    (other,) = (one for one in jobs if one.id != waits[0].id)
    wait(manager, other, "SUCCEEDED")


def test_what_no_node_has_is_refused(manager: JobManager) -> None:
    with pytest.raises(InvalidInput, match="The largest node of the cluster has"):
        start(manager, command("true", resources=Resources(memory=99 * 10**12)))
    with pytest.raises(InvalidInput, match="no GPU"):
        start(manager, command("true", resources=Resources(gpu=3)))


# -- what is full ------------------------------------------------------------------------------


@pytest.fixture
def full_soon(config: Config, folder: Path, space: Space, tmp_path: Path) -> Iterator[None]:
    """The jobs' folders on a disk of 4 MB, which this machine and the node both have."""
    assert space.cluster.node is not None
    place = config.folder("jobs")
    with space.cluster.node.disk(tmp_path / "disk", place, "4M"):
        place.chmod(0o777)
        # A mount below another one is not seen through that.
        settings(config, space, space.template(config.home_path, place, folder))
        yield


@pytest.mark.parametrize("kind", ["cell", "command"])
def test_a_volume_that_a_job_s_log_fills_is_said(full_soon: None, another_manager: Make, kind: str) -> None:
    manager = another_manager()
    text = "for n in range(100_000): print('x' * 100)"
    spec = cell(text) if kind == "cell" else command("python3", "-c", text)
    job = wait(manager, start(manager, spec), "FAILED")
    assert job.failure is not None
    assert (job.failure.kind, job.attempt) == ("disk", 1)
    assert "The disk is full: free some space, then run it again." in job.failure.sentence
    assert 0 < job.log_size < 5 << 20
    # Whoever makes room goes on, at the same service.
    assert manager.delete(ALICE, job.id)
    assert wait(manager, start(manager, command("true")), "SUCCEEDED").attempt == 1


# -- what is killed ----------------------------------------------------------------------


SUBMIT = """
import os, signal, sys
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import command, start
home, url, namespace, pods, root = sys.argv[1:]
config = Config(home=home, database_url=url, roots=[root], jobs_backend="kubernetes")
config.jobs_namespace, config.jobs_pods = namespace, pods
manager = JobManager(config, Database(config))
manager.start_monitor()
for number in range(6):
    print(start(manager, command("sh", "-c", "echo $BLUENO_JOB_ID >> " + root + "/record")).id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_service_dies_and_another_one_goes_on(
    config: Config, folder: Path, another_manager: Make
) -> None:
    words = [str(config.home_path), config.database_url, config.jobs_namespace, config.jobs_pods, str(folder)]
    (folder / "record").touch()
    (folder / "record").chmod(0o666)
    said = subprocess.run([sys.executable, "-c", SUBMIT, *words], capture_output=True, text=True, check=False)
    assert said.returncode == -signal.SIGKILL, said.stderr
    ids = said.stdout.split()
    assert len(ids) == 6
    manager = another_manager()
    for job_id in ids:
        wait(manager, manager.get(ALICE, job_id), "SUCCEEDED")
    assert sorted((folder / "record").read_text().split()) == sorted(ids)


def test_the_api_server_is_away_and_comes_back(manager: JobManager, space: Space) -> None:
    assert space.cluster.node is not None
    manager.start_monitor()
    before = [start(manager, held(), f"before {n}") for n in range(2)]
    logged(manager, before[0], "up")
    os.kill(space.cluster.node.pid("apiserver"), signal.SIGKILL)
    during = start(manager, held(), "during")
    assert during.state == "QUEUED"
    open_gate(manager)
    for job in [*before, during]:
        wait(manager, job, "SUCCEEDED")


def test_the_kubelet_dies_while_jobs_run(manager: JobManager, space: Space) -> None:
    assert space.cluster.node is not None
    job = start(manager, held())
    logged(manager, job, "up")
    os.kill(space.cluster.node.pid("kubelet"), signal.SIGKILL)
    open_gate(manager)
    assert wait(manager, job, "SUCCEEDED").attempt == 1


def test_a_watch_that_is_too_old_lists_again(manager: JobManager) -> None:
    backend = manager.backend
    assert isinstance(backend, KubernetesBackend)
    wait(manager, start(manager, command("true")), "SUCCEEDED")
    for following in (backend.jobs, backend.pods):
        assert following._stream is not None
        following._version = "1"
        following._stream.close()
    wait(manager, start(manager, command("true")), "SUCCEEDED")
    assert backend.jobs.trouble == backend.pods.trouble == ""


# -- what the service may do --------------------------------------------------------------------


def test_the_rights_that_are_written_down_suffice(
    manager: JobManager, account: Path, another_manager: Make, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(account))
    limited = another_manager()
    limited.start_monitor()
    assert limited.backend.room().memory_free > 0
    job = wait(limited, start(limited, command("true")), "SUCCEEDED")
    until(lambda: not pods_of(space, job), "the pod to go")
    other = start(limited, held())
    logged(limited, other, "up")
    limited.cancel(ALICE, other.id)
    wait(limited, other, "CANCELLED")
    who = f"system:serviceaccount:{space.namespace}:service"
    may = space.run("auth", "can-i", "--list", f"--as={who}")
    assert "jobs.batch" in may
    (secrets,) = (line for line in may.splitlines() if line.startswith("secrets "))
    assert secrets.endswith("[create patch]")
    assert "exec" not in may


# -- what is left, and what is not told ------------------------------------------------------


def test_what_is_over_leaves_the_cluster(manager: JobManager, space: Space) -> None:
    manager.start_monitor()
    job = wait(manager, start(manager, command("true")), "SUCCEEDED")
    until(lambda: not pods_of(space, job), "the pod to go")
    assert manager.get(ALICE, job.id) == job


def test_teams_share_a_watch_and_leave_each_other_s_jobs(
    manager: JobManager, config: Config, space: Space, tmp_path: Path
) -> None:
    job = wait(manager, start(manager, command("true")), "SUCCEEDED")
    mine = manager.backend
    assert isinstance(mine, KubernetesBackend)
    (tmp_path / "other" / "jobs").mkdir(parents=True)
    fields = {"jobs_namespace": space.namespace, "jobs_pods": config.jobs_pods}
    other = KubernetesBackend(Config(home=str(tmp_path / "other"), jobs_backend="kubernetes", **fields))
    try:
        assert other.cluster is mine.cluster
        until(lambda: mine.jobs.of(job.id)[0].over(), "the end of the Job")
        other.cleaner.sweep()
        assert space.get(f"job/blueno-{job.id}")["metadata"].get("deletionTimestamp") is None
        mine.cleaner.sweep()
        until(lambda: not mine.jobs.of(job.id), "the Job to go")
    finally:
        other.close()


def test_a_queued_job_is_cancelled_without_a_pod(
    config: Config, space: Space, folder: Path, another_manager: Make
) -> None:
    settings(config, space, space.template(config.home_path, folder, node_selector={"colour": "blue"}))
    manager = another_manager()
    job = start(manager, command("true"))
    reason_has(manager, job, "of another kind than was asked for")
    assert manager.get(ALICE, job.id).state == "QUEUED"
    manager.cancel(ALICE, job.id)
    wait(manager, job, "CANCELLED")
    assert pods_of(space, job) == []
    assert not JobFolder.of(config, job.id).has("environ")


def test_secrets_are_nowhere_in_the_cluster(
    manager: JobManager, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SERVICE", "token-of-the-service")
    text = "\n".join(
        [
            "import os",
            "print(os.environ.get('MINE'), os.environ.get('OF_THE_SERVICE'), os.getuid())",
            "print(os.path.exists('/var/run/secrets/kubernetes.io'), 'BLUENO_DATABASE_URL' in os.environ)",
            "input_ = os.path.join(os.environ['BLUENO_HOME'], 'gate')",
            "import time",
            "while not os.path.exists(input_): time.sleep(0.1)",
        ]
    )
    job = start(manager, cell(text, environment={"MINE": "secret-of-mine"}))
    logged(manager, job, "False False")
    assert "secret-of-mine None 1000" in log(manager, job)
    everything = space.run("get", "jobs,pods", "--output=json")
    assert job.id in everything
    assert "secret-of-mine" not in everything
    assert "token-of-the-service" not in everything
    open_gate(manager)
    assert wait(manager, job).state in TERMINAL
