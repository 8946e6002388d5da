"""Jobs as processes of this machine, each under a supervisor in a session of its own.

They wait in a queue of files (`entries.py`) and are started by a dispatcher
(`dispatcher.py`), which any process may start and which needs none of them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from jupyter_blueno.config import Config, usable_cores
from jupyter_blueno.errors import InvalidInput, Unavailable
from jupyter_blueno.jobs.backends.base import Backend, Handle
from jupyter_blueno.jobs.engine import memory, processes, waiting
from jupyter_blueno.jobs.engine.dispatcher import DISPATCH
from jupyter_blueno.jobs.engine.entries import Entries
from jupyter_blueno.jobs.engine.order import Limits, Order, lane_of
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord, Observation
from jupyter_blueno.jobs.model import Claim, Resources
from jupyter_blueno.jobs.sending.outlook import Room

HARMLESS = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
STARTING = 5.0  # seconds that a dispatcher may take until it listens


class SupervisorStatus(Struct, frozen=True):
    """What the supervisor says of itself and of the process."""

    state: str
    supervisor: int
    supervisor_identity: str | None
    child: int
    child_identity: str | None
    started_at: float


class LocalBackend(Backend):
    """See `Backend`."""

    name = "local"
    here = True

    def __init__(self, config: Config) -> None:
        self.config = config
        self.entries = Entries(str(config.home_path / "queue"))
        self._dispatcher: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._lock = threading.Lock()

    def start(self, job_id: str, folder: JobFolder, claim: Claim, environment: dict[str, str]) -> Handle:
        if folder.has("exit.json") or folder.has("status.json"):
            return {}
        if folder.has("cancel"):
            folder.end(ExitRecord("cancelled", time.time()), unbegun=True)
            return {}
        try:
            self._put(job_id, folder, claim, environment)
            self._wake(job_id)
        except OSError as error:
            self.entries.withdraw(job_id)
            raise Unavailable(
                f"The job cannot be queued: {error.strerror or error}. Mend that, then submit it again.",
                code="queue_unavailable",
            ) from error
        return {}

    def _put(
        self, job_id: str, folder: JobFolder, claim: Claim, environment: dict[str, str], durable: bool = True
    ) -> None:
        # Nothing waits whose environment was not written first.
        waits = folder.has("environ") and self.entries.priority(job_id) is not None
        if waits or self.entries.is_running(job_id):
            return
        text = "\0".join(f"{name}={value}" for name, value in environment.items())
        folder.write("environ", os.fsencode(text), durable=durable, private=True)
        self.entries.put(job_id, claim.resources.priority, _needs(claim))

    def start_many(self, work: Sequence[tuple[str, JobFolder, Claim, dict[str, str]]]) -> None:
        try:
            for job_id, folder, claim, environment in work:
                # After a power cut it is the monitor that puts them in again, as far as they are missing.
                self._put(job_id, folder, claim, environment, durable=False)
            if work:
                self._wake("")
        except OSError as error:
            raise Unavailable(
                f"Not all jobs could be queued: {error.strerror or error}. They are, once that is mended.",
                code="queue_unavailable",
            ) from error

    def revive(self, job_id: str, folder: JobFolder, handle: Handle, environment: dict[str, str]) -> None:
        with contextlib.suppress(OSError):  # the next look comes soon
            if not self.entries.is_running(job_id):
                self.entries.make()
                self.entries.hold(job_id, {})
            self._wake(job_id)

    def observe(self, job_id: str, folder: JobFolder, handle: Handle) -> Observation:
        try:
            return self._observe(job_id, folder)
        except OSError:
            return Observation("unknown")

    def cancel(self, job_id: str, folder: JobFolder, handle: Handle) -> None:
        folder.write("cancel", b"")
        if self.entries.withdraw(job_id):
            self.entries.ring(job_id)
            folder.end(ExitRecord("cancelled", time.time()), unbegun=True)
            return
        self._wake_supervisor(folder)

    def pause(self, job_id: str, folder: JobFolder, handle: Handle, stand: bool) -> bool:
        if stand:
            folder.write("paused", b"")
        else:
            (folder.path / "paused").unlink(missing_ok=True)
        self._wake_supervisor(folder)
        return True

    @staticmethod
    def _wake_supervisor(folder: JobFolder) -> None:
        status = folder.read("status.json", SupervisorStatus)
        if status is None or not folder.supervised():
            return
        if processes.identity(status.supervisor) == status.supervisor_identity:
            import signal

            processes.send({status.supervisor}, signal.SIGUSR1)

    def waiting(self) -> set[str]:
        return set(self.entries.waiting())

    def prioritise(self, job_id: str, priority: int) -> bool:
        if not self.entries.move(job_id, priority):
            return False
        self._wake(job_id)
        return True

    def why(self, claims: Sequence[tuple[Claim, int]]) -> list[str]:
        order = self._held()
        return [waiting.why(order, claim, before) for claim, before in claims]

    def _held(self) -> Order:
        order = waiting.held(self.entries)
        if self._limits_on_file() is None:  # no job was ever started here
            order.limits = Limits(**self._limits())
        return order

    def room(self) -> Room:
        order = self._held()
        limits = self._limits()
        holders = [one for one in order.running.values() if one.lane == "jobs"]
        gpus = {name for name in limits["gpus"].split(",") if name}
        return Room(
            places=limits["at_once"],
            places_free=max(0, limits["at_once"] - len(holders)),
            cpu=limits["cpu"],
            cpu_free=max(0.0, limits["cpu"] - sum(one.cpu for one in holders)),
            memory=limits["memory"],
            memory_free=max(0.0, limits["memory"] - sum(one.memory or 0 for one in holders)),
            gpus=len(gpus),
            gpus_free=len(gpus - {name for one in holders for name in one.gpus}),
        )

    def surroundings(self) -> dict[str, str]:
        kept = dict(os.environ)
        if self.config.service_url:  # what a hub's service has in its environment is not for its users
            kept = {name: kept[name] for name in HARMLESS if name in kept}
        return kept | self.config.environment()

    def begin(self) -> None:
        with contextlib.suppress(OSError):
            self.entries.make()
            self._write_limits()
            self.entries.ring()
        self.tend()

    def tend(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.poll()  # it may have ended: it is our child
        with contextlib.suppress(OSError, Unavailable):
            if not self.entries.attended() and (self.entries.waiting() or self.entries.running()):
                self._start_dispatcher()

    def check(self, resources: Resources) -> None:
        if resources.cpu is None and resources.memory is None and not resources.gpu:
            return
        limits, count = self._limits(), resources.workers
        each = f", for {count} workers" if count > 1 else ""
        cores = limits["cpu"]
        if resources.cpu is not None and resources.cpu * count > cores:
            raise InvalidInput(
                f"This machine has {waiting.counted(cores, 'CPU core')}{each}; ask for at most so many.",
                code="no_such_cpu",
            )
        there = limits["memory"]
        if resources.memory is not None and resources.memory * count > there:
            raise InvalidInput(
                f"This machine has {there / 1e9:.1f} GB of memory{each}; ask for at most so much.",
                code="no_such_memory",
            )
        cards = len([name for name in limits["gpus"].split(",") if name])
        asked = resources.gpu * count
        if asked > cards:
            there = f"has {waiting.counted(cards, 'GPU')}" if cards else "has no GPU"
            raise InvalidInput(f"This machine {there}; {asked} were asked for.", code="no_such_gpu")

    # -- the dispatcher -----------------------------------------------------------

    def _wake(self, job_id: str) -> None:
        if not self.entries.ring(job_id):
            self._start_dispatcher()

    def _start_dispatcher(self) -> None:
        """Start one; several do no harm, all but one end at once."""
        with self._lock:
            starting = self._dispatcher is not None and self._dispatcher.poll() is None
            if starting and time.monotonic() - self._started_at < STARTING:
                return  # it looks at everything once it listens
            self._write_limits()
            # The end of a job that happens to need it first is not its end.
            environment = {**os.environ, "BLUENO_SHARED": "1"}
            try:
                self._dispatcher = subprocess.Popen(
                    [sys.executable, "-I", "-S", DISPATCH, self.entries.folder],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise Unavailable(f"No process could be started for the jobs: {error}. Try again.") from error
            self._started_at = time.monotonic()

    def _write_limits(self) -> None:
        queue = JobFolder(Path(self.entries.folder))
        limits = self._limits()
        if limits != self._limits_on_file():
            queue.write("limits.json", limits)
        config = self.config
        if config.webhook or config.mail_server:
            told = {"webhook": config.webhook, "mail_server": config.mail_server, "mail_to": config.mail_to}
            queue.write("notify.json", told, private=True)  # addresses may hold passwords

    def _limits(self) -> dict[str, Any]:
        """What there is to hand out. A job sees only what was handed out to it: it believes the file."""
        return (self._limits_on_file() if "BLUENO_JOB_ID" in os.environ else None) or {
            "at_once": self.config.jobs_at_once,
            "cpu": usable_cores(),
            "memory": memory.of_machine(),
            "gpus": self.config.gpus,
        }

    def _limits_on_file(self) -> dict[str, Any] | None:
        return JobFolder(Path(self.entries.folder)).read("limits.json", dict)

    # -- looking --------------------------------------------------------------------

    def _observe(self, job_id: str, folder: JobFolder) -> Observation:
        if (ended := self._ended(folder)) is not None:
            return ended
        status = folder.read("status.json", SupervisorStatus)
        if status is None:
            if self.entries.priority(job_id) is not None:
                return Observation("queued")
            if folder.supervised() is not False or self.entries.is_running(job_id):
                return Observation("starting")
            status = folder.read("status.json", SupervisorStatus)  # it may have come since we looked first
        supervised = folder.supervised()
        if supervised is not False and status is not None:
            beat = folder.stamp("lock")
            phase = "finishing" if status.state == "FINISHING" else "running"
            heartbeat = None if beat is None else beat[0] / 1e9
            return Observation(phase, status.started_at, heartbeat)  # type: ignore[arg-type]
        # Nobody watches. The record may have come since we looked first.
        if (ended := self._ended(folder)) is not None:
            return ended
        return Observation("absent") if status is None else Observation("unwatched", status.started_at)

    @staticmethod
    def _ended(folder: JobFolder) -> Observation | None:
        record = folder.read("exit.json", ExitRecord)
        if record is None:
            return None
        status = folder.read("status.json", SupervisorStatus)
        return Observation("ended", None if status is None else status.started_at, record=record)


def _needs(claim: Claim) -> dict[str, object]:
    """A claim as the content of an entry: flat, so that the dispatcher can write it again."""
    asked = claim.resources
    return {
        "owner": claim.owner,
        "name": claim.name,
        "lane": lane_of(claim.kind),
        "cpu": asked.cpu and asked.cpu * asked.workers,
        "memory": asked.memory and asked.memory * asked.workers,
        "gpu": asked.gpu * asked.workers,
        "submitted": claim.submitted,
    }
