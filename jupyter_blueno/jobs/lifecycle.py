"""The life of a job: which state follows which, and how an end is put in words.

::

    SUBMITTING → QUEUED → STARTING → RUNNING → FINISHING → SUCCEEDED | FAILED |
                                                           CANCELLED | TIMED_OUT | LOST

Forward only: a step may be left out (a short job is never seen running), none
is taken twice, and from the five states on the right there is no way on.
Nothing here touches a file, a process or the database.
"""

from __future__ import annotations

import signal
import time
from datetime import datetime
from typing import Literal

from msgspec import Struct

from jupyter_blueno.jobs.model import TERMINAL, Desired, JobKind, State

ACTIVE: tuple[State, ...] = ("SUBMITTING", "QUEUED", "STARTING", "RUNNING", "FINISHING")

PAUSED = "It is paused. It keeps its place, its memory and its GPUs; its time limit stands still, too."
NO_MORE: dict[JobKind, str] = {  # what they do is start others
    "sweep": "It is paused: it starts no more trials. Those that run go on; they are read when it continues.",
    "flow": "It is paused: it starts no more steps. Those that run go on.",
}

Phase = Literal[
    "absent", "queued", "starting", "running", "finishing", "unwatched", "ended", "gone", "unknown"
]
Ending = Literal[
    "exited",
    "cancelled",
    "timed_out",
    "too_many_processes",
    "out_of_memory",
    "machine_out_of_memory",
    "not_started",
    "shutdown",
    "unwatched",
    "evicted",
    "lost",
]


class ExitRecord(Struct, frozen=True):
    """How the work ended, as its supervisor wrote it down.

    `ok` and `reason` are what the work said of itself before it ended, if it
    did. ``unwatched`` is an end that nobody saw: the exit code is not known.
    ``evicted`` and ``lost`` are ends that a cluster made: because it used what it
    may not, and without its doing.
    `memory` (bytes) is the most that was seen in use, `memory_limit` what was
    asked for, `memory_there` what the machine has. `attempt` of `attempts` it was;
    `untried` says why there was not another one. Of several `workers` it was the
    end of the one with the rank `worker`, which ended the others.
    """

    ending: Ending
    finished_at: float  # seconds since 1970
    exit_code: int | None = None
    signal: int | None = None
    ok: bool | None = None
    reason: str | None = None
    memory: int | None = None
    memory_limit: int | None = None
    memory_there: int | None = None
    attempt: int = 1
    attempts: int = 1
    untried: str | None = None
    worker: int | None = None
    workers: int = 1


class Attempt(Struct, frozen=True):
    """The content of ``attempt.json``: the attempt after one that failed, waiting or under way."""

    number: int
    of: int
    begins_at: float  # seconds since 1970
    reason: str
    begun: bool = False

    def in_words(self) -> str:
        """``Attempt 2 of 3 begins at 14:05:30; the one before failed: …``"""
        begins = time.strftime("%H:%M:%S", time.localtime(self.begins_at))
        state = "" if self.begun else f" begins at {begins}"
        return f"Attempt {self.number} of {self.of}{state}; the one before ended: {self.reason}."


class Observation(Struct, frozen=True):
    """What a backend sees of a job at one moment.

    ``absent``: never started, and may be started. ``queued``: it waits for its
    turn. ``unwatched``: it was
    started, but whoever watches it is gone; `Backend.revive` mends that. ``gone``: it was started, it
    is no more, and there is no record of its end. ``unknown``: the backend
    cannot tell now; nothing follows from it.
    """

    phase: Phase
    started_at: float | None = None
    heartbeat: float | None = None  # when the supervisor last gave a sign of life
    record: ExitRecord | None = None
    reason: str | None = None


class Verdict(Struct, frozen=True):
    """The state that an observation leads to."""

    state: State
    reason: str | None = None
    exit_code: int | None = None
    finished_at: float | None = None


def allowed(old: State, new: State) -> bool:
    """Whether a job in `old` may become `new`."""
    if old in TERMINAL:
        return False
    return new in TERMINAL or ACTIVE.index(new) > ACTIVE.index(old)


def paused(kind: JobKind) -> str:
    """What is said of a job that stands still."""
    return NO_MORE.get(kind, PAUSED)


def judge(
    old: State,
    desired: Desired,
    seen: Observation,
    timeout: float | None = None,
    kind: JobKind = "command",
) -> Verdict:
    """What becomes of a job in state `old`, given what was seen of it.

    Parameters
    ----------
    old : State
    desired : Desired
    seen : Observation
    timeout : float, optional
        The job's limit in seconds, for the sentence.
    kind : str
        For the sentence, too.

    Returns
    -------
    Verdict
        Its state is `old` where nothing follows from the observation.
    """
    if old in TERMINAL:
        return Verdict(old)
    if seen.phase == "ended" and seen.record is not None:
        return _ended(seen.record, timeout)
    if seen.phase == "gone":
        reason = seen.reason or "Its processes are gone and left no record of how they ended."
        return Verdict("LOST", reason)
    target: dict[Phase, State] = {
        "queued": "QUEUED",
        "starting": "STARTING",
        "running": "RUNNING",
        "finishing": "FINISHING",
    }
    new = target.get(seen.phase, old)
    if not allowed(old, new):
        new = old
    if desired == "pause":
        return Verdict(new, paused(kind))
    return Verdict(new, "It is being cancelled." if desired == "cancel" else seen.reason)


