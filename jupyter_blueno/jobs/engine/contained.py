"""Runs one job as the main process of a container: ``python -I -m`` this module, with the job's folder.

It is the supervisor of every job. What it would be given by a dispatcher, the
container has: its cores, its memory, its GPUs. A container can be taken away at
any time, as when its machine is: then another one begins on the same folder,
and the work begins another attempt. So this ends with 0 when the job's end is on
record, and with `MOVED` when it is not and the work is to go on elsewhere.
"""

from __future__ import annotations

import os
import sys
import time

from jupyter_blueno.jobs.engine import birth, memory, processes
from jupyter_blueno.jobs.engine.limits import Limits
from jupyter_blueno.jobs.engine.supervisor import Supervisor
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOVED = 75  # what sysexits.h calls a failure that passes
NOT_STARTED = 71  # and one of the system: nothing has begun
INSIDE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "inside")
LISTENING = 0.2  # seconds between attempts to get the folder's lock
TELLING = 20.0  # seconds that telling somebody of the end may take


class ContainedLimits(Limits):
    """The limits of a container: the kernel keeps them, and there is no more for anybody in it."""

    def prepare(self) -> None:
        """Nothing: the container is the group."""

    def verdict(self, status: int | None) -> str | None:
        found = super().verdict(status)
        return "out_of_memory" if found == "machine_out_of_memory" and self.limit() else found

    def limit(self) -> int | None:
        """Bytes that the container may use, if there is a limit."""
        there = memory.of_machine()
        return there if there < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") else self.memory

    def said(self, ending: str, largest: int) -> dict[str, Any]:
        said = super().said(ending, largest)  # of how much the cluster has, nothing is known here
        return said | {"memory_limit": self.memory or self.limit(), "memory_there": None}


class ContainedSupervisor(Supervisor):
    """A supervisor whose container is the job's alone, and may be taken away."""

    follows_shutdown = True

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.job = folder
        self.gpus = "all" if self.plan.get("gpu") else None  # what GPUs a container sees are its own
        self.plan["argv"] = [self._here(word) for word in self.plan["argv"]]

    def _here(self, path: str) -> str:
        """Where something lies in this container that was named by who submitted it."""
        if os.path.exists(path):
            return path
        inside = self.plan.get("inside")
        if inside and path.startswith(inside + "/"):
            return INSIDE + path[len(inside) :]
        return sys.executable if path == self.plan.get("python") else path

    def lock(self) -> bool:
        """Be the only one, however long it takes: on a machine that is lost somebody may still hold it."""
        self.listen()  # the first process of a container does not hear what it does not listen for
        while not super().lock():
            if self.shutdown:
                return False
            time.sleep(LISTENING)
        return True

    def limits_of(self) -> Limits:
        return ContainedLimits(self.plan)

    def surroundings(self) -> dict[bytes, bytes] | None:
        """What the image and the cluster say, below what the job was submitted with."""
        given = birth.environment(self.job, None, self.attempts.number)
        if given is None:
            return None
        found = dict(os.environb) | given
        paths = found.get(b"PYTHONPATH", b"").split(b":")
        if paths != [b""]:
            found[b"PYTHONPATH"] = b":".join(os.fsencode(self._here(os.fsdecode(path))) for path in paths)
        return found

    def write_status(self, state: str) -> None:
        moves = state == "FINISHING" and self.ending == "shutdown"
        super().write_status("MOVING" if moves else state)

    def attempt(self) -> str | None:
        ending = super().attempt()
        if ending == "shutdown" and self.attempts.moved("it was taken from the machine that it ran on"):
            return None
        lost = ending == "unwatched" and not self.read("ended.json")
        if lost and self.attempts.moved("the machine that it ran on was lost"):
            return self.attempt()
        return ending


def main(folder: str) -> int:
    """Run the job to its end, or until it is to go on elsewhere; returns the exit code."""
    try:
        supervisor = ContainedSupervisor(folder)
    except OSError as error:
        print(f"The job's folder cannot be read in its container: {error}", file=sys.stderr)
        return NOT_STARTED
    return attend(supervisor)


def attend(supervisor: Supervisor) -> int:
    """Let it run, and what it leaves behind; returns the container's exit code."""
    supervisor.run()
    deadline = time.monotonic() + TELLING
    with suppress(ChildProcessError):  # with this process all others end
        while processes.descendants(os.getpid()) and time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.05)
    return 0 if supervisor.read("exit.json") is not None else MOVED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
