"""What a job uses: processors, memory, disk and GPUs, as curves. Standard library only; Linux.

The supervisor looks every second at first, then ever more rarely, so that the
curves of a week are small; and never so often that looking is itself a load.
"""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs.engine import processes
from jupyter_blueno.jobs.lean import suppress
from jupyter_blueno.jobs.points import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_blueno.jobs.engine.family import Family
    from jupyter_blueno.jobs.engine.gpus import Gpus

FIRST = 1.0  # seconds until the first look, and between looks at first
SHARE = 500  # looks come every age / SHARE seconds
COST = 4000  # and at least so many times what a look costs apart: 0.025 % of a core


class Usage:
    """The usage of all processes of a job.

    Curves, with seconds since the start as steps: ``cpu`` (cores), ``memory``
    (bytes; resident, what its processes share is counted once), ``disk_read``
    and ``disk_write`` (bytes per second, of the disk itself), ``processes``,
    and with GPUs of its own ``gpu`` (how many were busy) and ``gpu_memory``
    (bytes).

    Parameters
    ----------
    folder : str
        The job's.
    family : Family
    devices : str, optional
        Its GPUs, as in ``CUDA_VISIBLE_DEVICES``.
    """

    def __init__(self, folder: str, family: Family, devices: str | None) -> None:
        self.family = family
        self.writer = Writer(os.path.join(folder, "usage"))
        self.devices = [one for one in (devices or "").split(",") if one]
        self.gpus: Gpus | None = None
        self.memory = Memory()
        self.next = FIRST  # seconds of age
        # Age and totals at the last look; of a job older than this process they are not known.
        self.last: tuple[float, dict[str, float]] | None = None if family.adopted else (0.0, {})

    def look(self, age: float) -> None:
        """Take a sample if it is time; `age` in seconds since the job started."""
        if age < self.next or not processes.LINUX:
            return
        began = time.process_time()
        with suppress(OSError, ValueError):
            self._sample(age)
        cost = time.process_time() - began
        self.next = age + max(FIRST, age / SHARE, cost * COST)

    def _sample(self, age: float) -> None:
        pids = processes.descendants(os.getpid())
        if len(pids) != 1 or self.family.adopted:  # else it is the first process, and that is all
            pids = self.family.all()
        if not pids:
            return
        totals = _totals(pids)
        now = {"memory": self.memory.of(pids), "processes": float(len(pids))}
        if self.last is not None and age > self.last[0]:
            for name, total in totals.items():
                grown = max(0.0, total - self.last[1].get(name, 0.0))
                now[name] = grown / (age - self.last[0])
        self.last = age, totals
        if self.devices:
            now |= self._of_gpus()
        moment = time.time()
        for name in ORDER:
            if name in now:
                self.writer.add(name, now[name], age, moment)
        self.writer.flush()

    def _of_gpus(self) -> dict[str, float]:
        if self.gpus is None:
            if not TYPE_CHECKING:  # loads NVIDIA's library: only where there is a GPU
                from gpus import Gpus

            self.gpus = Gpus(self.devices)
        return self.gpus.sample()


ORDER = ("cpu", "memory", "gpu", "gpu_memory", "disk_read", "disk_write", "processes")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _totals(pids: set[int]) -> dict[str, float]:
    """Seconds of processor time and bytes of disk since each began.

    A process that was waited for is in its parent's numbers, so nothing is lost
    when it ends: orphans come to us, and are in ours.
    """
    times = os.times()
    found = {"cpu": times.children_user + times.children_system, "disk_read": 0.0, "disk_write": 0.0}
    for pid in pids:
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            found["cpu"] += sum(map(int, fields[11:15])) / _TICK
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/io", "rb") as file:
            lines = file.read().split()
            found["disk_read"] += int(lines[lines.index(b"read_bytes:") + 1])
            found["disk_write"] += int(lines[lines.index(b"write_bytes:") + 1])
    return found


class Memory:
    """Bytes of memory that processes hold; pages that several share are counted once.

    Of a single process it is the resident size, which costs nothing to ask. The
    proportional shares (PSS) of several take the system some milliseconds a
    gigabyte: they are asked now and then, and what was found to be shared is
    taken off the resident sizes in between.
    """

    def __init__(self) -> None:
        self.next = 0.0  # seconds of CLOCK_MONOTONIC
        self.alone = 1.0  # part of the resident sizes that is left when sharing is taken off

    def of(self, pids: set[int]) -> float:
        sizes = _sum(_resident, pids)
        if len(pids) < 2 or not sizes:
            return sizes
        now = time.monotonic()
        if now >= self.next:
            began = time.process_time()
            self.alone = min(1.0, _sum(_share, pids) / sizes)
            self.next = now + COST * (time.process_time() - began)
        return sizes * self.alone


def _sum(of: Callable[[int], int], pids: set[int]) -> float:
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            total += of(pid)
    return float(total)


def _share(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            words = file.read().split()
        return int(words[words.index(b"Pss:") + 1]) * 1024
    except (OSError, ValueError, IndexError):  # another's, or an old kernel
        return _resident(pid)


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE
