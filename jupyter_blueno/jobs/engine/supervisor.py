"""Watches over one job, in a process of its own, which the dispatcher forks.

It starts what ``run.json`` says in a session of its own, gives signs of life,
keeps time and the size of the log, ends all processes of the job when it is
time, and writes down how it ended. It knows no database, no server and no
queue, and needs little of the standard library: it stays small.

A supervisor that dies harms nothing: the work goes on, and another one, started
on the same folder, takes the watch over. The work itself is started once in the
life of the folder, because its PID is in a file before it may run.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import birth, processes, telling
from jupyter_blueno.jobs.engine.attempts import Attempts
from jupyter_blueno.jobs.engine.family import Family
from jupyter_blueno.jobs.engine.limits import Limits
from jupyter_blueno.jobs.engine.logcap import LogCap
from jupyter_blueno.jobs.engine.processes import clock
from jupyter_blueno.jobs.engine.usage import Usage
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False  # importing typing takes a third of the start
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any
else:
    import _signal as signal  # without its enums

TICK = 0.75  # seconds between looks
HEARTBEAT = 5.0
CROWD = 64  # new threads on the machine that are worth a count of ours
RESERVE = 1 << 14  # bytes
LITTLE = 1 << 18  # bytes of free disk that are as good as none
LOCK_PATIENCE = 2.0


class Supervisor:
    """One job's folder, its process and the way to its end.

    Parameters
    ----------
    folder : str
    gpus : str, optional
        The GPUs that are the job's alone, as in ``CUDA_VISIBLE_DEVICES``; None
        where there are none to hand out.
    on_end : callable, optional
        Called once the end is on record, before the record is surely on the disk.
    cores : str
        The cores that it is to keep to: ``"0,3"``; empty: any.
    """

    follows_shutdown = False  # whether another supervisor goes on after this one was told to stop

    def __init__(
        self,
        folder: str,
        gpus: str | None = None,
        on_end: Callable[[], object] | None = None,
        cores: str = "",
    ) -> None:
        self.folder = folder
        self.gpus = gpus
        self.on_end = on_end
        self.cores = cores
        self.plan: dict[str, Any] = lean.read_json(self.path("run.json"))
        self.started_at = 0.0
        self.started_clock = 0.0  # seconds since boot, so that nobody's clock matters
        self.stood = 0.0  # seconds that it was paused
        self.stands_since: float | None = None  # on the same clock, while it is
        self.ending: str | None = None
        self.reason: str | None = None  # of an end that we made
        self.shutdown = False
        self.crowd = 0
        self.log = LogCap(folder, self.plan["log_limit"])

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def sync(self, name: str) -> None:
        """Have a file surely on the disk."""
        with suppress(OSError):
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
            os.fsync(descriptor)
            os.close(descriptor)

    def read(self, name: str) -> Any:
        return lean.told(self.path(name))

    # -- the run, from beginning to end -----------------------------------

    def run(self) -> None:
        if not self.lock() or self.read("exit.json") is not None:  # an empty one: the power went
            return
        self.listen()
        self.attempts = Attempts(self.folder, self.plan)
        while True:
            ending = self.attempt()
            if ending is None:
                return
            if not self.attempts.follows(ending, self.family.exit_status, self.read("ended.json") or {}):
                break
        self.record(ending)

    def attempt(self) -> str | None:
        """Begin the work, or go on watching it; how it ended, or None if it is left to another supervisor."""
        self.ending = self.reason = None
        self.family = Family("BLUENO_JOB_ID=" + self.plan["id"], self.beat)
        self.limits = self.limits_of()
        status = self.read("status.json") or {}
        if status.get("child") and status.get("attempt", 1) == self.attempts.number:
            self.adopt(status)
        else:
            self.wait_for_turn()
            if os.path.exists(self.path("cancel")):
                return "cancelled"
            if self.shutdown and (self.attempts.number > 1 or self.follows_shutdown):
                return None
            if not self.start():
                return "not_started"
        self.watch()
        self.clear()
        self.limits.close()
        if self.family.exit_status is None:
            self.family.exit_status = birth.witnessed(self.folder)
            if self.ending is None and birth.is_unborn(self.folder, self.family.child):
                self.forget("status.json", birth.UNBORN)
                return self.attempt()
        found = self.family.exit_status
        if self.family.adopted and found and os.WIFSIGNALED(found) and os.path.exists(self.path("cancel")):
            return "cancelled"  # as who watched before, and died, had begun
        return self.ending or self.limits.verdict(found) or ("unwatched" if found is None else "exited")

    def limits_of(self) -> Limits:
        """What the work may use."""
        return Limits(self.plan, self.cores)

    def surroundings(self) -> dict[bytes, bytes] | None:
        """The environment of the work; None if that is gone."""
        return birth.environment(self.folder, self.gpus, self.attempts.number)

    def wait_for_turn(self) -> None:
        """Let the pause before another attempt go by, unless somebody wants it to end."""
        poller = select.poll()
        poller.register(self.wake, select.POLLIN)
        while (left := self.attempts.left()) > 0:
            if self.shutdown or os.path.exists(self.path("cancel")):
                return
            self.beat()
            poller.poll(1000 * min(left, HEARTBEAT))
            with suppress(BlockingIOError):
                os.read(self.wake, 4096)

    def lock(self) -> bool:
        """Be the only one; those who only look hold the lock for a moment.

        The file is heartbeat and reserve, too: not every disk makes a new file for nothing.
        """
        self.lock_file = os.open(self.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.02)
            except OSError as error:
                return error.errno in (errno.ENOLCK, errno.ENOTSUP)

    def listen(self) -> None:
        """Signals end the waiting; what they mean is looked up then."""
        self.wake, write_end = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, processes.only_wake)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.on_shutdown)

    def on_shutdown(self, *_: Any) -> None:
        self.shutdown = True

    def start(self) -> bool:
        """Start the process; it runs the user's code only once its PID is on disk."""
        environment = self.surroundings()
        if environment is None:
            self.reason = "The environment that it was submitted with is gone; submit it again."
            return False
        try:
            environment |= birth.secrets(self.plan)
        except LookupError as error:
            self.reason = str(error.args[0])
            return False
        os.pwrite(self.lock_file, b"\0" * RESERVE, 0)  # room for the record if the disk fills up
        self.limits.prepare()
        go_read, go_write = os.pipe()
        child = os.fork()
        if child == 0:
            birth.become(self.folder, self.plan, self.limits, environment, (go_read, go_write))
        os.close(go_read)
        self.family.born(child)
        self.started_at = time.time()
        self.started_clock = clock()
        self.stood, self.stands_since = 0.0, None
        self.write_status("RUNNING")
        self.attempts.begun()
        os.write(go_write, b"g")
        os.close(go_write)
        if self.attempts.is_last and not self.follows_shutdown:
            birth.forget_environment(self.folder)
        self.limits.begun()
        return True

    def adopt(self, status: dict[str, Any]) -> None:
        """Take over the watch from a supervisor that died."""
        self.family.adopt(status["child"], status["child_identity"])
        self.limits.adopt()
        self.started_at = status["started_at"]
        self.started_clock = status["started_clock"]
        self.stood, self.stands_since = status.get("stood", 0.0), status.get("stands_since")
        if self.family.child_lives():
            self.write_status("RUNNING")

    def write_status(self, state: str) -> None:
        content: dict[str, Any] = {
            "state": state,
            "supervisor": os.getpid(),
            "supervisor_identity": processes.own_identity(),
        }
        content.update(child=self.family.child, child_identity=self.family.identity)
        content.update(started_at=self.started_at, started_clock=self.started_clock)
        content.update(stood=self.stood, stands_since=self.stands_since, attempt=self.attempts.number)
        with suppress(OSError):  # a full disk: the record is what counts
            lean.write_json(self.path("status.json"), content)

    # -- watching ------------------------------------------------------------

    def watch(self) -> None:
        """Wait until the process has ended, or end it."""
        poller = select.poll()
        poller.register(self.wake, select.POLLIN)
        if self.family.adopted and hasattr(os, "pidfd_open"):
            with suppress(OSError):
                poller.register(os.pidfd_open(self.family.child), select.POLLIN)
        usage = Usage(self.folder, self.family, self.gpus)
        beat = 0.0
        self.crowd = 0
        synced = False
        while not self.family.ended():
            now = time.monotonic()
            if now - beat >= HEARTBEAT:
                self.beat()
                beat = now
            self.stand_or_go_on()
            usage.look(clock() - self.started_clock)
            pause = self.log.keep_small()
            self.ending = self.time_to_end()
            if self.ending:
                self.end(kindly=self.ending not in ("too_many_processes", "out_of_memory"))
                return
            pause = min(TICK, pause, self.time_left(), self.limits.period)
            if not poller.poll(max(1, int(1000 * pause))) and not synced:  # of what is over, the end will be
                self.sync("status.json")
                synced = True
            with suppress(BlockingIOError):
                os.read(self.wake, 4096)

    def time_to_end(self) -> str | None:
        """Why it must end now, or None."""
        if os.path.exists(self.path("cancel")):
            return "cancelled"
        if self.shutdown:
            return "shutdown"
        if self.time_left() <= 0:
            return "timed_out"
        if self.too_many():
            self.reason = (
                f"It started more than {self.plan['process_limit']} processes at a time and was ended; "
                "look for a loop that starts processes, or use fewer workers."
            )
            return "too_many_processes"
        if self.limits.exceeded(self.family):
            return "out_of_memory"
        return None

    def time_left(self) -> float:
        timeout: float | None = self.plan.get("timeout")
        if timeout is None:
            return 3600.0
        now = self.stands_since or clock()
        return max(TICK if self.stands_since else 0.0, timeout - (now - self.started_clock - self.stood))

    def stand_or_go_on(self) -> None:
        """Pause the work, or let it go on, as somebody wants it."""
        stand = os.path.exists(self.path("paused"))
        if stand:  # again and again: some may have been born meanwhile
            self.family.signal(signal.SIGSTOP)
        if stand == (self.stands_since is not None):
            return
        if stand:
            self.stands_since = clock()
        else:
            self.family.signal(signal.SIGCONT)
            self.stood += clock() - (self.stands_since or clock())
            self.stands_since = None
        self.write_status("RUNNING")

    def too_many(self) -> bool:
        """Count our processes, but only when the machine got noticeably fuller."""
        total = processes.threads_on_machine()
        if not self.crowd or total - self.crowd < CROWD:
            self.crowd = min(self.crowd or total, total)
            return False
        count = len(processes.descendants(os.getpid()))
        if count < self.plan["process_limit"] // 2:
            self.crowd = total
        return count > int(self.plan["process_limit"])

    def beat(self) -> None:
        with suppress(OSError):
            os.utime(self.lock_file)

    # -- ending ----------------------------------------------------------------

    def end(self, kindly: bool) -> None:
        self.write_status("FINISHING")
        self.family.end(kindly, self.plan["grace"])

    def clear(self) -> None:
        """After the process ended by itself: what it left behind must go too."""
        if not self.family.alone and self.family.all() and not self.family.wait_gone(0.1):
            self.end(kindly=True)
        self.log.keep_small()

    def disk_is_full(self) -> bool:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize < LITTLE

    def record(self, ending: str) -> None:
        """Write down how it ended; the last thing that happens in the folder."""
        said = self.read("ended.json") or {}
        reason = self.reason or said.get("reason")
        if self.family.exit_status and not said and self.disk_is_full():
            reason = "The disk is full: free some space, then run it again."
        content: dict[str, Any] = {
            "ending": ending,
            "finished_at": max(time.time(), self.started_at),  # the clock may have been set back
            "ok": said.get("ok"),
            "reason": reason,
            **self.limits.said(ending, self.family.most),
            "attempt": self.attempts.number,
            "attempts": self.attempts.most,
            "untried": self.attempts.untried,
            **(self.read("cause.json") or {}),
        }
        if self.family.exit_status is not None:
            code = os.waitstatus_to_exitcode(self.family.exit_status)
            content["signal" if code < 0 else "exit_code"] = abs(code)
        while True:
            try:
                lean.write_json(self.path("exit.json"), content, spare=self.path(birth.SPARE))
                break
            except OSError:
                with suppress(OSError):
                    if os.fstat(self.lock_file).st_size:
                        os.ftruncate(self.lock_file, 0)
                        continue
                if not os.path.isdir(self.folder):
                    return
                time.sleep(1)
        if self.on_end is not None:  # what it held is of use before the disk is done
            self.on_end()
        self.sync("exit.json")
        with suppress(OSError):
            os.ftruncate(self.lock_file, 0)
        self.forget("environ", "paused", birth.SPARE)
        went_well = ending == "exited" and self.family.exit_status == 0
        if ending != "cancelled":
            telling.have_told(self.folder, self.plan, went_well, clock() - self.started_clock)

    def forget(self, *names: str) -> None:
        """Remove files that are there no more than now."""
        lean.forget(self.folder, *names)
