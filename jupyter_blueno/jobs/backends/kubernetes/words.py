"""What Kubernetes says of a pod that does not start, in words for people who never saw a pod."""

from __future__ import annotations

import re

from jupyter_blueno.jobs.backends.kubernetes.shapes import PodObject, quantity
from jupyter_blueno.jobs.lifecycle import amount

SHOWN = 300  # characters of what is quoted
DEFINITE = {"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError"}
PULLING = {"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"}
NO_SUCH = (
    "not found",
    "manifest unknown",
    "does not exist",
    "unauthorized",
    "denied",
    "authorization failed",
)

_NODES = re.compile(r"(\d+)/(\d+) nodes are available: ?(.*?)(?:\.(?:\s.*)?)?$", re.DOTALL)
_QUOTA = re.compile(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)", re.DOTALL)
_SHORT = re.compile(r"insufficient unused quota for (\S+) in flavor (\S+), (\S+) more needed")
_NEVER = re.compile(
    r"insufficient quota for (\S+) in flavor (\S+), request > maximum capacity \((\S+) > (\S+)\)"
)
_TAINTS = {
    "node.kubernetes.io/unschedulable": "closed for new work",
    "node.kubernetes.io/not-ready": "not ready",
    "node.kubernetes.io/unreachable": "not answering",
    "node.kubernetes.io/memory-pressure": "short of memory",
    "node.kubernetes.io/disk-pressure": "short of disk",
    "node.kubernetes.io/pid-pressure": "full of processes",
}


def short(text: str) -> str:
    """What is quoted: one line, without its full stop."""
    line = " ".join(text.split())
    return (line if len(line) <= SHOWN else line[: SHOWN - 1] + "…").rstrip(". ")


def unscheduled(message: str) -> str:
    """Why no node takes a pod, after what the scheduler says of it."""
    found = _NODES.search(message.strip())
    if found is None:
        return _volume(message) or (
            f"It waits for a place in the cluster: {short(message)}." if message else WAITS
        )
    total = int(found[2])
    parts = [_part(one, total) for one in _split(found[3])]
    said = [one for one in parts if one]
    if not said:
        return WAITS
    there = "the only node" if total == 1 else f"none of the {total:,} nodes"
    verb = "cannot take it now" if total == 1 else "can take it now"
    return f"It waits for a place in the cluster; {there} {verb}: {', '.join(said)}."


WAITS = "It waits for a place in the cluster."


def _split(reasons: str) -> list[str]:
    """At commas that are followed by a number or a new reason."""
    return [one.strip().rstrip(".") for one in re.split(r", (?=\d+ |pod has|node\(s\))", reasons)]


def _part(reason: str, total: int) -> str | None:
    found = re.match(r"(?:(\d+) )?(.*)", reason, re.DOTALL)
    count, what = int(found[1] or total) if found else total, found[2] if found else reason
    who = "" if total == 1 else f"{count:,} "
    several = total > 1 and count != 1
    if lacks := re.match(r"Insufficient (\S+)", what):
        name = resource(lacks[1])
        little = "little" if name in ("memory", "disk") else "few"
        return f"{who}{_verb('have', 'has', several, total)} too {little} free {name}"
    if what.startswith("Too many pods"):
        return f"{who}{_verb('have', 'has', several, total)} as many pods as they may have"
    taint = re.search(r"taints? \{([^:}]+):? ?([^}]*)\}", what)
    if taint:
        state = _TAINTS.get(taint[1])
        is_ = _verb("are", "is", several, total)
        if state:
            return f"{who}{is_} {state}"
        return f"{who}{is_} kept for other work ({taint[1]}{'=' + taint[2] if taint[2] else ''})"
    if "were unschedulable" in what:
        return f"{who}{_verb('are', 'is', several, total)} closed for new work"
    if "node affinity" in what or "node selector" in what:
        return f"{who}{_verb('are', 'is', several, total)} of another kind than was asked for"
    return _volume(what) or (short(f"{who}{what}") if what else None)


