"""The local queue as files: what waits, what runs, and the bell that wakes the dispatcher.

::

    home/queue/
    ├── waiting/{job id}.{priority}   a small JSON file a job: what it needs, and whose it is
    ├── running/{job id}              the same, with its GPUs on a second line, until its end is on record
    ├── limits.json                   what there is to hand out
    ├── bell                          a FIFO: who writes a job's id into it wakes the dispatcher
    ├── lock                          held by the dispatcher while it lives; its PID
    └── log                           what went wrong

A job waits, or was taken, or was withdrawn: one rename or one unlink decides,
and of two who try, one fails. Standard library only.
"""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEAST, MOST = -10, 10  # priorities
MOST_RETRIES = 100
BELL_SIZE = 65536  # bytes that fit into it


class Entries:
    """The files of one queue. Holds nothing open; safe from any thread and process."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.waiting_folder = os.path.join(folder, "waiting")
        self.running_folder = os.path.join(folder, "running")

    def make(self) -> None:
        """Make the folders that are missing."""
        for path in (self.waiting_folder, self.running_folder):
            os.makedirs(path, mode=0o700, exist_ok=True)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def waiting_path(self, job_id: str, priority: int) -> str:
        return os.path.join(self.waiting_folder, f"{job_id}.{priority}")

    def running_path(self, job_id: str) -> str:
        return os.path.join(self.running_folder, job_id)

    # -- one job ------------------------------------------------------------

    def put(self, job_id: str, priority: int, needs: dict[str, Any]) -> None:
        """Let a job wait."""
        try:
            lean.write_json(self.waiting_path(job_id, priority), needs)
        except FileNotFoundError:  # the first one here
            self.make()
            lean.write_json(self.waiting_path(job_id, priority), needs)

    def priority(self, job_id: str) -> int | None:
        """The priority that it waits with; None if it does not wait."""
        if os.path.exists(self.waiting_path(job_id, 0)):  # nearly all
            return 0
        for priority in range(LEAST, MOST + 1):
            if os.path.exists(self.waiting_path(job_id, priority)):
                return priority
        return None

    def withdraw(self, job_id: str) -> bool:
        """Take it out before it is started; False if it does not wait (any more)."""
        found = False
        for priority in range(LEAST, MOST + 1):
            with suppress(FileNotFoundError):
                os.unlink(self.waiting_path(job_id, priority))
                found = True
        return found

    def move(self, job_id: str, priority: int) -> bool:
        """Give it another priority; False if it does not wait."""
        old = self.priority(job_id)
        if old is None:
            return False
        with suppress(FileNotFoundError):
            os.rename(self.waiting_path(job_id, old), self.waiting_path(job_id, priority))
            return True
        return False

    def take(self, job_id: str, priority: int) -> bool:
        """Take it out in order to start it; False if somebody was faster."""
        with suppress(FileNotFoundError):
            os.rename(self.waiting_path(job_id, priority), self.running_path(job_id))
            return True
        return False

    def is_running(self, job_id: str) -> bool:
        return os.path.exists(self.running_path(job_id))

    def hold(self, job_id: str, content: dict[str, Any]) -> None:
        """Write down what a running job holds, behind what it needs: no new file for each job."""
        descriptor = os.open(
            self.running_path(job_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666
        )
        try:
            os.write(descriptor, f"\n{lean.to_json(content)}".encode())
        finally:
            os.close(descriptor)

    def held(self, job_id: str) -> dict[str, Any]:
        """What a running job needs and holds.

        Raises
        ------
        OSError, ValueError
            It is not running any more; its file is broken.
        """
        path = self.running_path(job_id)
        first, *others = lean.read(path).split(b"\n")
        content: dict[str, Any] = lean.from_json(first or b"{}", path)
        for line in others:
            with suppress(ValueError):  # the disk was full
                content.update(lean.from_json(line, path))
        return content

    def release(self, job_id: str) -> None:
        """Give back what a job held; its entry stays in its folder, where there is one."""
        path = self.running_path(job_id)
        try:
            os.rename(path, os.path.join(os.path.dirname(self.folder), "jobs", job_id, "entry"))
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(path)

    # -- all of them ----------------------------------------------------------

    def waiting(self) -> dict[str, int]:
        """Ids of the jobs that wait, with their priorities."""
        found = {}
        for name in _listed(self.waiting_folder):
            job_id, _, priority = name.partition(".")
            found[job_id] = int(priority)
        return found

    def running(self) -> list[str]:
        """Ids of the jobs that were taken and are not known to have ended."""
        return _listed(self.running_folder)

    # -- the bell ---------------------------------------------------------------

    def ring(self, job_id: str = "") -> bool:
        """Tell the dispatcher to look at a job, or at all; False if there is no dispatcher."""
        bell = self._open_bell()
        if bell is None:
            return False
        try:
            os.write(bell, f"{job_id}\n".encode())
        except BlockingIOError:
            pass  # so much waits to be read that it will look at everything
        except OSError:
            return False
        finally:
            os.close(bell)
        return True

    def attended(self) -> bool:
        """Whether a dispatcher listens."""
        bell = self._open_bell()
        if bell is not None:
            os.close(bell)
        return bell is not None

    def _open_bell(self) -> int | None:
        try:
            return os.open(self.path("bell"), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # no FIFO yet, or nobody reads it
            return None


def _listed(folder: str) -> list[str]:
    """The files that are whole: those being written begin with a dot."""
    try:
        return [name for name in os.listdir(folder) if name[0] != "."]
    except FileNotFoundError:
        return []
