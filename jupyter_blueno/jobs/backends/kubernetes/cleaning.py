"""Takes Jobs out of the cluster: cancelled ones, hopeless ones, and those whose end is on record."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.backends.kubernetes import objects, reading
from jupyter_blueno.jobs.backends.kubernetes.access import Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.objects import JOB
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord
from jupyter_blueno.jobs.sending.plan import GRACE

if TYPE_CHECKING:
    from jupyter_blueno.jobs.backends.kubernetes.backend import KubernetesBackend

_log = logging.getLogger(__name__)

HEARING = GRACE + 15.0  # seconds in which a supervisor has ended what it was told to
SWEEP_PERIOD = 5.0
REFUSED = "refused.json"  # in a job's folder: why it is taken out of the cluster

# Foreground: the Job is there until its pods are gone, so "not found" is proof.
FOREGROUND = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
BACKGROUND = {**FOREGROUND, "propagationPolicy": "Background"}


class Cleaner:
    """Every step may be taken again, by any process, after any of them was cut short."""

    def __init__(self, backend: KubernetesBackend) -> None:
        self.backend = backend
        self._swept = 0.0

    def cancel(self, job_id: str, folder: JobFolder) -> None:
        """Bring a job that is to be cancelled nearer to its end."""
        if folder.has("exit.json"):
            return
        job = self.backend.job_now(job_id)
        if job is None:
            self._gone(job_id, folder, ExitRecord("cancelled", time.time()))
            return
        if job.metadata.deletion_timestamp is not None or job.over() is not None:
            return
        asked = folder.stamp("cancel")
        hears = folder.has("status.json") and asked is not None and time.time() - asked[0] / 1e9 < HEARING
        if not hears:
            self._delete(job.metadata.name, FOREGROUND)

    def connect(self, job_id: str, folder: JobFolder, uid: str) -> None:
        """Let the workers of a job reach each other where network policies keep pods apart."""
        from jupyter_blueno.jobs.backends.kubernetes.backend import CONNECTED

        cluster = self.backend.cluster
        path = f"/apis/networking.k8s.io/v1/namespaces/{self.backend.namespace}/networkpolicies"
        try:
            cluster.access.ask("POST", path, Any, objects.among_themselves(job_id, uid))
        except Refused as error:
            if error.status == 403:  # then nobody keeps them apart, or whoever does lets them
                _log.warning("Workers of a job may be kept apart by network policies: %s", error.message)
            elif error.reason != "AlreadyExists":
                raise
        folder.write(CONNECTED, b"")

    def refuse(self, job_id: str, folder: JobFolder, reason: str) -> None:
        """Take a job out that will never start."""
        if not folder.has(REFUSED):
            folder.write(REFUSED, {"reason": reason})
        self._delete(objects.name_of(job_id), FOREGROUND)

    def confirm(self, job_id: str, folder: JobFolder) -> None:
        """After a Job was not seen: look whether it is there, and put on record that it is not."""
        if folder.has("exit.json"):
            return
        job = self.backend.job_now(job_id)
        if job is not None:
            self.backend.jobs.put(job)
            return
        refused = folder.read(REFUSED, dict[str, str])
        if folder.has("cancel"):
            record = ExitRecord("cancelled", time.time())
        elif refused is not None:
            record = ExitRecord("not_started", time.time(), reason=refused["reason"])
        else:
            record = reading.ended(None, [], folder)
        self._gone(job_id, folder, record)

    def _gone(self, job_id: str, folder: JobFolder, record: ExitRecord) -> None:
        """Its Job is gone: so is the job, once its last pod is."""
        if not self._same_place(folder):
            return
        path = self.backend.cluster.pods_path
        try:
            pods, _ = self.backend.cluster.access.every(
                path, PodObject, [("labelSelector", f"{JOB}={job_id}")]
            )
        except (Refused, Unreachable) as error:
            raise Unavailable(str(error)) from error
        if all(pod.status.phase in ("Succeeded", "Failed") for pod in pods):
            folder.end(record)

    def _same_place(self, folder: JobFolder) -> bool:
        """Whether its Job was made in the namespace that we look into."""
        from jupyter_blueno.jobs.backends.kubernetes.backend import SUBMITTED, Submitted

        made = folder.read(SUBMITTED, Submitted)
        return made is None or made.namespace == self.backend.namespace

    def _delete(self, name: str, how: dict[str, str]) -> None:
        try:
            self.backend.cluster.access.ask("DELETE", f"{self.backend.cluster.path}/{name}", Any, how)
        except Refused as error:
            if error.status != 404:
                raise Unavailable(error.message) from error
        except Unreachable as error:
            raise Unavailable(str(error)) from error

    def adopt(self) -> None:
        """After all Jobs were listed: take up what others left half done."""
        for job_id, _ in self._ours():
            folder = JobFolder.of(self.backend.config, job_id)
            if folder.has("cancel") and not folder.has("exit.json"):
                self.cancel(job_id, folder)

    def sweep_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._swept >= SWEEP_PERIOD:
            self._swept = now
            self.backend.errands.do("sweep", self.backend.instance, self.sweep)

    def sweep(self) -> None:
        """Delete the Jobs whose end is on record, or whose folder was deleted."""
        if not JobFolder.of(self.backend.config, "").path.is_dir():
            return  # the volume is not there: nothing follows from what is missing
        for job_id, job in self._ours():
            folder = JobFolder.of(self.backend.config, job_id)
            settled = folder.has("exit.json") or not folder.path.exists()
            if settled and job.over() is not None and job.metadata.deletion_timestamp is None:
                self._delete(job.metadata.name, BACKGROUND)

    def _ours(self) -> Iterator[tuple[str, JobObject]]:
        """The Jobs of this data folder, each with its job's id: others have theirs in the same namespace."""
        for job_id in self.backend.jobs.values():
            for job in self.backend.jobs.of(job_id):
                if job.metadata.labels.get("app.kubernetes.io/instance") == self.backend.instance:
                    yield job_id, job
