"""The part of Kubernetes' objects that is looked at here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field


class Shape(Struct, rename="camel"):
    """An object, or part of one; what is not named is passed over."""


class Meta(Shape):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class Condition(Shape):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class JobPart(Shape):
    suspend: bool = False
    completions: int = 1


class JobStatus(Shape):
    active: int = 0
    conditions: list[Condition] = []


class JobObject(Shape):
    metadata: Meta
    spec: JobPart = field(default_factory=JobPart)
    status: JobStatus = field(default_factory=JobStatus)

    def over(self) -> Condition | None:
        """Why it is over, if it is."""
        for one in self.status.conditions:
            if one.type in ("Complete", "Failed") and one.status == "True":
                return one
        return None


class Waiting(Shape):
    reason: str = ""
    message: str = ""


class Terminated(Shape):
    exit_code: int = 0
    reason: str = ""
    message: str = ""


class State(Shape):
    waiting: Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: Terminated | None = None


class ContainerStatus(Shape):
    name: str = ""
    image: str = ""
    state: State = field(default_factory=State)


class Wants(Shape):
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(Shape):
    name: str = ""
    image: str = ""
    resources: Wants = field(default_factory=Wants)


class PodPart(Shape):
    node_name: str = ""
    containers: list[Container] = []


class PodStatus(Shape):
    phase: str = ""
    pod_ip: str = field(default="", name="podIP")
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []


class PodObject(Shape):
    metadata: Meta
    spec: PodPart = field(default_factory=PodPart)
    status: PodStatus = field(default_factory=PodStatus)

    def condition(self, kind: str) -> Condition | None:
        return next((one for one in self.status.conditions if one.type == kind), None)

    def state(self) -> State:
        """Of the container that is the job."""
        return next((one.state for one in self.status.container_statuses if one.name == "job"), State())


class EventObject(Shape):
    involved_object: Meta = field(default_factory=Meta)
    reason: str = ""
    message: str = ""
    last_timestamp: datetime | None = None
    event_time: datetime | None = None


class NodePart(Shape):
    unschedulable: bool = False


class NodeStatus(Shape):
    allocatable: dict[str, str] = {}
    conditions: list[Condition] = []


class NodeObject(Shape):
    metadata: Meta
    spec: NodePart = field(default_factory=NodePart)
    status: NodeStatus = field(default_factory=NodeStatus)

    def usable(self) -> bool:
        ready = any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)
        return ready and not self.spec.unschedulable


class QuotaStatus(Shape):
    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class QuotaObject(Shape):
    metadata: Meta
    status: QuotaStatus = field(default_factory=QuotaStatus)


class OwnerReference(Shape):
    kind: str = ""
    name: str = ""


class WorkloadMeta(Shape):
    owner_references: list[OwnerReference] = []


class WorkloadStatus(Shape):
    conditions: list[Condition] = []


class WorkloadObject(Shape):
    """What Kueue makes of a Job."""

    metadata: WorkloadMeta
    status: WorkloadStatus = field(default_factory=WorkloadStatus)

    def job(self) -> str:
        """The name of the Job."""
        return next((one.name for one in self.metadata.owner_references if one.kind == "Job"), "")

    def waits(self) -> str | None:
        """What Kueue says of why it is not let go yet; None if it is."""
        by = {one.type: one for one in self.status.conditions}
        if "Admitted" in by and by["Admitted"].status == "True":
            return None
        return by["QuotaReserved"].message if "QuotaReserved" in by else ""


class ListMeta(Shape):
    resource_version: str = ""
    continue_: str = field(default="", name="continue")


_UNITS = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}
_UNITS |= {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}


def quantity(text: str) -> float:
    """``500m`` is 0.5, ``2Gi`` is 2147483648; 0 of what is none."""
    text = str(text).strip()
    for length in (2, 1):
        unit = _UNITS.get(text[-length:])
        if unit is not None and text[:-length]:
            text, factor = text[:-length], unit
            break
    else:
        factor = 1.0
    try:
        return float(text) * factor
    except ValueError:
        return 0.0
