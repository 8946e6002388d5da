"""A control group of Linux for one job: the kernel keeps its memory and its share of the cores.

Version 2 where a group above us may have groups made in it, as below a user's
systemd; version 1 below our own group, where that may be written. Nowhere else:
whoever set a limit for us meant us to stay below it. Standard library only.
"""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False

ROOT = "/sys/fs/cgroup"
PREFIX = "blueno-job-"
PERIOD = 100_000  # µs in which the CPU time is counted


class Group:
    """The folders of one job's group: one for memory, and one for the CPU, which may be the same."""

    def __init__(self, memory: str, cpu: str | None, version: int) -> None:
        self.memory = memory
        self.cpu = cpu
        self.version = version

    @classmethod
    def make(cls, job_id: str, memory: int | None, cores: float | None) -> Group | None:
        """A group with these limits (bytes, cores); None where there can be none."""
        base = place()
        if base is None:
            return None
        version, above = base
        made = cls(os.path.join(above, PREFIX + job_id), None, version)
        try:
            _make(made.memory)
            if memory is not None:
                made._limit_memory(memory)
        except OSError:
            made.remove()
            return None
        if cores is not None:
            with suppress(OSError):
                made._limit_cpu(job_id, cores)
        return made

    @classmethod
    def found(cls, job_id: str) -> Group | None:
        """The group that another supervisor of the job made."""
        base = place()
        if base is None:
            return None
        path = os.path.join(base[1], PREFIX + job_id)
        return cls(path, _cpu_folder(job_id, base), base[0]) if os.path.isdir(path) else None

    def enter(self) -> None:
        """Put the calling process in; what it starts will be in, too.

        Raises
        ------
        OSError
            If it may not; the process is where it was.
        """
        _write(os.path.join(self.memory, "cgroup.procs"), "0")
        if self.cpu is not None and self.cpu != self.memory:
            with suppress(OSError):
                _write(os.path.join(self.cpu, "cgroup.procs"), "0")

    def peak(self) -> int:
        """The most bytes that were in use at a time; 0 where unknown."""
        for name in ("memory.peak", "memory.max_usage_in_bytes", "memory.current"):
            with suppress(OSError, ValueError):
                return int(_read(os.path.join(self.memory, name)))
        return 0

    def kills(self) -> int:
        """How many of its processes the kernel ended because the limit was reached."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        with suppress(OSError, ValueError):
            for line in _read(os.path.join(self.memory, name)).splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Remove the folders; a server that others use too and that is still in goes to the group above."""
        for path in {self.memory, self.cpu} - {None}:
            for _ in range(20):
                try:
                    os.rmdir(str(path))
                    break
                except FileNotFoundError:
                    break
                except OSError:  # in use, or its last process is not quite gone
                    _empty(str(path))
                    time.sleep(0.01)

    def _limit_memory(self, size: int) -> None:
        if self.version == 2:
            _write(os.path.join(self.memory, "memory.max"), str(size))
            with suppress(OSError):  # else it would go on, ever slower
                _write(os.path.join(self.memory, "memory.swap.max"), "0")
        else:
            _write(os.path.join(self.memory, "memory.limit_in_bytes"), str(size))
            with suppress(OSError):
                _write(os.path.join(self.memory, "memory.memsw.limit_in_bytes"), str(size))

    def _limit_cpu(self, job_id: str, cores: float) -> None:
        quota = max(1000, int(cores * PERIOD))
        if self.version == 2:
            _write(os.path.join(self.memory, "cpu.max"), f"{quota} {PERIOD}")
            self.cpu = self.memory
            return
        own = _own("cpu")
        if own is not None and os.access(own, os.W_OK):
            self.cpu = os.path.join(own, PREFIX + job_id)
            _make(self.cpu)
            _write(os.path.join(self.cpu, "cpu.cfs_period_us"), str(PERIOD))
            _write(os.path.join(self.cpu, "cpu.cfs_quota_us"), str(quota))


def place() -> tuple[int, str] | None:
    """The version, and the folder below which a job's group may be made; None if there is none."""
    own = _own("memory")
    if own is not None:
        return (1, own) if os.access(own, os.W_OK) else None
    if not os.path.exists(os.path.join(ROOT, "cgroup.controllers")):
        return None
    path = _own("")
    while path is not None and path.startswith(ROOT):
        with suppress(OSError):
            hands_on = "memory" in _read(os.path.join(path, "cgroup.subtree_control")).split()
            if hands_on and os.access(path, os.W_OK) and os.access(path + "/cgroup.procs", os.W_OK):
                return 2, path
        with suppress(OSError):
            if _read(os.path.join(path, "memory.max")).strip() != "max":
                return None  # we are kept by it, and so must our jobs be
        if path == ROOT:
            break
        path = os.path.dirname(path)
    return None


def step_out() -> None:
    """Leave the group of a job that happened to start this process, which is not part of it."""
    for kind in ("memory", "cpu", ""):
        path = _own(kind)
        if path is not None and os.path.basename(path).startswith(PREFIX):
            _move("0", path)


def _own(kind: str) -> str | None:
    """The folder of our own group, for a kind of version 1, or of version 2 (``""``)."""
    with suppress(OSError):
        for line in _read("/proc/self/cgroup").splitlines():
            _, kinds, path = line.split(":", 2)
            if kind in kinds.split(","):
                root = os.path.join(ROOT, kinds) if kinds else ROOT
                found = os.path.normpath(root + path)
                return found if os.path.isdir(found) else None
    return None


def _cpu_folder(job_id: str, base: tuple[int, str]) -> str | None:
    above = base[1] if base[0] == 2 else _own("cpu")
    path = os.path.join(above, PREFIX + job_id) if above else ""
    return path if os.path.isdir(path) else None


def _empty(path: str) -> None:
    """Move what is left to the group above."""
    with suppress(OSError):
        for pid in _read(os.path.join(path, "cgroup.procs")).split():
            _move(pid, path)


def _move(pid: str, path: str) -> None:
    """Take a process out of a group: to the one above, or to a neighbour where that may hold none."""
    above = os.path.dirname(path)
    neighbour = os.path.join(above, "blueno-shared")
    try:
        _write(os.path.join(above, "cgroup.procs"), pid)
    except OSError:
        with suppress(OSError):
            _make(neighbour)
            _write(os.path.join(neighbour, "cgroup.procs"), pid)


def _make(path: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(path)


def _read(path: str) -> str:
    return lean.read(path).decode()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
