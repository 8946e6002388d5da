"""What the cluster's parts said lately of Jobs without a pod, and of pods without a node."""

from __future__ import annotations

import time

from jupyter_blueno.jobs.backends.kubernetes import words
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused
from jupyter_blueno.jobs.backends.kubernetes.errands import Errands
from jupyter_blueno.jobs.backends.kubernetes.shapes import EventObject, WorkloadObject

FRESH = 5.0  # seconds that an answer is good for
REASONS = ("FailedCreate", "TriggeredScaleUp", "NotTriggerScaleUp")


class News:
    """Reads the events of a namespace once somebody wants to know, while nobody waits. Thread-safe."""

    def __init__(self, access: Access, namespace: str, errands: Errands) -> None:
        self.access, self.errands = access, errands
        self.path = f"/api/v1/namespaces/{namespace}/events"
        self.workloads = f"/apis/kueue.x-k8s.io/v1beta1/namespaces/{namespace}/workloads"
        self._said: dict[str, EventObject] = {}
        self._queued: dict[str, str | None] = {}  # Job's name → what Kueue says
        self._asked = self._asked_kueue = -FRESH

    def of_job(self, name: str) -> str | None:
        """Why no pod is made for a Job."""
        event = self._newest().get(name)
        return None if event is None or event.reason != "FailedCreate" else words.refused(event.message)

    def of_pod(self, name: str) -> str | None:
        """What the autoscaler does about a pod."""
        event = self._newest().get(name)
        return None if event is None else words.scaling(event.reason, event.message)

    def of_queue(self, name: str) -> str | None:
        """Why Kueue does not let a Job go, in its own words; None if it says nothing."""
        if time.monotonic() - self._asked_kueue >= FRESH:
            self.errands.do("hear", "kueue", self._ask_kueue)
        return self._queued.get(name)

    def _ask_kueue(self) -> None:
        self._asked_kueue = time.monotonic()
        try:
            found, _ = self.access.every(self.workloads, WorkloadObject)
        except Refused as error:
            if error.status not in (403, 404):  # there is no Kueue, or it may not be looked at
                raise
            found = []
        self._queued = {one.job(): one.waits() for one in found}

    def _newest(self) -> dict[str, EventObject]:
        if time.monotonic() - self._asked >= FRESH:
            self.errands.do("hear", "", self._ask)
        return self._said

    def _ask(self) -> None:
        self._asked = time.monotonic()
        found: dict[str, EventObject] = {}
        for reason in REASONS:
            events, _ = self.access.every(self.path, EventObject, [("fieldSelector", f"reason={reason}")])
            for event in sorted(events, key=_when):
                known = found.get(event.involved_object.name)
                if known is None or _when(known) <= _when(event):
                    found[event.involved_object.name] = event
        self._said = found


def _when(event: EventObject) -> float:
    moment = event.last_timestamp or event.event_time
    return moment.timestamp() if moment else 0.0
