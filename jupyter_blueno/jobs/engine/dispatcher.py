"""Starts the jobs that wait, in a process of its own: ``python -I -S dispatch.py QUEUE``.

There is one for each data folder while something waits or runs: whoever submits
starts it, it holds a lock, and it ends by itself. It knows no database and no
server. Each job gets a supervisor, a fork of the dispatcher (`crew.py`): no
interpreter has to start, and the fork holds nothing of what its parent had open.

A dispatcher that dies harms nothing: jobs and supervisors go on, and the next
one reads from the files what waits and what is held. Who starts it: whoever
submits or looks next, or else the supervisor of the job that ends next.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import cgroup, memory, processes
from jupyter_blueno.jobs.engine.crew import Crew
from jupyter_blueno.jobs.engine.entries import BELL_SIZE, Entries
from jupyter_blueno.jobs.engine.limits import usable_cores
from jupyter_blueno.jobs.engine.order import Entry, Limits, Order
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # without its enums

DISPATCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dispatch.py")
LINGER = 15.0  # seconds without work before it ends
TICK = 5.0  # between looks at everything; the bell tells what is new
ANXIOUS_TICK = 0.5  # while a job has a supervisor that is not ours, or none
LOCK_PATIENCE = 10.0
LAUNCHES = 5  # attempts to get a job's process up


class Running:
    """A job that holds something: its supervisor, if it is our child, and attempts to start it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.supervisor = 0
        self.launches = 0
        self.not_before = 0.0


