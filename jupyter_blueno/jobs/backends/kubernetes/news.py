"""What the cluster's parts said lately of Jobs without a pod, and of pods without a node."""

from __future__ import annotations

import contextlib
import threading
import time

from jupyter_blueno.jobs.backends.kubernetes import words
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.shapes import EventObject

FRESH = 5.0  # seconds that an answer is good for
REASONS = ("FailedCreate", "TriggeredScaleUp", "NotTriggerScaleUp")


class News:
    """Reads the events of a namespace when somebody wants to know. Thread-safe."""

    def __init__(self, access: Access, namespace: str) -> None:
        self.access = access
        self.path = f"/api/v1/namespaces/{namespace}/events"
        self._said: dict[str, EventObject] = {}
        self._asked = -FRESH
        self._lock = threading.Lock()

    def of_job(self, name: str) -> str | None:
        """Why no pod is made for a Job."""
        event = self._newest().get(name)
        return None if event is None or event.reason != "FailedCreate" else words.refused(event.message)

    def of_pod(self, name: str) -> str | None:
        """What the autoscaler does about a pod."""
        event = self._newest().get(name)
        return None if event is None else words.scaling(event.reason, event.message)

    def _newest(self) -> dict[str, EventObject]:
        with self._lock:
            if time.monotonic() - self._asked >= FRESH:
                self._asked = time.monotonic()
                with contextlib.suppress(Refused, Unreachable):
                    self._said = self._ask()
            return self._said

    def _ask(self) -> dict[str, EventObject]:
        found: dict[str, EventObject] = {}
        for reason in REASONS:
            events, _ = self.access.every(self.path, EventObject, [("fieldSelector", f"reason={reason}")])
            for event in sorted(events, key=_when):
                known = found.get(event.involved_object.name)
                if known is None or _when(known) <= _when(event):
                    found[event.involved_object.name] = event
        return found


def _when(event: EventObject) -> float:
    moment = event.last_timestamp or event.event_time
    return moment.timestamp() if moment else 0.0
