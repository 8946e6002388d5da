"""Jobs as batch/v1 Jobs of a cluster, each one pod with the supervisor of every job as its main process.

Whether work lives is what the cluster says; how it ended is what its folder
says, on a volume that this process and the pods share. A Job has a name made of
the job's id, so that it is made once, whoever asks; and labels by which any
process finds all of them again.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput, Unavailable
from jupyter_blueno.jobs.backends.base import Backend, Handle, NotYet
from jupyter_blueno.jobs.backends.kubernetes import objects, reading, words
from jupyter_blueno.jobs.backends.kubernetes.access import Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.capacity import Capacity
from jupyter_blueno.jobs.backends.kubernetes.cleaning import Cleaner
from jupyter_blueno.jobs.backends.kubernetes.cluster import Cluster
from jupyter_blueno.jobs.backends.kubernetes.objects import JOB, PodTemplate
from jupyter_blueno.jobs.backends.kubernetes.settings import instance_of, template_of
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord, Observation
from jupyter_blueno.jobs.model import Claim, Resources
from jupyter_blueno.jobs.quotas.model import Amounts
from jupyter_blueno.jobs.sending.outlook import Room

LATE = 5.0  # seconds that a record may take from a pod to here, over a shared volume
SILENT = "The cluster does not answer at present. Nothing is lost; it goes on once that does."
SUBMITTED = "submitted.json"  # in a job's folder, once its Job was made
CONNECTED = "connected"  # once its workers may reach each other


class Submitted(Struct, frozen=True):
    """Which Job was made for a folder."""

    namespace: str
    uid: str


class Begun(Struct, frozen=True):
    """The part of ``status.json`` that says something to other machines."""

    state: str
    started_at: float


class KubernetesBackend(Backend):
    """See `Backend`.

    Parameters
    ----------
    config : Config
    template : PodTemplate, optional
        How pods look; by default as the settings say.
    """

    name = "kubernetes"
    unmoved = (
        "In the cluster a job keeps the priority that it was submitted with. Cancel it, and run it again."
    )

    def __init__(self, config: Config, template: PodTemplate | None = None) -> None:
        self.config = config
        self.home = str(config.home_path)
        self.namespace = config.jobs_namespace
        self.template = template or template_of(config)
        self.instance = instance_of(config)
        self.queues = bool(self.template.queue)
        self.cleaner = Cleaner(self)
        self._adopt = self.cleaner.adopt
        self.cluster = Cluster.enter(self.namespace, self._adopt)
        self.errands = self.cluster.errands
        self.jobs, self.pods = self.cluster.jobs, self.cluster.pods
        self.capacity = Capacity(self.cluster.access, self.namespace, self.template, self.errands)
        self._starting: set[str] = set()  # by us, just now
        self._troubles: dict[str, str] = {}  # why a job is not in the cluster yet
        self._over: dict[str, float] = {}  # when a Job without a record was first seen to be over
        self._stuck: dict[str, float] = {}  # since when a container cannot be started, as far as we saw

    def close(self) -> None:
        self.cluster.leave(self._adopt)

    # -- starting -----------------------------------------------------------------

    def start(self, job_id: str, folder: JobFolder, claim: Claim, environment: dict[str, str]) -> Handle:
        self.cluster.follow()
        if folder.has("exit.json") or folder.has("status.json"):
            return {}
        if folder.has("cancel"):
            self.cleaner.cancel(job_id, folder)
            return {}
        try:
            self._lay_out(folder, environment)
            self._make(job_id, folder, claim)
        except OSError as error:
            raise Unavailable(
                f"The job cannot be submitted: {error.strerror or error}. Mend that, then submit it again.",
                code="queue_unavailable",
            ) from error
        if folder.has("cancel"):  # somebody was faster than we were
            self.errands.do("cancel", job_id, lambda: self.cleaner.cancel(job_id, folder))
        return {}

    def _lay_out(self, folder: JobFolder, environment: dict[str, str]) -> None:
        if not folder.has("environ"):  # else its pod may be reading it
            text = "\0".join(f"{name}={value}" for name, value in environment.items())
            folder.write("environ", os.fsencode(text), durable=True, private=True)
        if os.geteuid() == 0 and self.template.user:  # else pods have the same user as we have
            for parent, _, names in os.walk(folder.path):
                for one in (parent, *(os.path.join(parent, name) for name in names)):
                    os.chown(one, self.template.user, self.template.group, follow_symlinks=False)

    def _make(self, job_id: str, folder: JobFolder, claim: Claim) -> None:
        """Make the Job, unless there is one; raises `Unavailable` if there surely is none."""
        body = objects.job(job_id, folder, claim, self.template, self.instance, self.home)
        try:
            made: JobObject | None = self.cluster.access.ask("POST", self.cluster.path, JobObject, body)
        except Refused as error:
            if error.reason != "AlreadyExists":
                self._troubles[job_id] = words.refused(error.message)
                raise Unavailable(self._troubles[job_id], code="cluster_refused") from error
            made = self.job_now(job_id)
        except Unreachable as error:
            self._troubles[job_id] = SILENT
            raise NotYet(SILENT, code="cluster_unavailable") from error
        self._troubles.pop(job_id, None)
        if made is not None:
            folder.write(SUBMITTED, Submitted(self.namespace, made.metadata.uid))
            self.jobs.put(made)
            if claim.resources.workers > 1:
                self._connect(job_id, folder, made)

    def _connect(self, job_id: str, folder: JobFolder, job: JobObject) -> None:
        """Have it that the workers of a job may reach each other, unless that is known to be so."""
        if not folder.has(CONNECTED):
            uid = job.metadata.uid
            self.errands.do("connect", job_id, lambda: self.cleaner.connect(job_id, folder, uid))

    def start_many(self, work: Sequence[tuple[str, JobFolder, Claim, dict[str, str]]]) -> None:
        self._starting.update(job_id for job_id, *_ in work)
        for one in work:
            self.errands.do("start", one[0], functools.partial(self._start_one, *one))

    def _start_one(self, job_id: str, folder: JobFolder, claim: Claim, environment: dict[str, str]) -> None:
        try:
            self.start(job_id, folder, claim, environment)
        finally:
            self._starting.discard(job_id)

    def revive(self, job_id: str, folder: JobFolder, handle: Handle, environment: dict[str, str]) -> None:
        """Nothing: a pod without its supervisor is over, and the cluster makes another."""

    def surroundings(self) -> dict[str, str]:
        # Of this server's environment a job sees nothing: it may hold what is not for its user.
        roots = os.pathsep.join(self.config.roots)
        known = {
            "BLUENO_HOME": self.home,
            "BLUENO_ROOTS": roots,
            "BLUENO_DATASETS": self.config.datasets,
            "BLUENO_SECRETS": self.config.secrets,
            "BLUENO_SERVICE_URL": self.config.service_url,
        }
        return {name: value for name, value in known.items() if value}

    # -- stopping -------------------------------------------------------------------

    def cancel(self, job_id: str, folder: JobFolder, handle: Handle) -> None:
        folder.write("cancel", b"")
        self.cluster.waits_no_more(job_id)
        self.errands.do("cancel", job_id, lambda: self.cleaner.cancel(job_id, folder))

    def pause(self, job_id: str, folder: JobFolder, handle: Handle, stand: bool) -> bool:
        if stand:
            folder.write("paused", b"")
        else:
            (folder.path / "paused").unlink(missing_ok=True)
        return True

    def prioritise(self, job_id: str, priority: int) -> bool:
        return False  # a pod's priority stays what it was made with

    # -- looking ----------------------------------------------------------------------

    def observe(self, job_id: str, folder: JobFolder, handle: Handle) -> Observation:
        try:
            return self._observe(job_id, folder)
        except OSError:
            return Observation("unknown")

    def _observe(self, job_id: str, folder: JobFolder) -> Observation:
        self.cluster.follow()
        begun = folder.read("status.json", Begun)
        if (ended := self.ended(folder, begun)) is not None:
            return ended
        if job_id in self._starting:
            return Observation("queued")
        if folder.has("cancel"):
            self.errands.do("cancel", job_id, lambda: self.cleaner.cancel(job_id, folder))
        if not (self.cluster.knows()):
            return self._blind(folder, begun)
        found = self.jobs.of(job_id)
        if not found:
            return self._missing(job_id, folder, begun)
        job, pods = found[0], self.pods.of(job_id)
        if job.spec.completions > 1:
            self._connect(job_id, folder, job)
        if job.over() is not None:
            return self._finished(job, pods, folder, begun)
        if begun is not None and begun.state == "FINISHING":
            return self._running(folder, begun, "finishing", None)
        place = reading.place(job, pods, begun is not None)
        if place.patience is None:
            self._stuck.pop(job_id, None)
        elif time.monotonic() - self._stuck.setdefault(job_id, time.monotonic()) > place.patience:
            reason = place.reason or ""
            self.errands.do("refuse", job_id, lambda: self.cleaner.refuse(job_id, folder, reason))
        if begun is not None:
            return self._running(folder, begun, "running", place.reason)
        return Observation(place.phase, reason=place.reason)

    @staticmethod
    def _running(folder: JobFolder, begun: Begun, phase: Any, reason: str | None) -> Observation:
        beat = folder.stamp("lock")
        heartbeat = None if beat is None else beat[0] / 1e9
        return Observation(phase, begun.started_at, heartbeat, reason=reason)

    @staticmethod
    def ended(folder: JobFolder, begun: Begun | None = None) -> Observation | None:
        """The end that is on record."""
        record = folder.read("exit.json", ExitRecord)
        if record is None:
            return None
        return Observation("ended", None if begun is None else begun.started_at, record=record)

    def _blind(self, folder: JobFolder, begun: Begun | None) -> Observation:
        """While the cluster says nothing: what the folder says."""
        if begun is None:
            silent = self.jobs.trouble and not folder.has("cancel")
            return Observation("unknown", reason=SILENT if silent else None)
        seen = self._running(folder, begun, "running", None)
        alive = seen.heartbeat is not None and time.time() - seen.heartbeat < 30
        return seen if alive else Observation("unknown", begun.started_at, seen.heartbeat)

    def _missing(self, job_id: str, folder: JobFolder, begun: Begun | None) -> Observation:
        """There is no Job, as far as is known here."""
        if begun is None and not folder.has(SUBMITTED):
            if folder.has("cancel"):
                return Observation("unknown")
            return Observation("absent", reason=self._troubles.get(job_id))
        self.errands.do("confirm", job_id, lambda: self.cleaner.confirm(job_id, folder))
        return Observation("unknown")

    def _finished(
        self, job: JobObject, pods: list[PodObject], folder: JobFolder, begun: Begun | None
    ) -> Observation:
        """Its Job is over, and there is no record yet: it may still be on its way over the volume."""
        job_id = job.metadata.labels[JOB]
        since = self._over.setdefault(job_id, time.monotonic())
        os.listdir(folder.path)  # has the volume look again
        if (ended := self.ended(folder, begun)) is not None:
            self._over.pop(job_id, None)
            return ended
        if reading.certain(pods) or time.monotonic() - since > LATE:
            record = reading.ended(job, pods, folder)
            if folder.has("cancel"):
                record = ExitRecord("cancelled", time.time())
            folder.end(record)
            return self.ended(folder, begun) or Observation("unknown")
        return Observation("unknown")

    def waiting(self) -> set[str]:
        return self.cluster.waiting() | self._starting

    # -- saying -------------------------------------------------------------------------

    def why(self, claims: Sequence[tuple[Claim, int]]) -> list[str]:
        return [self._why(claim, before) for claim, before in claims]

    def _why(self, claim: Claim, before: int) -> str:
        turn = f" {before:,} job{'' if before == 1 else 's'} before it." if before else ""
        turn = turn.replace(" job before", " job is before").replace(" jobs before", " jobs are before")
        found = self.jobs.of(claim.id) if claim.id else []
        if not found:
            if claim.id:
                return self._troubles.get(claim.id, "It is being handed to the cluster.")
            return self._would(claim) + turn
        if not self.jobs.knows():
            return SILENT
        pods = self.pods.of(claim.id)
        pod = reading.held_up(pods)
        unmade = None
        if len(pods) < found[0].spec.completions:
            unmade = self.cluster.news.of_job(found[0].metadata.name)
        scaled = None if pod is None else self.cluster.news.of_pod(pod.metadata.name)
        queued = self.cluster.news.of_queue(found[0].metadata.name) if found[0].spec.suspend else None
        return reading.why(found[0], pods, unmade, scaled, queued) + turn

    def _would(self, claim: Claim) -> str:
        """What becomes of a job that is only thought of yet."""
        fits = self.capacity.fits(self._of_each(claim), claim.resources.workers)
        if fits is None or self.template.queue:
            return "The cluster starts it when its turn comes."
        return "There is room: it starts at once." if fits else words.WAITS

    def needs(self, claim: Claim) -> Amounts:
        return self._of_each(claim).times(claim.resources.workers)

    def _of_each(self, claim: Claim) -> Amounts:
        """What each of its workers takes."""
        memory = objects.memory_of(claim, self.template)
        return Amounts(claim.resources.cpu or self.template.cpu, memory, claim.resources.gpu)

    def room(self) -> Room:
        return self.capacity.room()

    def check(self, resources: Resources) -> None:
        if resources.gpu and not self.template.gpu_resource:
            raise InvalidInput("Jobs have no GPUs in this cluster.", code="no_such_gpu")
        self.capacity.check(resources)

    # -- keeping on ------------------------------------------------------------------------

    def begin(self) -> None:
        self.cluster.follow()
        if self.jobs.listed:  # by another one; else it is done after that
            self.errands.do("adopt", self.instance, self._adopt)

    def tend(self) -> None:
        self.cluster.follow()
        self.cleaner.sweep_now_and_then()

    def job_now(self, job_id: str) -> JobObject | None:
        """The Job as the cluster has it at this moment; None if there is none.

        Raises
        ------
        Unavailable
            If that cannot be said.
        """
        try:
            return self.cluster.access.ask("GET", f"{self.cluster.path}/{objects.name_of(job_id)}", JobObject)
        except Refused as error:
            if error.status == 404:
                return None
            raise Unavailable(words.refused(error.message), code="cluster_refused") from error
        except Unreachable as error:
            raise NotYet(SILENT, code="cluster_unavailable") from error
