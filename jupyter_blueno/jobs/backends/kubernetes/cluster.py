"""What all backends of a process share that look into the same namespace: a service has one for each team."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from jupyter_blueno.jobs.backends.kubernetes import reading
from jupyter_blueno.jobs.backends.kubernetes.access import CONNECTIONS, Access
from jupyter_blueno.jobs.backends.kubernetes.errands import Errands
from jupyter_blueno.jobs.backends.kubernetes.following import Following
from jupyter_blueno.jobs.backends.kubernetes.news import News
from jupyter_blueno.jobs.backends.kubernetes.objects import JOB
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject

SELECTOR = "app.kubernetes.io/managed-by=blueno,app.kubernetes.io/component=job"

_open: dict[tuple[str, str], Cluster] = {}
_lock = threading.Lock()


class Cluster:
    """The Jobs and pods of a namespace, as they are; thread-safe. Got by `enter`, given back by `leave`."""

    def __init__(self, namespace: str) -> None:
        self.path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self.pods_path = f"/api/v1/namespaces/{namespace}/pods"
        self.access = Access()
        self.errands = Errands(CONNECTIONS // 2)
        self.jobs = Following(self.access, self.path, SELECTOR, JobObject, JOB, self._changed)
        self.pods = Following(self.access, self.pods_path, SELECTOR, PodObject, JOB, self._changed)
        self.news = News(self.access, namespace, self.errands)
        self._waiting: set[str] = set()
        self._adopters: list[Callable[[], None]] = []
        self._guard = threading.Lock()

    @classmethod
    def enter(cls, namespace: str, adopt: Callable[[], None]) -> Cluster:
        """The one of this namespace; `adopt` is called whenever all Jobs were listed."""
        key = (namespace, os.environ.get("KUBECONFIG", ""))
        with _lock:
            if key not in _open:
                _open[key] = cls(namespace)
            _open[key]._adopters.append(adopt)
            return _open[key]

    def leave(self, adopt: Callable[[], None]) -> None:
        """Say that it is needed no more; the last one out stops following."""
        with _lock:
            if adopt in self._adopters:
                self._adopters.remove(adopt)
            if self._adopters:
                return
            for key in [key for key, one in _open.items() if one is self]:
                del _open[key]
        self.errands.close()
        self.jobs.stop()
        self.pods.stop()

    def follow(self) -> None:
        """Begin to follow, or go on after a thread died."""
        if self._adopters:
            self.jobs.start()
            self.pods.start()

    def knows(self) -> bool:
        """Whether what is here is the truth, a moment late at most."""
        return self.jobs.knows() and self.pods.knows()

    def waiting(self) -> set[str]:
        """Ids of the jobs, of whatever team, that wait for their turn."""
        with self._guard:
            return set(self._waiting)

    def waits_no_more(self, job_id: str) -> None:
        with self._guard:
            self._waiting.discard(job_id)

    def _changed(self, job_id: str) -> None:
        """Keep who waits: after something changed of one job, or (no id) of all."""
        for one in [job_id] if job_id else self.jobs.values():
            found = self.jobs.of(one)
            waits = bool(found) and _waits(found[0], self.pods.of(one))
            with self._guard:
                (self._waiting.add if waits else self._waiting.discard)(one)
        if not job_id:
            there = set(self.jobs.values())
            with self._guard:
                self._waiting &= there
            for adopt in list(self._adopters):
                self.errands.do("adopt", str(id(adopt)), adopt)


def _waits(job: JobObject, pods: list[PodObject]) -> bool:
    if job.over() is not None or job.metadata.deletion_timestamp is not None:
        return False
    return reading.place(job, pods, begun=False).phase == "queued"