class Dispatcher:
    """The one that hands out what a machine has.

    Parameters
    ----------
    folder : str
        ``home/queue``; the jobs' folders are in ``home/jobs``.
    """

    def __init__(self, folder: str) -> None:
        self.entries = Entries(folder)
        self.jobs = os.path.join(os.path.dirname(folder), "jobs")
        self.order = Order(Limits())
        self.running: dict[str, Running] = {}
        self.bell = self.bell_end = -1
        self.looked = 0.0
        self.listed: int | None = None  # when the folder of what waits had changed, at the last look

    def run(self) -> None:
        os.chdir("/")
        self.entries.make()
        if not self.lock():
            return
        cgroup.step_out()
        os.ftruncate(self.lock_file, 0)
        os.write(self.lock_file, str(os.getpid()).encode())  # for people who look; the lock is what counts
        self.open_log()
        _import_early()
        self.crew = Crew(self.jobs, self.entries.ring, self.stand_in)
        self.listen()
        self.open_bell()
        self.look()
        busy = time.monotonic()
        while True:
            self.reap()
            self.check()
            self.fill()
            now = time.monotonic()
            if self.order.waiting or self.running:
                busy = now
            elif now - busy >= LINGER:
                if self.leave():
                    return
                busy = now
            if not self.wait() and self.evicted():
                return

    # -- one a queue --------------------------------------------------------------

    def lock(self) -> bool:
        """Be the only one; False if there is another who listens."""
        self.lock_file = os.open(self.entries.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:  # it may be about to leave, or to open its ears
                if self.entries.ring() or time.monotonic() > deadline:
                    return False
            time.sleep(0.01)

    def evicted(self) -> bool:
        """Whether the queue's folder is no longer there, or another one."""
        try:
            found = os.stat(self.entries.path("lock"))
        except OSError:
            return True
        ours = os.fstat(self.lock_file)
        return (found.st_ino, found.st_dev) != (ours.st_ino, ours.st_dev)

    def leave(self) -> bool:
        """Go deaf, then look once more: who comes later finds nobody, and starts another."""
        self.close_bell()
        self.look()
        if not self.order.waiting and not self.running:
            return True
        self.open_bell()
        self.look()
        return False

    def open_log(self) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(self.entries.path("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(log)

    # -- hearing --------------------------------------------------------------------

    def listen(self) -> None:
        self.wake, self.wake_end = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.wake_end, False)
        signal.set_wakeup_fd(self.wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, processes.only_wake)

    def open_bell(self) -> None:
        path = self.entries.path("bell")
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        self.bell = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.bell_end = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # so that it never ends

    def close_bell(self) -> None:
        os.close(self.bell)
        os.close(self.bell_end)

    def wait(self) -> bool:
        """Wait until something happens; False if nothing did for a while."""
        poller = select.poll()
        poller.register(self.wake, select.POLLIN)
        poller.register(self.bell, select.POLLIN)
        anxious = any(not one.supervisor for one in self.running.values())
        happened = poller.poll(1000 * (ANXIOUS_TICK if anxious else TICK))
        with suppress(BlockingIOError):
            os.read(self.wake, 4096)
        with suppress(BlockingIOError):
            told = os.read(self.bell, BELL_SIZE)
            if len(told) == BELL_SIZE or b"\n\n" in b"\n" + told:
                self.look()
            else:
                for word in told.split():
                    self.look_at(word.decode())
        if time.monotonic() - self.looked >= TICK:
            self.look()
        return bool(happened)

    # -- what there is ------------------------------------------------------------

    def look(self) -> None:
        """Look at everything."""
        self.looked = time.monotonic()
        self.crew.dismiss()
        with suppress(OSError, ValueError, TypeError):
            self.order.limits = Limits(**lean.read_json(self.entries.path("limits.json")))
        with suppress(OSError):
            changed = os.stat(self.entries.waiting_folder).st_mtime_ns
            if changed != self.listed or time.time_ns() - changed < 1e9:  # its clock ticks slowly
                self.listed = changed
                there = self.entries.waiting()
                for job_id in [one for one in self.order.waiting if one not in there]:
                    self.order.drop(job_id)
                for job_id, priority in there.items():
                    self.admit(job_id, priority)
        for job_id in self.entries.running():
            self.adopt(job_id)

    def look_at(self, job_id: str) -> None:
        """Look at one job."""
        if job_id in self.running:
            if self.ended(job_id):
                self.free(job_id)
        elif (priority := self.entries.priority(job_id)) is not None:
            self.admit(job_id, priority)
        else:
            self.order.drop(job_id)
            if self.entries.is_running(job_id):
                self.adopt(job_id)

    def admit(self, job_id: str, priority: int) -> None:
        """Let it wait in order, if it does not yet."""
        known = self.order.waiting.get(job_id)
        if known is not None and known.priority == priority:
            return
        with suppress(OSError, ValueError):
            content = lean.read_json(self.entries.waiting_path(job_id, priority))
            self.order.add(Entry(job_id, priority, content))

    def adopt(self, job_id: str) -> None:
        """Know of a job that was started by another dispatcher, or that lost its watch."""
        if job_id in self.running:
            return
        try:
            entry = Entry(job_id, 0, self.entries.held(job_id))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            entry = Entry(job_id, 0, {})
        self.order.start(entry)
        self.running[job_id] = Running(entry)

    # -- starting -------------------------------------------------------------------

    def fill(self) -> None:
        """Start what there is room for."""
        while (entry := self.order.next(time.monotonic())) is not None:
            if not self.entries.take(entry.id, entry.priority):  # withdrawn, or its priority changed
                self.entries.make()  # somebody may have tidied up too well
                self.order.drop(entry.id)
                self.look_at(entry.id)
                continue
            entry.gpus = self.order.free_gpus()[: entry.gpu]
            cores = self.order.cores_for(entry, usable_cores())
            holds = {"gpus": ",".join(entry.gpus), "cores": ",".join(map(str, cores)), "since": time.time()}
            with suppress(OSError):  # a full disk: what it holds is known here
                self.entries.hold(entry.id, holds)
            entry.content |= holds
            self.order.start(entry)
            self.running[entry.id] = Running(entry)
            self.launch(self.running[entry.id])

    def launch(self, one: Running) -> None:
        """Start a supervisor on the job's folder."""
        one.launches += 1
        one.not_before = time.monotonic() + 0.2 * one.launches
        gpus = ",".join(one.entry.gpus) if self.order.limits.gpus else None
        try:
            one.supervisor = self.crew.send(one.entry.id, gpus, str(one.entry.content.get("cores") or ""))
        except OSError as error:
            print(f"No process for {one.entry.id}: {error}", flush=True)
            one.launches -= 1
            one.not_before += 1

    def stand_in(self, job_id: str) -> None:
        """After the end of a job whose dispatcher died: have the queue move on."""
        if self.ended(job_id):
            self.entries.release(job_id)
        if not self.entries.ring(job_id) and (self.entries.waiting() or self.entries.running()):
            processes.become_subreaper(False)  # it would outlast this program
            os.execv(sys.executable, [sys.executable, "-I", "-S", DISPATCH, self.entries.folder])

    # -- ending -----------------------------------------------------------------------

    def reap(self) -> None:
        """Collect the supervisors that ended."""
        for job_id in self.crew.ended():
            one = self.running.get(job_id)
            if one is not None:
                one.supervisor = 0

    def check(self) -> None:
        """Free what ended jobs held; have those watched that nobody watches."""
        now = time.monotonic()
        for job_id, one in list(self.running.items()):
            if one.supervisor:
                continue
            if self.ended(job_id):
                self.free(job_id)
            elif now >= one.not_before and not self.supervised(job_id):
                if one.launches >= LAUNCHES and not os.path.exists(self.job_path(job_id, "status.json")):
                    self.give_up(job_id)
                else:
                    self.launch(one)

    def free(self, job_id: str) -> None:
        """Give back what a job held; its supervisor may still be tidying up."""
        self.entries.release(job_id)
        del self.running[job_id]
        self.order.end(job_id)

    def job_path(self, job_id: str, name: str) -> str:
        return os.path.join(self.jobs, job_id, name)

    def ended(self, job_id: str) -> bool:
        """Whether its end is on record, or all of it was deleted."""
        with suppress(OSError):
            if os.stat(self.job_path(job_id, "exit.json")).st_size > 0:
                return True
        return not os.path.exists(self.job_path(job_id, "run.json"))

    def supervised(self, job_id: str) -> bool:
        """Whether somebody holds the lock of the job's folder."""
        with suppress(FileNotFoundError):
            lock = os.open(self.job_path(job_id, "lock"), os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(lock)
        return False

    def give_up(self, job_id: str) -> None:
        """Put on record that it could not be started."""
        said = ""
        with suppress(OSError), open(self.job_path(job_id, "supervisor.log"), errors="replace") as log:
            said = (log.read().strip().splitlines() or [""])[-1].rstrip(".")
        why = said or "it says nothing of why"
        reason = f"It could not be started, {LAUNCHES} times: {why}. Submit it again."
        with suppress(OSError):
            lean.write_json(
                self.job_path(job_id, "exit.json"),
                {"ending": "not_started", "finished_at": time.time(), "reason": reason},
            )


def _import_early() -> None:
    """What a supervisor and its child need, before the fork: they share it."""
    with suppress(ImportError):
        import _ctypes  # noqa: F401
        import resource  # noqa: F401
    processes.identity(os.getpid())
    memory.kills_beside()
