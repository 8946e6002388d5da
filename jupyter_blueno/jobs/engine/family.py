"""All processes of one job: found, signalled, seen gone. For its supervisor; standard library only."""

from __future__ import annotations

import os
import select
import time

from jupyter_blueno.jobs.engine import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
else:
    import _signal as signal  # without its enums


class Family:
    """The job's first process and whatever came of it.

    Parameters
    ----------
    mark : str
        ``NAME=value`` that is in the environment of every process of the job.
    beat : callable
        Called now and then while somebody is waited for.
    """

    def __init__(self, mark: str, beat: Callable[[], None]) -> None:
        self.mark = mark
        self.beat = beat
        self.child = 0
        self.identity: str | None = None  # what tells the child from others that get its PID
        self.session = 0  # its session and process group; 0 if the number may be another's by now
        self.adopted = False
        self.has_all_below = processes.become_subreaper()  # none can leave by losing its parent
        self.alone = False  # known to have no process left
        self.exit_status: int | None = None  # as waitpid says it
        self.most = 0  # bytes that the largest process had in memory

    def born(self, child: int) -> None:
        """Begin with a child of ours."""
        self.child = self.session = child
        self.identity = processes.identity(child)

    def adopt(self, child: int, identity: str | None) -> None:
        """Take over what another supervisor began."""
        self.adopted = True
        self.child, self.identity = child, identity
        if self.child_lives():
            self.session = child

    def child_lives(self) -> bool:
        return self.identity is not None and processes.identity(self.child) == self.identity

    def ended(self) -> bool:
        """Collect what has ended; whether the first process is among it."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                self.alone = self.has_all_below and not self.adopted
                break
            if pid == 0:
                break
            self.most = max(self.most, used.ru_maxrss * (1024 if processes.LINUX else 1))
            if pid == self.child:
                self.exit_status = status
        return not self.child_lives() if self.adopted else self.exit_status is not None

    def all(self) -> set[int]:
        """Every process there is now."""
        found = processes.descendants(os.getpid())
        if self.adopted or not self.has_all_below:  # some may have left: look through the whole machine
            found |= processes.marked(self.mark, self.session)
        child = {self.child} if self.child_lives() else set()
        if self.adopted and child:
            found |= processes.descendants(self.child)
        # Until it runs its program, the child has the environment of a dispatcher, which is shared.
        return processes.without_shared(found - {os.getpid()}) | child

    def signal(self, number: int) -> None:
        """Send a signal to all."""
        if self.child_lives():  # else the group may be another's
            processes.send_group(self.child, number)
        processes.send(self.all(), number)

    def end(self, kindly: bool, grace: float) -> None:
        """End all: asked first if `kindly`, killed after `grace` seconds; see them gone."""
        self.signal(signal.SIGTERM if kindly else signal.SIGKILL)
        self.signal(signal.SIGCONT)  # what is paused hears nothing else
        if kindly:
            self.wait_gone(grace)
        while not self.wait_gone(0.2):
            self.signal(signal.SIGKILL)

    def wait_gone(self, seconds: float) -> bool:
        """Wait until none is left; False if some are after `seconds`."""
        deadline = time.monotonic() + seconds
        pause = 0.005
        while True:
            self.ended()
            if not self.all():
                return True
            if time.monotonic() > deadline:
                return False
            self.beat()
            select.select([], [], [], pause)  # which a clock that is set does not disturb
            pause = min(pause * 1.5, 0.1)
