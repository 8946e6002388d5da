"""What a job in a cluster costs, against making the same Job with kubectl; on the tests' own cluster."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs.backends.kubernetes.access import Unreachable
from jupyter_blueno.jobs.backends.kubernetes.backend import KubernetesBackend
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobPage, JobSpec
from jupyter_blueno.jobs.testing import ALICE, command, start, until, wait
from tests.cluster.client import Cluster
from tests.cluster.jobs import Space, settings, spaced
from tests.cluster.node.node import BUSYBOX, CannotRun, Node, check

ROUNDS = 15
MANY = 1000
LISTS = 20


def measure() -> list[Figure]:
    try:
        check()
    except CannotRun as reason:
        print(f"no Kubernetes here: {reason}", file=sys.stderr)
        return []
    with Node().used() as node:
        os.environ["KUBECONFIG"] = str(node.kubeconfig)
        cluster = Cluster(node.kubeconfig, node.bin / "kubectl", BUSYBOX, node)
        with spaced(cluster) as space:
            with _manager(space) as manager:
                figures = _submit(space, manager)
            with _manager(space, node_selector={"there": "is-none"}) as manager:
                return figures + _many(space, manager)


@contextmanager
def _manager(space: Space, **fields: object) -> Iterator[JobManager]:
    home = Path(tempfile.mkdtemp(prefix="blueno-cluster-jobs-"))
    config = Config(home=str(home), roots=[str(home)])
    home.chmod(0o755)
    settings(config, space, space.template(home, **fields))
    database = Database(config)
    manager = JobManager(config, database)
    try:
        manager.start_monitor()
        yield manager
    finally:
        manager.close()
        database.close()
        shutil.rmtree(home, ignore_errors=True)


class Births:
    """When the pod of each Job was first heard of."""

    def __init__(self, backend: KubernetesBackend) -> None:
        self.seen: dict[str, float] = {}
        self.stream = backend.cluster.access.stream("/api/v1/pods", [("watch", "true")])
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(Unreachable):  # closed
            for line in self.stream.lines():
                name = json.loads(line)["object"]["metadata"].get("labels", {}).get("job-name")
                self.seen.setdefault(name, time.perf_counter())

    def after(self, name: str, begin: float) -> float:
        until(lambda: name in self.seen, "the pod")
        return self.seen[name] - begin

    def close(self) -> None:
        self.stream.close()


def _submit(space: Space, manager: JobManager) -> list[Figure]:
    """From asking to the pod, in turn with kubectl."""
    backend = manager.backend
    assert isinstance(backend, KubernetesBackend)
    wait(manager, start(manager, command("true")), "SUCCEEDED")
    raw, ours = [], []
    with closing(Births(backend)) as births:
        for number in range(ROUNDS):
            begin = time.perf_counter()
            name = f"{space.namespace}-raw-{number}"
            space.cluster.run("create", "job", name, f"--image={space.cluster.busybox}", "--", "true")
            raw.append(births.after(name, begin))
            space.cluster.run("delete", "job", name, "--wait=false")
            begin = time.perf_counter()
            job = start(manager, command("true"))
            ours.append(births.after(f"blueno-{job.id}", begin))
            wait(manager, job, "SUCCEEDED")
    more = percentile(ours, 50) - percentile(raw, 50)
    return [
        Figure(
            "Kubernetes: submit until its pod is made",
            spread(ours),
            f"kubectl create job: {spread(raw)}; {1000 * more:+.0f} ms",
            "≤ +200 ms",
            more <= 0.2,
        )
    ]


def _many(space: Space, manager: JobManager) -> list[Figure]:
    """Jobs that no node takes: all of them wait, are listed, and are cancelled."""
    spec = command("true")
    asked: list[tuple[str, str, JobSpec]] = [
        (secrets.token_hex(16), f"queued {number}", spec) for number in range(MANY)
    ]
    begin = time.perf_counter()
    for at in range(0, MANY, 100):
        manager.submit_many(ALICE, asked[at : at + 100])
    answered = time.perf_counter() - begin
    ids = {job_id for job_id, _, _ in asked}
    _patiently(lambda: set(manager.backend.jobs.values()) >= ids)  # type: ignore[attr-defined]
    made = time.perf_counter() - begin
    lists = []
    for _ in range(LISTS):
        begin = time.perf_counter()
        manager.list_jobs(ALICE, JobPage(limit=100))
        lists.append(time.perf_counter() - begin)
    waiting = len(manager.backend.waiting() & ids)
    begin = time.perf_counter()
    for job_id in ids:
        manager.cancel(ALICE, job_id)
    _patiently(lambda: not manager.list_jobs(ALICE, JobPage(state=["QUEUED"]))[0])
    over, before = 0, None
    while True:
        page, before = manager.list_jobs(ALICE, JobPage(state=["CANCELLED"], limit=1000, before=before))
        over += sum(job.id in ids for job in page)
        if before is None:
            break
    gone = time.perf_counter() - begin
    return [
        Figure(f"Kubernetes: {MANY:,} jobs are taken", f"{answered:.1f} s; all Jobs made after {made:.1f} s"),
        Figure(
            f"Kubernetes: of {MANY:,} queued jobs lost",
            f"{MANY - min(waiting, over)}; cancelled within {gone:.0f} s",
            "",
            "0",
            waiting == over == MANY,
        ),
        Figure(
            f"Kubernetes: list of 100 of {MANY:,} queued jobs",
            spread(lists),
            "",
            "p95 ≤ 200 ms",
            percentile(lists, 95) <= 0.2,
        ),
    ]


def _patiently(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline, "waited ten minutes"
        time.sleep(0.2)
