"""The workers of a job, side by side on one machine. In the job's first process; standard library only.

It starts them, keeps their logs small and waits: for all of them, or for the
first that fails, which ends the others. It ends as that one did, so that to the
supervisor several workers are as one process.
"""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import birth, processes, workers
from jupyter_blueno.jobs.engine.attempts import OF_ONE_ATTEMPT
from jupyter_blueno.jobs.engine.logcap import LogCap
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # without its enums

HOST = "127.0.0.1"
LOOK = 1.0  # seconds between looks at the logs, if nobody ends


def run(job: str, plan: dict[str, Any], surroundings: dict[bytes, bytes]) -> NoReturn:
    """Run all workers, and end as they did."""
    os.environb[b"PATH"] = surroundings.get(b"PATH", os.defpath.encode())  # where the program is looked for
    here = Beside(job, plan)
    try:
        here.start(surroundings)
        birth.only_wait()
        status = here.wait()
    except BaseException:
        here.send(signal.SIGKILL)
        raise
    birth.end_as(job, status)


class Beside:
    """The workers of the job in a folder, as children of this process, each in a group of its own."""

    def __init__(self, job: str, plan: dict[str, Any]) -> None:
        self.job = job
        self.plan = plan
        self.size: int = plan["workers"]
        self.running: dict[int, int] = {}  # process → rank
        self.logs = [LogCap(workers.folder_of(job, rank), plan["log_limit"]) for rank in range(1, self.size)]

    def start(self, surroundings: dict[bytes, bytes]) -> None:
        lean.forget(self.job, workers.CAUSE)
        hosts, (port, *ports) = [HOST] * self.size, free_ports(self.size + 1)
        gpus = shares(surroundings.get(b"CUDA_VISIBLE_DEVICES"), self.size)
        for rank in range(self.size):
            own = surroundings | workers.surroundings(self.job, rank, hosts, port, ports)
            if gpus is not None:
                own[b"CUDA_VISIBLE_DEVICES"] = gpus[rank]
            self.begin(rank, own)

    def begin(self, rank: int, surroundings: dict[bytes, bytes]) -> None:
        folder = workers.folder_of(self.job, rank)
        argv = self.plan["argv"]
        actions: list[Any] = []
        if rank:
            lean.forget(folder, *OF_ONE_ATTEMPT)
            argv = lean.read_json(os.path.join(folder, "run.json"))["argv"]
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            actions = [
                (os.POSIX_SPAWN_OPEN, 1, os.path.join(folder, "log"), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ]
        pid = os.posix_spawnp(argv[0], argv, surroundings, file_actions=actions, setpgroup=0)
        self.running[pid] = rank
        workers.stands(self.job, rank, state="running", pid=pid, started_at=time.time())

    def wait(self) -> int:
        """The status of the first worker that failed, after all others were ended; 0 if none did."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        first: tuple[int, int] | None = None
        deadline = 0.0
        while self.running:
            for rank, status in self.ended():
                if status and first is None:
                    first, deadline = (rank, status), time.monotonic() + self.plan["grace"]
                    self.send(signal.SIGTERM)
                    self.send(signal.SIGCONT)  # what is paused hears nothing else
            if first and time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            pause = min([0.2 if first else LOOK, *(log.keep_small() for log in self.logs)])
            if self.running:
                signal.sigtimedwait([signal.SIGCHLD], pause)
        if first is None:
            return 0
        workers.blame(self.job, first[0], self.size)  # only now: the others may have said something, too
        return first[1]

    def ended(self) -> list[tuple[int, int]]:
        """Ranks that have ended since, with how, in the order in which they did."""
        found: list[tuple[int, int]] = []
        with suppress(ChildProcessError):
            while (answer := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                rank = self.running.pop(answer[0], None)
                if rank is not None:
                    found.append((rank, answer[1]))
                    code = os.waitstatus_to_exitcode(answer[1])
                    workers.stands(self.job, rank, state="ended", code=code, finished_at=time.time())
        return found

    def send(self, number: int) -> None:
        for pid in self.running:
            processes.send_group(pid, number)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody has now."""
    import _socket

    held = []
    try:
        for _ in range(count):
            one = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            held.append(one)
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def shares(gpus: bytes | None, count: int) -> list[bytes] | None:
    """A job's GPUs in equal parts; None where none were handed out."""
    if gpus is None:
        return None
    names = [name for name in gpus.split(b",") if name]
    each = len(names) // count
    return [b",".join(names[rank * each : (rank + 1) * each]) for rank in range(count)]