def _verb(plural: str, single: str, several: bool, total: int) -> str:
    return f"it {single}" if total == 1 else plural if several else single


def _volume(message: str) -> str | None:
    if "unbound immediate PersistentVolumeClaims" in message:
        return "its volume is not there yet (its claim is not bound)"
    missing = re.search(r'persistentvolumeclaim "([^"]+)" not found', message)
    return f"there is no volume claim '{missing[1]}'" if missing else None


def resource(name: str) -> str:
    """``nvidia.com/gpu`` as people call it."""
    bare = name.removeprefix("requests.").removeprefix("limits.")
    if bare.endswith("/gpu"):
        return "GPUs"
    known = {"cpu": "CPU cores", "memory": "memory", "ephemeral-storage": "disk", "pods": "pods"}
    return known.get(bare, "Jobs" if bare.startswith("count/jobs") else bare)


def _size(name: str, text: str) -> str:
    value = quantity(text)
    return amount(int(value)) if "memory" in name or "storage" in name else f"{value:,.10g}"


def refused(message: str) -> str:
    """Why the cluster makes no pod (or no Job), after what it says of it."""
    found = _QUOTA.search(message)
    if found is None:
        at = message.find("is forbidden: ")
        said = message[at + len("is forbidden: ") :] if at >= 0 else message
        return f"The cluster refuses it: {short(said)}. Ask who runs the cluster."
    quota, *lists = found.groups()
    asked, used, most = (dict(pair.split("=", 1) for pair in one.split(",") if "=" in pair) for one in lists)
    parts = []
    for name in most:
        what = resource(name)
        parts.append(
            f"{_size(name, most[name])} of {what} in all, of which {_size(name, used.get(name, '0'))} are "
            f"in use; it asks for {_size(name, asked.get(name, '0'))}"
        )
    return f"The quota '{quota}' allows {'; and '.join(dict.fromkeys(parts))}. It starts when others end."


def queued(message: str) -> str:
    """Why Kueue does not let a Job go, as a sentence behind another one; empty if it says nothing of use."""
    said = []
    for kind, flavor, more in _SHORT.findall(message):
        said.append(f"{_size(kind, more)} of {resource(kind)} ({flavor}) more than is free now")
    for kind, flavor, asked, most in _NEVER.findall(message):
        said.append(
            f"{_size(kind, asked)} of {resource(kind)} ({flavor}), and the queue may have {_size(kind, most)}"
        )
    if said:
        return f" It needs {'; and '.join(dict.fromkeys(said))}."
    if "doesn't exist" in message or "is inactive" in message or "not found" in message:
        return f" The queue takes no jobs: {short(message)}. Ask who runs the cluster."
    return f" {short(message)}." if message else ""


def scaling(reason: str, message: str) -> str | None:
    """What the autoscaler does about it."""
    if reason == "TriggeredScaleUp":
        return "The cluster is adding a machine for it, which takes some minutes."
    if reason == "NotTriggerScaleUp":
        limit = " (it has as many as it may have)" if "max node group size reached" in message else ""
        return f"The cluster adds no machine for it{limit}."
    return None


def image(pod: PodObject) -> tuple[str, bool] | None:
    """Why its container does not start, and whether waiting is in vain; None where nothing is wrong."""
    waiting = pod.state().waiting
    if waiting is None or waiting.reason not in DEFINITE | PULLING:
        return None
    name = pod.spec.containers[0].image if pod.spec.containers else "?"
    said = short(waiting.message)
    if waiting.reason == "InvalidImageName":
        return f"'{name}' is no name of an image; correct it in the settings.", True
    if waiting.reason == "ErrImageNeverPull":
        return f"The image '{name}' is not on the node, and may not be fetched.", True
    if waiting.reason in DEFINITE:
        return f"Its container cannot be made: {said}.", True
    hopeless = any(word in waiting.message.lower() for word in NO_SUCH)
    return f"The image '{name}' cannot be fetched: {said}.", hopeless
