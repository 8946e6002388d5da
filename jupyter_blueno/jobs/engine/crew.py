"""The supervisors of a dispatcher: forks of it, that go on with another job when one is done.

A fork copies each page of memory that either of the two touches afterwards, which
is most of what watching over a short job costs. So who is done rests, and is
woken with the next job. Nothing depends on it: one that dies or is not there is
replaced by a new fork. Standard library only.
"""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine.supervisor import Supervisor
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any, NoReturn
else:
    import _signal as signal  # without its enums

MANY = 1000  # jobs after which a supervisor makes room for a new one


class Crew:
    """Processes that watch over one job after the other.

    Parameters
    ----------
    jobs : str
        The folder of the jobs' folders.
    on_end : callable
        Called in the supervisor with the id of a job whose end is on record.
    on_orphaned : callable
        Called in a supervisor whose dispatcher died, with the job that it was at.
    """

    def __init__(
        self, jobs: str, on_end: Callable[[str], object], on_orphaned: Callable[[str], object]
    ) -> None:
        self.jobs = jobs
        self.on_end = on_end
        self.on_orphaned = on_orphaned
        self.pid = os.getpid()
        self.at: dict[int, str] = {}  # each process and its job, or its last one
        self.ears: dict[int, int] = {}  # what each listens to: the end that we write into
        self.resting: list[int] = []
        self.done: list[str] = []
        self.heard, self.said = os.pipe()  # who rests says so here
        os.set_blocking(self.heard, False)

    def send(self, job_id: str, gpus: str | None, cores: str) -> int:
        """Have somebody watch over a job, from its beginning or from where it is; returns the process.

        Raises
        ------
        OSError
            The system has no process for it.
        """
        task = {"id": job_id, "gpus": gpus, "cores": cores}
        self._listen()
        while self.resting:
            pid = self.resting.pop()
            with suppress(OSError):  # it died: that is seen in `ended`
                os.write(self.ears[pid], lean.to_json(task).encode())
                self.at[pid] = job_id
                return pid
        ear, mouth = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(mouth)
            raise
        finally:
            if os.getpid() == self.pid:
                os.close(ear)
        if pid == 0:
            self._work(task, ear)
        self.at[pid], self.ears[pid] = job_id, mouth
        return pid

    def ended(self) -> list[str]:
        """Jobs that have no supervisor any more since the last call: it rests, or it ended."""
        self._listen()
        found, self.done = self.done, []
        while self.at:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                found += self.at.values()
                for one in list(self.at):
                    self._forget(one)
                break
            if pid == 0:
                break
            found.append(self._forget(pid))
        return found

    def dismiss(self) -> None:
        """Let those go who rest: what they cost is saved by a next job alone."""
        self._listen()
        while self.resting:
            os.close(self.ears.pop(self.resting.pop()))

    def _forget(self, pid: int) -> str:
        ear = self.ears.pop(pid, None)
        if ear is not None:
            os.close(ear)
        if pid in self.resting:
            self.resting.remove(pid)
        return self.at.pop(pid, "")

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            told = os.read(self.heard, 4096)
            who = (int.from_bytes(told[at : at + 4], "little") for at in range(0, len(told), 4))
            for pid in who:
                if pid in self.ears:
                    self.resting.append(pid)
                    self.done.append(self.at[pid])

    # -- in the fork ------------------------------------------------------------------

    def _work(self, task: dict[str, Any], ear: int) -> NoReturn:
        """Let go of all that is the dispatcher's, then watch over jobs until there are no more."""
        try:
            _close_all_but(ear, self.said)
            os.setsid()
            for _ in range(MANY):
                self._watch(task)
                if os.getppid() != self.pid:
                    self.on_orphaned(task["id"])
                    break
                if not _is_alone():
                    break
                _calm()
                _close_all_but(ear, self.said)
                os.write(self.said, os.getpid().to_bytes(4, "little"))
                words = os.read(ear, 65536)
                if not words:
                    break
                task = lean.from_json(words, "what the dispatcher says")
        except BaseException as error:
            with suppress(OSError):  # a file of its own only where there is something to say
                said = f"{type(error).__name__}: {error}\n".encode()
                lean.write(os.path.join(self.jobs, task["id"], "supervisor.log"), said, mode=0o600)
        os._exit(0)

    def _watch(self, task: dict[str, Any]) -> None:
        job_id: str = task["id"]
        folder = os.path.join(self.jobs, job_id)
        Supervisor(folder, task["gpus"], lambda: self.on_end(job_id), task["cores"]).run()


def _close_all_but(*kept: int) -> None:
    signal.set_wakeup_fd(-1)
    first = 3
    for one in sorted(kept):
        os.closerange(first, one)
        first = one + 1
    os.closerange(first, 1024)


def _calm() -> None:
    """Be told to stop as any process is: there is nothing to bring to an end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _is_alone() -> bool:
    """Whether nothing is left of a job, as who tells of its end: it would count as the next one's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
        return False
    return True