def _ended(record: ExitRecord, timeout: float | None) -> Verdict:
    state, reason = _state_and_reason(record, timeout)
    return Verdict(state, reason, record.exit_code, record.finished_at)


def _state_and_reason(record: ExitRecord, timeout: float | None) -> tuple[State, str | None]:
    if record.ending == "cancelled":
        return "CANCELLED", "It was cancelled."
    if record.ending == "timed_out":
        limit = f" of {duration(timeout)}" if timeout else ""
        return "TIMED_OUT", f"It ran into its time limit{limit}; run it again with a longer one."
    if record.ending in ("out_of_memory", "machine_out_of_memory"):
        return "FAILED", memory_in_words(record)
    if record.ending in ("too_many_processes", "not_started", "evicted"):
        return "FAILED", record.reason
    if record.ending == "lost":
        return "LOST", record.reason or "It was lost, and nothing says why; run it again."
    if record.ending == "shutdown":
        return "LOST", "Its supervisor was told to stop, as when the machine shuts down; run it again."
    if record.ending == "unwatched":
        if record.ok is None:
            return "LOST", "It ended while nobody watched, and said nothing of how it ended; run it again."
        return ("SUCCEEDED", None) if record.ok else ("FAILED", record.reason)
    if record.signal is not None:
        return "FAILED", signal_in_words(record.signal)
    if record.exit_code == 0:
        return "SUCCEEDED", record.reason if record.ok else None
    return "FAILED", record.reason or f"It ended with exit code {record.exit_code}; its log says more."


def signal_in_words(number: int) -> str:
    """A sentence about a process that a signal ended."""
    name = signal_name(number) or "unknown"
    hints = {
        "SIGKILL": " Something outside killed it; nothing here did.",
        "SIGSEGV": " A native library crashed (segmentation fault); the end of the log shows where.",
        "SIGABRT": " A native library gave up; the log shows why.",
        "SIGBUS": " A file that it had mapped was cut short, or the disk is full.",
        "SIGILL": " A library is built for another processor; install one that is built for this.",
        "SIGFPE": " A native library divided by zero.",
        "SIGXFSZ": " A file grew over the limit for files.",
        "SIGTERM": " Something outside asked it to end; nothing here did.",
        "SIGINT": " Something outside interrupted it; nothing here did.",
        "SIGHUP": " Its terminal was closed.",
    }
    return f"It was ended by signal {number} ({name}).{hints.get(name, '')}"


def signal_name(number: int) -> str | None:
    """``SIGKILL`` of 9; None of what is no signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


def memory_in_words(record: ExitRecord) -> str:
    """Sentences about an end for want of memory, and what to do."""
    there = f"This machine has {amount(record.memory_there)} in all" if record.memory_there else ""
    if record.ending == "machine_out_of_memory" or not record.memory_limit:
        used = f" when this job used {amount(record.memory)}" if record.memory else ""
        hint = " Say what a job needs (memory='8G'), and fewer run at the same time." if there else ""
        return f"The machine ran out of memory{used}, and the system killed it.{there and f' {there}.'}{hint}"
    limit = record.memory_limit
    if record.memory and record.memory > 1.05 * limit:
        used = f"at {amount(record.memory)}: its limit was {amount(limit)}"
    else:
        used = f"at its limit of {amount(limit)}"
    larger = more_memory(record)
    if larger is not None:
        return f"It was killed for memory {used}. Run it again with {amount(larger)}."
    return f"It was killed for memory {used}. {there}: use smaller batches, or read the data in parts."


def more_memory(record: ExitRecord) -> int | None:
    """The limit (bytes) to try next after it ran out of memory; None where there is no more."""
    limit, there = record.memory_limit, record.memory_there
    if record.ending != "out_of_memory" or not limit:
        return None
    if not there or 2 * limit <= there:
        return 2 * limit
    most = there // 10**8 * 10**8
    return most if most >= 1.2 * limit else None


def amount(size: int | None) -> str:
    """Bytes in words: ``419 MB``, ``7.9 GB``."""
    size = size or 0
    return f"{size / 1e9:.3g} GB" if size >= 999.5e6 else f"{size / 1e6:.3g} MB"


def duration(seconds: float) -> str:
    """Seconds in words: ``90 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if seconds < 120:
        return f"{seconds:g} s"
    if whole < 7200:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else "")


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time with a zone."""
    from datetime import UTC

    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
