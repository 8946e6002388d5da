"""Waits until an installation runs, and says what it waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.jobs.backends.kubernetes import words
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import listed
from jupyter_blueno.setup.programs import Failed

PARTS = ("database", "hub", "proxy", "service")
SERVER = "storage"  # where there is one
PATIENCE = 900.0
STEADY = 45.0  # seconds after which what does not go away by itself is believed
ADVICE = {
    "image": "Say where your images are (--images REGISTRY/…), load them onto the nodes, or name the "
    "registry's password by images.pullSecrets; then run this again.",
    "place": "Make room, add nodes, or ask for less by `resources` in the values; then run this again.",
    "volume": "Look at the claim and at who makes its volumes; then run this again.",
    "crash": "What it wrote is above. When it is mended, run this again.",
    "refused": "Change that, then run this again.",
}


class Trouble(Exception):
    """Why something does not start; `lasting` if it will not go away by itself."""

    def __init__(self, said: str, kind: str, lasting: bool) -> None:
        super().__init__(said)
        self.said, self.kind, self.lasting = said, kind, lasting


def until_ready(
    cluster: Cluster, patience: float = PATIENCE, parts: tuple[str, ...] = (*PARTS, SERVER)
) -> None:
    """Return when these parts, of those that there are, run as they are described now.

    Raises
    ------
    Unavailable
        With the reason and what to do, when `patience` is over or when waiting is in vain.
    """
    if cluster.shell.dry:
        cluster.shell.say(
            f"(waits until {listed(one for one in parts if one != SERVER or len(parts) == 1)} run)"
        )
        return
    deadline = time.monotonic() + patience
    told: dict[str, str] = {}
    since: dict[str, float] = {}
    while True:
        waiting = dict(_waiting(cluster, parts))
        for part in [one for one in told if one not in waiting]:
            cluster.shell.say(f"    {part}: ready")
            del told[part]
        if not waiting:
            return
        for part, trouble in waiting.items():
            if told.get(part) != trouble.said:
                told[part] = trouble.said
                since[part] = time.monotonic()
                cluster.shell.say(f"    {part}: {trouble.said}")
        over = time.monotonic() > deadline
        vain = [one for one in waiting if waiting[one].lasting and time.monotonic() - since[one] > STEADY]
        if vain or over:
            # What has a reason of its own, and no place above all; others may only wait for it.
            part = min(vain or waiting, key=lambda one: (waiting[one].kind != "place", not waiting[one].kind))
            advice = ADVICE.get(
                waiting[part].kind, "It goes on by itself; run this again to see how far it is."
            )
            said = f"{part} does not become ready: {waiting[part].said} {advice}"
            raise Unavailable(said, code="not_ready")
        time.sleep(1)


def _waiting(cluster: Cluster, parts: tuple[str, ...]) -> Iterator[tuple[str, Trouble]]:
    """The parts that are not ready, and why."""
    found = cluster.items(
        "deployments,statefulsets,pods", f"--selector=app.kubernetes.io/instance={cluster.release}"
    )
    pods = [one for one in found if one["kind"] == "Pod"]
    for work in found:
        part = work["metadata"]["name"].removeprefix(f"{cluster.release}-")
        if work["kind"] == "Pod" or part not in parts or _settled(work):
            continue
        mine = [one for one in pods if one["metadata"]["labels"].get("app.kubernetes.io/component") == part]
        yield part, _why(cluster, work, mine)


def _settled(work: Object) -> bool:
    """Whether all of its pods are of its present description, and ready."""
    status, wanted = work.get("status", {}), work["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < work["metadata"]["generation"]:
        return False
    ready = status.get("readyReplicas", 0) >= wanted
    if work["kind"] == "StatefulSet":
        current = status.get("currentRevision") == status.get("updateRevision")
        return bool(ready and current)
    return bool(ready and status.get("updatedReplicas", 0) >= wanted and status.get("replicas", 0) == wanted)


def _why(cluster: Cluster, work: Object, pods: list[Object]) -> Trouble:
    for one in work.get("status", {}).get("conditions", []):
        if one["type"] == "ReplicaFailure" and one["status"] == "True":
            return Trouble(words.refused(one["message"]), "refused", lasting=True)
    unready = [one for one in pods if not _is_ready(one) and not one["metadata"].get("deletionTimestamp")]
    if unready:  # the newest: the older ones are about to go
        return _of_pod(cluster, max(unready, key=lambda one: str(one["metadata"]["creationTimestamp"])))
    return Trouble(
        "its pods are being exchanged …" if pods else "its pods are being made …", "", lasting=False
    )


def of_pods(cluster: Cluster, pods: list[Object]) -> str:
    """Why none of these pods runs yet; empty when one does."""
    if any(one.get("status", {}).get("phase") != "Pending" for one in pods):
        return ""
    return _of_pod(cluster, pods[0]).said if pods else ""


def _of_pod(cluster: Cluster, pod: Object) -> Trouble:
    status = pod.get("status", {})
    for one in status.get("conditions", []):
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return _unscheduled(cluster, pod, one.get("message", ""))
    for one in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = one["state"].get("waiting") or {}
        if trouble := _of_container(cluster, pod, one, waiting):
            return trouble
    if mount := last_warning(cluster, pod, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"):
        return Trouble(f"its volume cannot be mounted: {words.short(mount)}.", "volume", lasting=False)
    if any(one.get("started") for one in status.get("containerStatuses", [])):
        return Trouble("it runs, and does not answer yet …", "", lasting=False)
    return Trouble("its container is being made (its image may have to be fetched) …", "", lasting=False)


def _unscheduled(cluster: Cluster, pod: Object, message: str) -> Trouble:
    said = words.unscheduled(message).replace("It waits for a place in the cluster; ", "").rstrip(".")
    if "persistentvolumeclaim" not in message.lower():
        return Trouble(f"{said}.", "place", lasting=False)
    claims = [
        one["persistentVolumeClaim"]["claimName"]
        for one in pod["spec"].get("volumes", [])
        if "persistentVolumeClaim" in one
    ]
    for name in claims:
        claim = cluster.get(f"persistentvolumeclaim/{name}")
        if claim is None:
            return Trouble(f"there is no claim '{name}'.", "volume", lasting=False)
        if claim["status"].get("phase") != "Bound":
            warned = last_warning(cluster, claim, "ProvisioningFailed", "FailedBinding")
            reason = f": {words.short(warned)}" if warned else ""
            return Trouble(f"its claim '{name}' has no volume yet{reason}.", "volume", lasting=bool(warned))
    return Trouble(f"{said}.", "volume", lasting=False)


def _of_container(cluster: Cluster, pod: Object, container: Object, waiting: Object) -> Trouble | None:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in words.PULLING:
        hopeless = any(word in message.lower() for word in words.NO_SUCH)
        said = words.short(message) if "failed" in message or hopeless else "it is tried again"
        return Trouble(f"the image '{container['image']}' cannot be fetched: {said}.", "image", lasting=True)
    if reason in words.DEFINITE:
        kind = "image" if "Image" in reason else "refused"
        return Trouble(
            f"its container cannot be made ({reason}): {words.short(message)}.", kind, lasting=True
        )
    if reason == "CrashLoopBackOff" or container.get("restartCount", 0) > 2:
        return Trouble(
            f"it ends again and again. Its last words: {_last_words(cluster, pod, container)}",
            "crash",
            lasting=True,
        )
    return None


def _last_words(cluster: Cluster, pod: Object, container: Object) -> str:
    where = (*cluster.here, "logs", pod["metadata"]["name"], f"--container={container['name']}", "--tail=4")
    try:
        said = cluster.shell.ask(*where, "--previous")
    except Failed as error:
        said = error.said
    return " / ".join(line.strip() for line in said.strip().splitlines()[-4:]) or "none."


def last_warning(cluster: Cluster, about: Object, *reasons: str) -> str:
    selector = f"--field-selector=involvedObject.uid={about['metadata']['uid']},type=Warning"
    found = [one for one in cluster.items("events", selector) if one.get("reason") in reasons]
    last = max(found, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")), default=None)
    return str(last["message"]) if last else ""


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
