"""Jobs as processes of this machine, each under a supervisor in a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct

from jupyter_blueno.errors import InvalidInput, Unavailable
from jupyter_blueno.jobs import processes
from jupyter_blueno.jobs.backends.base import Backend, Handle
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord, Observation
from jupyter_blueno.jobs.model import Resources

SUPERVISOR = Path(__file__).parents[1] / "supervise.py"
START_PATIENCE = 10.0  # seconds that a supervisor may take until it is seen


class SupervisorStatus(Struct, frozen=True):
    """What the supervisor says of itself and of the process."""

    state: str
    supervisor: int
    supervisor_identity: str | None
    child: int
    child_identity: str | None
    started_at: float


class LocalBackend(Backend):
    """See `Backend`. The supervisors are no children to rely on: any process may take over."""

    name = "local"

    def __init__(self) -> None:
        self._launched: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, job_id: str, folder: JobFolder, resources: Resources, environment: dict[str, str]
    ) -> Handle:
        return {"supervisor": self._launch(job_id, folder, environment), "launched_at": time.time()}

    def revive(self, job_id: str, folder: JobFolder, handle: Handle, environment: dict[str, str]) -> None:
        if not folder.supervised():
            self._launch(job_id, folder, environment)

    def observe(self, job_id: str, folder: JobFolder, handle: Handle) -> Observation:
        self._reap(job_id)
        try:
            return self._observe(job_id, folder, handle)
        except OSError:
            return Observation("unknown")

    def cancel(self, job_id: str, folder: JobFolder, handle: Handle) -> None:
        folder.write("cancel", b"")
        status = folder.read("status.json", SupervisorStatus)
        if status is None or not folder.supervised():
            return
        if processes.identity(status.supervisor) == status.supervisor_identity:
            import signal

            processes.send({status.supervisor}, signal.SIGUSR1)

    def check(self, resources: Resources) -> None:
        cores = os.cpu_count() or 1
        if resources.cpu is not None and resources.cpu > cores:
            raise InvalidInput(f"This machine has {cores} CPU cores; ask for at most so many.")
        cards = len(list(Path("/dev").glob("nvidia[0-9]*")))
        if resources.gpu > cards:
            there = f"has {cards} GPUs" if cards else "has no GPU"
            raise InvalidInput(f"This machine {there}; {resources.gpu} were asked for.", code="no_such_gpu")

    # -- steps ------------------------------------------------------------------

    def _launch(self, job_id: str, folder: JobFolder, environment: dict[str, str]) -> int:
        self._reap()
        with open(folder.path / "supervisor.log", "ab") as log:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(SUPERVISOR), str(folder.path)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise Unavailable(f"No process could be started for the job: {error}. Try again.") from error
        self._launched[job_id] = process
        return process.pid

    def _reap(self, job_id: str | None = None) -> None:
        """Collect supervisors that ended: while this process lives they are its children."""
        for known in [job_id] if job_id else list(self._launched):
            process = self._launched.get(known)
            if process is not None and process.poll() is not None:
                self._launched.pop(known, None)

    def _observe(self, job_id: str, folder: JobFolder, handle: Handle) -> Observation:
        if (ended := self._ended(folder)) is not None:
            return ended
        status = folder.read("status.json", SupervisorStatus)
        supervised = folder.supervised()
        beat = folder.stamp("heartbeat")
        heartbeat = None if beat is None else beat[0] / 1e9
        if status is None:
            if supervised or supervised is None or job_id in self._launched:
                return Observation("starting", heartbeat=heartbeat)
            fresh = time.time() - handle.get("launched_at", 0) < START_PATIENCE
            return Observation("starting" if fresh else "absent")
        if supervised is not False:
            phase = "finishing" if status.state == "FINISHING" else "running"
            return Observation(phase, status.started_at, heartbeat)  # type: ignore[arg-type]
        # Nobody watches. The record may have come since we looked first.
        if (ended := self._ended(folder)) is not None:
            return ended
        return Observation("unwatched", status.started_at, heartbeat)

    @staticmethod
    def _ended(folder: JobFolder) -> Observation | None:
        record = folder.read("exit.json", ExitRecord)
        if record is None:
            return None
        status = folder.read("status.json", SupervisorStatus)
        return Observation("ended", None if status is None else status.started_at, record=record)
