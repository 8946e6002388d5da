"""What a job may use of the machine, and whether it keeps to it. For its supervisor; standard library only.

Memory is kept by a control group where one can be made. Elsewhere the
supervisor looks, and ends a job that stays above its limit. A limit on the
address space (``RLIMIT_AS``) is none on memory: TensorFlow and CUDA reserve many
times what they use, and do not start below one.
"""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import memory
from jupyter_blueno.jobs.engine.cgroup import Group
from jupyter_blueno.jobs.engine.family import Family
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any
else:
    import _signal as signal  # without its enums

PERIOD = 0.5  # seconds between looks
CLOSE = 0.75  # of the limit: from there on looks are more often
CLOSE_PERIOD = 0.1
LOOKS = 2  # so often it must be found above the limit
GRACE = 5.0  # seconds for the work to say in its own words that it lost a process


class Limits:
    """The limits of one job.

    Parameters
    ----------
    plan : dict
        The content of ``run.json``.
    cores : str, optional
        The cores that it was given: ``"0,3"``; by default any that are there.
    """

    def __init__(self, plan: dict[str, Any], cores: str = "") -> None:
        self.plan = plan
        self.cores = {int(core) for core in cores.split(",") if core} & set(usable_cores())
        self.memory: int | None = plan.get("memory")
        self.cpu: float | None = plan.get("cpu")
        self.group: Group | None = None
        self.most = 0  # bytes seen in use
        self.killed_at: float | None = None  # when the kernel was first seen to end one of its processes
        self.over = 0  # looks in a row that found it above the limit
        self.looked = 0.0
        self.period = 3600.0 if self.memory is None else PERIOD
        self.kills_before: int | None = None

    def prepare(self) -> None:
        """Before the job's first process is made."""
        part = self.cpu if self.cpu is not None and self.cpu % 1 else None  # whole cores are handed out
        if self.memory is not None or part is not None:
            self.group = Group.make(self.plan["id"], self.memory, part)

    def begun(self) -> None:
        """When the job's first process is under way: it waits for nothing here."""
        self.kills_before = memory.kills_beside()

    def adopt(self) -> None:
        """For a job that another supervisor began."""
        if self.memory is not None or self.cpu is not None:
            self.group = Group.found(self.plan["id"])

    def enter(self) -> None:
        """In the job's first process: take the limits on."""
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.group is not None:
            with suppress(OSError):
                self.group.enter()
        with suppress(OSError):  # if the machine runs out of memory, a job goes before a notebook
            lean.write("/proc/self/oom_score_adj", b"500")
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def exceeded(self, family: Family) -> bool:
        """Whether it used more memory than it may, and must be ended; call it often."""
        now = time.monotonic()
        if self.memory is None or now - self.looked < self.period:
            return False
        self.looked = now
        if self.group is not None:
            if self.killed_at is None and self.group.kills():
                self.killed_at = now
            return self.killed_at is not None and now - self.killed_at >= GRACE
        pids = family.all()
        used = memory.at_most(pids)
        if used > self.memory and len(pids) > 1:
            used = memory.exact(pids)
        self.most = max(self.most, used)
        self.period = CLOSE_PERIOD if used > CLOSE * self.memory else PERIOD
        self.over = self.over + 1 if used > self.memory else 0
        return self.over >= LOOKS

    def close(self) -> None:
        """After the job's last process: see what is left to see, and remove the group."""
        if self.group is not None:
            self.most = max(self.most, self.group.peak())
            if self.killed_at is None and self.group.kills():
                self.killed_at = time.monotonic()
            self.group.remove()

    def verdict(self, status: int | None) -> str | None:
        """How memory ended it, if it did: ``out_of_memory``, ``machine_out_of_memory``.

        Parameters
        ----------
        status : int, optional
            Of the first process, as waitpid says it.
        """
        if status == 0:
            return None
        if self.killed_at is not None or self.over >= LOOKS:
            return "out_of_memory"
        code = None if status is None else os.waitstatus_to_exitcode(status)
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL) and self.kills_before is not None:
            kills = memory.kills_beside()
            if kills is not None and kills > self.kills_before:
                return "machine_out_of_memory"
        return None

    def said(self, ending: str, largest: int) -> dict[str, Any]:
        """What it used and might have used (bytes), for the record; `largest` is its largest process."""
        there = memory.of_machine() if ending.endswith("out_of_memory") else None
        together = self.plan.get("together", 1)  # what is said is for each
        limit = self.memory and self.memory // together
        used = max(self.most, largest) if together == 1 else 0
        return {"memory": used or None, "memory_limit": limit, "memory_there": there and there // together}


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use; none where that cannot be chosen."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
