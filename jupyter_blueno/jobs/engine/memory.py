"""How much memory processes use, read from /proc. Standard library only.

Counted is what the system cannot take back: memory of their own and memory they
share by name. Pages of files they mapped (a dataset of 100 GB, say) are not.
"""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine.processes import LINUX
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def at_most(pids: Iterable[int]) -> int:
    """Bytes in use, where pages that several share count once for each: some 30 µs a process."""
    if not LINUX:
        return _resident(pids)
    return sum(_sum(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:")) for pid in pids)


def exact(pids: Iterable[int]) -> int:
    """Bytes in use, where each of n sharers has an nth of a page: some 10 ms a GB."""
    if not LINUX:
        return _resident(pids)
    return sum(_sum(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon:", b"Pss_Shmem:")) for pid in pids)


def of_machine() -> int:
    """Bytes of memory of the machine, or what this process's group may have of it."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _own_groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError), open(os.path.join(path, name)) as file:
                there = min(there, int(file.read()))  # "max" is no number
    return there


def kills_beside() -> int | None:
    """How many processes the system has ended for memory in our own control group since it was made.

    Those in other groups are not counted: they may have reached a limit of their
    own. Without a group that tells, it is all that were ended on the machine;
    None where nothing tells.
    """
    global _counter
    if _counter:
        with suppress(OSError, ValueError, IndexError):
            return _kills(_counter)
    groups = _own_groups()[:1]
    files = [
        os.path.join(one, name) for one in groups for name in ("memory.events.local", "memory.oom_control")
    ]
    for path in (*files, "/proc/vmstat"):
        with suppress(OSError, ValueError, IndexError):
            found = _kills(path)
            _counter = path
            return found
    return None


_counter = ""  # the file that told, which does not change as long as nobody moves this process


def _kills(path: str) -> int:
    return int((b"\n" + lean.read(path)).split(b"\noom_kill ", 1)[1].split(b"\n", 1)[0])


def _own_groups() -> list[str]:
    """Folders of the control groups this process is in, outermost last."""
    found = []
    with suppress(OSError):
        for line in lean.read("/proc/self/cgroup").decode().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds and "memory" not in kinds.split(","):
                continue
            root = "/sys/fs/cgroup" + (f"/{kinds}" if kinds else "")
            if not os.path.isdir(root + path):  # a container sees its own group as the outermost one
                path = "/"
            while True:
                found.append(root + path)
                if path in ("/", ""):
                    break
                path = os.path.dirname(path)
    return found


def _sum(path: str, names: tuple[bytes, ...]) -> int:
    """Bytes of these lines, which are in KiB; a process that is gone uses nothing."""
    total = 0
    with suppress(OSError, ValueError):
        for line in lean.read(path).split(b"\n"):
            if line.startswith(names):
                total += int(line.split()[1]) * 1024
    return total


def _resident(pids: Iterable[int]) -> int:
    import subprocess

    asked = ["ps", "-o", "rss=", "-p", ",".join(map(str, pids)) or "0"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return sum(int(word) * 1024 for word in answer.split())
