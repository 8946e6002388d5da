"""Processes of the system: who they are, whose they are. Standard library only.

On Linux from /proc; elsewhere from `ps`, whose answers cost some milliseconds.
"""

from __future__ import annotations

import os
import sys
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # without its enums

LINUX = sys.platform.startswith("linux")


def identity(pid: int) -> str | None:
    """What tells this process from any other that has, had or gets its PID.

    The boot and the start time; None when it does not run (a zombie does not).
    """
    if LINUX:
        found = _stat(pid)
        return None if found is None else f"{_boot()}/{found[1]}"
    return next((one[3] for one in _listing(pid) if one[0] == pid), None)


def own_identity() -> str | None:
    """The same of this process, which does not change."""
    global _own
    pid = os.getpid()
    if _own[0] != pid:  # the first time, or in a fork
        _own = (pid, identity(pid))
    return _own[1]


def children(pid: int) -> list[int]:
    """Direct children; empty on systems that do not tell cheaply."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found.extend(map(int, lean.read(f"/proc/{pid}/task/{task}/children").split()))
    return found


def descendants(root: int) -> set[int]:
    """All processes below `root`, without it."""
    if not LINUX:
        return _below(root)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        new = [pid for pid in children(waiting.pop()) if pid not in found]
        found.update(new)
        waiting.extend(new)
    return {pid for pid in found if identity(pid) is not None}


def marked(mark: str, session: int) -> set[int]:
    """Processes with `mark` (``NAME=value``) in their first environment, or in `session`.

    Finds also those that left their parent, their group and their session.
    `session` 0 is none: the system's own processes have that number.
    """
    if not LINUX:
        return {pid for pid, _, leader, _ in _listing() if leader == session != 0}
    wanted = mark.encode()
    found: set[int] = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        pid = int(entry)
        with suppress(OSError):
            environment = lean.read(f"/proc/{pid}/environ")
            ours = wanted in environment.split(b"\0")
            if (ours or (session > 1 and os.getsid(pid) == session)) and identity(pid) is not None:
                found.add(pid)
    return found


def without_shared(found: set[int]) -> set[int]:
    """Leave out servers that others use too (``BLUENO_SHARED`` in their environment), with all below them."""
    if not LINUX:
        return found
    kept = set(found)
    for pid in found:
        with suppress(OSError):
            if b"\0BLUENO_SHARED=1\0" in b"\0" + lean.read(f"/proc/{pid}/environ"):
                kept -= {pid} | descendants(pid)
    return kept


def send(pids: set[int], number: int) -> None:
    """Send a signal to each; those that are gone by now do not matter."""
    for pid in pids - {0, 1}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def send_group(group: int, number: int) -> None:
    """Send a signal to a process group at once."""
    if group <= 1:  # our own group, or everybody
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def clock() -> float:
    """Seconds since boot, also while asleep where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def threads_on_machine() -> int:
    """How many threads the whole machine has: one small read. 0 where unknown."""
    try:
        return int(lean.read("/proc/loadavg").split()[3].split(b"/")[1])
    except (OSError, ValueError, IndexError):
        return 0


def become_subreaper(yes: bool = True) -> bool:
    """Let orphans below this process become its children rather than init's; whether they will (Linux)."""
    if LINUX:
        with suppress(ImportError, OSError, AttributeError):
            import _ctypes  # what ctypes is made of, without its 5 ms

            prctl = _ctypes.dlsym(_ctypes.dlopen(None, 2), "prctl")  # type: ignore[arg-type]
            # PR_SET_CHILD_SUBREAPER
            return int(_ctypes.call_cdeclfunction(prctl, (36, int(yes), 0, 0, 0))) == 0
    return False


def only_wake(*_: object) -> None:
    """Handle a signal that is to end a wait, and nothing else."""


def default_signals() -> None:
    """Undo this process's signal handling, for a program that is about to be run."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


_own: tuple[int, str | None] = (0, None)  # PID and identity
_boot_id = ""


def _boot() -> str:
    global _boot_id
    if not _boot_id:
        with open("/proc/sys/kernel/random/boot_id") as file:
            _boot_id = file.read().strip()
    return _boot_id


def _stat(pid: int) -> tuple[str, str] | None:
    """State and start time (clock ticks since boot)."""
    try:
        fields = lean.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    state = fields[0].decode()
    return None if state in "ZX" else (state, fields[19].decode())


def _listing(pid: int | None = None) -> list[tuple[int, int, int, str]]:
    """(pid, parent, group, start) of processes that run, by `ps`."""
    import subprocess

    which = ["-p", str(pid)] if pid is not None else ["-ax"]
    asked = ["ps", *which, "-o", "pid=,ppid=,pgid=,stat=,lstart="]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found = []
    for line in answer.splitlines():
        fields = line.split(None, 4)
        if len(fields) == 5 and not fields[3].startswith("Z"):
            found.append((int(fields[0]), int(fields[1]), int(fields[2]), fields[4].strip()))
    return found


def _below(root: int) -> set[int]:
    rows = _listing()
    found = {root}
    while new := {pid for pid, parent, _, _ in rows if parent in found and pid not in found}:
        found |= new
    return found - {root}
