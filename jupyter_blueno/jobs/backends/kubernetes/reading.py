"""What follows from a Job and its pods: where the work stands, and how it ended if nobody wrote that down."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NamedTuple

from jupyter_blueno.jobs.backends.kubernetes import words
from jupyter_blueno.jobs.backends.kubernetes.objects import QUEUE, RANK
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject, quantity
from jupyter_blueno.jobs.engine.contained import MOVED
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import Attempt, ExitRecord, Phase

SLOW = 10.0  # seconds of getting ready after which somebody should hear of it
IMAGE_PATIENCE = 600.0  # seconds that an image may not be fetched, when the reason may pass
HOPELESS_PATIENCE = 15.0  # the same, when it will not


class Place(NamedTuple):
    """Where work stands; `patience`: seconds that it may stand so before it is given up."""

    phase: Phase
    reason: str | None = None
    patience: float | None = None


def newest(pods: list[PodObject]) -> PodObject | None:
    """The pod that counts: the last one that was made."""
    past = datetime.min.replace(tzinfo=UTC)
    return max(pods, key=lambda one: one.metadata.creation_timestamp or past, default=None)


def of_ranks(pods: list[PodObject]) -> dict[int, PodObject]:
    """The pod that counts of each of several workers."""
    past = datetime.min.replace(tzinfo=UTC)
    made = sorted(pods, key=lambda one: one.metadata.creation_timestamp or past)
    return {int(one.metadata.labels.get(RANK, 0)): one for one in made}


def held_up(pods: list[PodObject]) -> PodObject | None:
    """The pod that has no node yet, if there is one; else the newest."""
    for _, pod in sorted(of_ranks(pods).items()):
        scheduled = pod.condition("PodScheduled")
        if pod.status.phase == "Pending" and (scheduled is None or scheduled.status != "True"):
            return pod
    return newest(pods)


def place(job: JobObject, pods: list[PodObject], begun: bool) -> Place:
    """Where the work of a Job stands that is not over; `begun`: its first process was started once."""
    count = job.spec.completions
    if count == 1:
        return _place(newest(pods), begun)
    found = of_ranks(pods)
    places = {rank: _place(found.get(rank), begun) for rank in range(count)}
    up = [rank for rank, pod in found.items() if pod.status.phase in ("Running", "Succeeded")]
    behind = [rank for rank in places if rank not in up]
    if not behind:
        said = next((f"Rank {rank}: {one.reason}" for rank, one in places.items() if one.reason), None)
        return Place("running" if begun else "starting", said)
    stuck = [rank for rank in behind if places[rank].patience is not None]
    rank = (stuck or [rank for rank in behind if places[rank].reason] or behind)[0]
    words = f"{len(up)} of {count} workers are up."
    if reason := places[rank].reason:
        words += f" Rank {rank}: {reason}"
    phases = {places[rank].phase for rank in behind}
    phase: Phase = "running" if begun else "queued" if "queued" in phases else "starting"
    return Place(phase, words, places[rank].patience)


def _place(pod: PodObject | None, begun: bool) -> Place:
    if pod is None or pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp:
        if begun:  # the next pod comes, or the Job is just about to end
            return Place(
                "running", None if pod is None else "It goes on elsewhere, as soon as there is room."
            )
        return Place("queued") if pod is None else Place("starting", _not_started(pod))
    if pod.status.phase == "Running":
        return Place("running", _silent(pod)) if begun else Place("starting")
    scheduled = pod.condition("PodScheduled")
    if scheduled is None or scheduled.status != "True":
        if not begun:
            return Place("queued")
        return Place("running", f"It goes on elsewhere. {_waits(pod)}")
    since = _age(scheduled.last_transition_time)
    trouble = words.image(pod)
    if trouble is not None:
        reason, hopeless = trouble
        patience = HOPELESS_PATIENCE if hopeless else IMAGE_PATIENCE
        return Place("running" if begun else "starting", reason, patience)
    slow = f"The node {pod.spec.node_name} fetches its image, or makes its volumes ready."
    return Place("running" if begun else "starting", slow if since > SLOW else None)


def _not_started(pod: PodObject) -> str | None:
    end = pod.state().terminated
    said = words.short(end.message if end is not None else pod.status.message)
    return f"Its container could not be started: {said}. That is tried again." if said else None


def _waits(pod: PodObject) -> str:
    condition = pod.condition("PodScheduled")
    return words.unscheduled(condition.message if condition else "")


def _silent(pod: PodObject) -> str | None:
    ready = pod.condition("Ready")
    lost = pod.status.reason == "NodeLost" or (ready is not None and ready.status != "True")
    if not lost or pod.state().running is None:
        return None
    return (
        f"Its node {pod.spec.node_name} does not answer. It goes on if the node comes back, or elsewhere "
        "when the cluster gives the node up."
    )


def why(
    job: JobObject, pods: list[PodObject], made_not: str | None, scaled: str | None, queued: str | None = None
) -> str:
    """Why it waits.

    `made_not` is why no pod is made, `scaled` what the autoscaler does, `queued` why Kueue does not let it
    go.
    """
    if job.spec.suspend:
        queue = job.metadata.labels.get(QUEUE)
        if queue is None:
            return "It waits until somebody lets it go (its Job is suspended)."
        return f"It waits in the queue '{queue}'.{words.queued(queued or '')}"
    pod = held_up(pods)
    if pod is None:
        return made_not or words.WAITS
    count = job.spec.completions
    up = sum(one.status.phase == "Running" for one in pods)
    if count > 1 and len(pods) < count and made_not:
        return f"{made_not} {up} of {count} workers are up."
    if count > 1:
        return f"{_waits(pod)} {up} of {count} workers are up." + (f" {scaled}" if scaled else "")
    return _waits(pod) + (f" {scaled}" if scaled else "")


def ended(job: JobObject | None, pods: list[PodObject], folder: JobFolder) -> ExitRecord:
    """How work ended whose Job is over (None: deleted), although no supervisor wrote it down."""
    attempt = folder.read("attempt.json", Attempt)
    number, most = (attempt.number, attempt.of) if attempt else (1, 1)
    begun = folder.has("status.json")
    pod = culprit(pods)
    over = None if job is None else job.over()
    count = 1 if job is None else job.spec.completions
    blamed = {"worker": int(pod.metadata.labels.get(RANK, 0)), "workers": count} if pod and count > 1 else {}

    def record(ending: str, reason: str | None = None, **more: int | None) -> ExitRecord:
        more |= {"attempt": number, "attempts": most, **blamed}
        return ExitRecord(ending, time.time(), reason=reason, **more)  # type: ignore[arg-type]

    if job is None:
        when = "while it ran" if begun else "before it began"
        return record("lost", f"Its Job was deleted from the cluster by somebody, {when}; run it again.")
    if over is not None and over.reason == "DeadlineExceeded":
        return record("timed_out")
    if pod is None:
        said = f": {words.short(over.message)}" if over is not None and over.message else ""
        return record("lost", f"The cluster ended it and says no more of it{said}; run it again.")
    if pod.status.reason == "Evicted":
        return record("evicted", f"Its node ended it: {words.short(pod.status.message)}.")
    end = pod.state().terminated
    if end is None:
        said = words.short(pod.status.message or pod.status.reason) or "it does not say why"
        return record("lost", f"The node {pod.spec.node_name} did not run it: {said}; run it again.")
    if end.reason == "OOMKilled":
        return record("out_of_memory", memory_limit=_limit(pod))
    last = words.short((end.message.strip().splitlines() or [""])[-1])
    if not begun:
        said = last or f"{end.reason}, exit code {end.exit_code}"
        return record("not_started", f"It could not be started in its container: {said}.")
    if end.exit_code == MOVED:
        return record("shutdown")
    if end.exit_code == 137:
        return record("lost", f"Its container was killed on the node {pod.spec.node_name}; run it again.")
    said = f": {last}" if last else ""
    return record("lost", f"What watched over it ended with exit code {end.exit_code}{said}; run it again.")


def culprit(pods: list[PodObject]) -> PodObject | None:
    """The pod that tells why a Job is over: of several the one that did not just end with the others."""

    def fault(pod: PodObject) -> int:
        end = pod.state().terminated
        if pod.status.reason == "Evicted" or (end is not None and end.reason == "OOMKilled"):
            return 2
        return int(end is not None and end.exit_code not in (0, MOVED))

    past = datetime.min.replace(tzinfo=UTC)
    return max(pods, key=lambda one: (fault(one), one.metadata.creation_timestamp or past), default=None)


def certain(pods: list[PodObject]) -> bool:
    """Whether the pods alone tell the end: nothing can still come from a slow volume."""
    pod = culprit(pods)
    if pod is None:
        return False
    end = pod.state().terminated
    return pod.status.reason == "Evicted" or (end is not None and end.reason == "OOMKilled")


def _limit(pod: PodObject) -> int | None:
    for one in pod.spec.containers:
        if "memory" in one.resources.limits:
            return int(quantity(one.resources.limits["memory"]))
    return None


def _age(moment: datetime | None) -> float:
    return 0.0 if moment is None else time.time() - moment.timestamp()
