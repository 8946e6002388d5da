"""Times that the machine of a job wrote down, as this one would have: its clock may be wrong, or ours."""

from __future__ import annotations

import time
from datetime import datetime

from jupyter_blueno.jobs import lifecycle
from jupyter_blueno.jobs.model import TERMINAL, Health

SILENT = 30.0  # seconds without a heartbeat
ROUGHLY = 1.0  # seconds by which clocks may differ and times are taken as they are


class Beats:
    """Heartbeats of jobs: a job is heard when its heartbeat changes, whatever time it has."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, float]] = {}  # job → its heartbeat, and when it was new to us

    def health(self, job_id: str, seen: lifecycle.Observation, state: str) -> Health:
        """How a job does that was seen so."""
        if state in TERMINAL or seen.heartbeat is None:
            self._heard.pop(job_id, None)
            return "unknown"
        now = time.monotonic()
        if abs(time.time() - seen.heartbeat) <= SILENT:
            self._heard.pop(job_id, None)
            return "ok"
        before = self._heard.get(job_id)
        if before is None:  # long silent, or by another clock: the next one tells
            self._heard[job_id] = (seen.heartbeat, now - SILENT)
            return "silent"
        if before[0] != seen.heartbeat:
            self._heard[job_id] = before = (seen.heartbeat, now)
        return "silent" if now - before[1] >= SILENT else "ok"


def started(seen: lifecycle.Observation, created_at: datetime) -> datetime | None:
    """When a job began: not before it was submitted, and not later than now."""
    return None if seen.started_at is None else lifecycle.moment(seen.started_at + _off(seen, created_at))


def finished(
    verdict: lifecycle.Verdict, seen: lifecycle.Observation, created_at: datetime, began: datetime | None
) -> datetime | None:
    """When it ended: as long after its beginning as its own machine says, and not later than now."""
    said = verdict.finished_at or time.time()
    found = lifecycle.moment(min(said + _off(seen, created_at), time.time()))
    return max(found, began) if found and began else found


def _off(seen: lifecycle.Observation, created_at: datetime) -> float:
    """Seconds to add to the times of the job's machine, as far as it is sure that they are wrong."""
    if seen.started_at is None:
        return 0.0
    first, last = created_at.timestamp(), time.time()
    if first - ROUGHLY <= seen.started_at <= last + ROUGHLY:
        return 0.0
    return min(max(seen.started_at, first), last) - seen.started_at
