"""Who is next, and whether there is room: the rules of the local queue, on their own.

Order: the higher priority first; then the person who has the fewest jobs
running, and of several the one who has waited longest for a turn; then the job
that was submitted first.

Room: a job takes one of the `at_once` places, the cores it asks for (one if it
does not say), the memory and the GPUs it asks for. Ingests have a lane and
places of their own, so that no dataset waits behind a training; so have sweeps
and flows, which wait for the jobs that they submit: these must find a place.

When the first in order does not fit, smaller ones behind it may pass. After
`PATIENCE` seconds nothing passes that takes what it lacks: what becomes free is
kept until it fits. So a large job waits for at most what was running by then.

Standard library only; nothing here touches a file or a process.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PATIENCE = 60.0  # seconds that the first in order lets others pass
DEPTH = 100  # jobs of one person that are looked at for one that fits
LANES = {"ingest": "ingest", "sweep": "conductors", "flow": "conductors"}  # by kind; others: "jobs"
PLACES = {"ingest": 2, "conductors": 100}  # of the lanes that hold nothing else


def lane_of(kind: str) -> str:
    """Where a job of this kind waits."""
    return LANES.get(kind, "jobs")


class Limits:
    """What there is to hand out: places, cores, bytes, names of GPUs."""

    def __init__(self, at_once: int = 1, cpu: float = 1, memory: float = 0, gpus: str = "") -> None:
        self.at_once = max(1, at_once)
        self.cpu = max(cpu, self.at_once)  # more jobs at once than cores, if the user says so
        self.memory = memory
        self.gpus = [name for name in gpus.split(",") if name]


class Entry:
    """What a job needs, as its file in the queue says it."""

    def __init__(self, job_id: str, priority: int, content: dict[str, Any]) -> None:
        self.id = job_id
        self.priority = priority
        self.owner = str(content.get("owner", ""))
        self.lane = str(content.get("lane", "jobs"))
        self.cpu = float(content.get("cpu") or 1)
        self.memory = float(content.get("memory") or 0)
        self.gpu = int(content.get("gpu") or 0)
        self.submitted = float(content.get("submitted") or 0)
        self.gpus = [name for name in str(content.get("gpus") or "").split(",") if name]
        self.content = content


class Order:
    """The jobs that wait and those that hold something."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting: dict[str, Entry] = {}
        self.running: dict[str, Entry] = {}
        self._lines: dict[tuple[str, int], dict[str, dict[str, Entry]]] = {}  # (lane, priority) → owner → id
        self._unsorted: set[tuple[str, int, str]] = set()
        self._turns: dict[str, int] = {}  # owner → when one of theirs was started last
        self._turn = 0
        self._passed: dict[str, float] = {}  # id → since when others may pass it

    def add(self, entry: Entry) -> None:
        """Let it wait; a job that waits already gets the new priority."""
        self.drop(entry.id)
        self.waiting[entry.id] = entry
        line = self._lines.setdefault((entry.lane, entry.priority), {}).setdefault(entry.owner, {})
        line[entry.id] = entry
        self._unsorted.add((entry.lane, entry.priority, entry.owner))

    def drop(self, job_id: str) -> None:
        """It waits no longer."""
        entry = self.waiting.pop(job_id, None)
        if entry is None:
            return
        self._passed.pop(job_id, None)
        owners = self._lines[entry.lane, entry.priority]
        del owners[entry.owner][job_id]
        if not owners[entry.owner]:
            del owners[entry.owner]

    def start(self, entry: Entry) -> None:
        """It has been started, with the GPUs that it says."""
        self.drop(entry.id)
        self.running[entry.id] = entry
        self._turn += 1
        self._turns[entry.owner] = self._turn

    def end(self, job_id: str) -> None:
        """What it held is free."""
        self.running.pop(job_id, None)

    def places(self, lane: str) -> int:
        """How many jobs of a lane run at once."""
        return PLACES.get(lane, self.limits.at_once)

    def free_gpus(self) -> list[str]:
        held = {name for entry in self.running.values() for name in entry.gpus}
        return [name for name in self.limits.gpus if name not in held]

    def cores_for(self, entry: Entry, there: list[int]) -> list[int]:
        """As many of the cores that are `there` as it asks for; those that the fewest others hold."""
        if not entry.content.get("cpu"):
            return []
        held = dict.fromkeys(there, 0)
        for one in self.running.values():
            for core in str(one.content.get("cores") or "").split(","):
                if core.isdecimal() and int(core) in held:
                    held[int(core)] += 1
        return sorted(there, key=lambda core: (held[core], core))[: max(1, int(-(-entry.cpu // 1)))]

    def next(self, now: float) -> Entry | None:
        """The job to start now, or None.

        Parameters
        ----------
        now : float
            Seconds on any clock that only goes forward.
        """
        for lane in sorted({lane for lane, _ in self._lines}):
            if sum(entry.lane == lane for entry in self.running.values()) < self.places(lane):
                found = self._fitting(lane, now)
                if found is not None:
                    return found
        return None

    def lacking(self, entry: Entry) -> set[str]:
        """What is not free of what it needs: ``cpu``, ``memory``, ``gpu``."""
        if entry.lane in PLACES:
            return set()
        others = [one for one in self.running.values() if one.lane == entry.lane]
        lacking = set()
        if sum(one.cpu for one in others) + entry.cpu > self.limits.cpu:
            lacking.add("cpu")
        if entry.memory and sum(one.memory for one in others) + entry.memory > self.limits.memory:
            lacking.add("memory")
        if entry.gpu > len(self.free_gpus()):
            lacking.add("gpu")
        return lacking

    # -- steps ------------------------------------------------------------------

    def _fitting(self, lane: str, now: float) -> Entry | None:
        kept: set[str] = set()  # what is kept for the first in order
        first = True
        for entry in self._in_order(lane):
            lacking = self.lacking(entry)
            if not lacking and not kept & _uses(entry):
                return entry
            if first and now - self._passed.setdefault(entry.id, now) >= PATIENCE:
                kept = lacking
            if "cpu" in kept:  # everybody takes some
                return None
            first = False
        return None

    def _in_order(self, lane: str) -> Iterator[Entry]:
        for priority in sorted((p for one, p in self._lines if one == lane), reverse=True):
            owners = self._lines[lane, priority]
            lines = [self._line(lane, priority, owner) for owner in self._by_turn(lane, owners)]
            for _ in range(DEPTH):
                for line in lines:
                    entry = next(line, None)
                    if entry is not None:
                        yield entry

    def _by_turn(self, lane: str, owners: dict[str, dict[str, Entry]]) -> list[str]:
        count = dict.fromkeys(owners, 0)
        for entry in self.running.values():
            if entry.lane == lane and entry.owner in count:
                count[entry.owner] += 1
        return sorted(owners, key=lambda owner: (count[owner], self._turns.get(owner, 0)))

    def _line(self, lane: str, priority: int, owner: str) -> Iterator[Entry]:
        """One person's jobs, oldest first."""
        line = self._lines[lane, priority][owner]
        if (lane, priority, owner) in self._unsorted:
            self._unsorted.discard((lane, priority, owner))
            entries = sorted(line.values(), key=lambda entry: (entry.submitted, entry.id))
            line.clear()
            line.update((entry.id, entry) for entry in entries)
        return iter(line.values())


def _uses(entry: Entry) -> set[str]:
    used = {"cpu"}
    if entry.memory:
        used.add("memory")
    if entry.gpu:
        used.add("gpu")
    return used
