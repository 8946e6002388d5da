"""How a conductor asks the platform: through the running server, else in its own process."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.client import transport as transports
from jupyter_blueno.client.transport import InProcess, Transport
from jupyter_blueno.config import Config
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.sending.snapshot import SpecFile

Answer = TypeVar("Answer")
Shape = TypeVar("Shape")

PATIENCE = 10.0  # seconds between attempts while server and database are away


def request(shape: type[Shape]) -> Shape:
    """What the job was told, from its folder."""
    place = reporting.folder()
    kept = JobFolder(Path(place)).read("spec.json", SpecFile) if place else None
    if kept is None or kept.spec.source is None:
        raise SystemExit("This is run by a job: blueno.sweep or flow.submit() starts it.")
    os.environ.pop("BLUENO_ATTEMPT", None)  # ours, not that of the jobs that we submit
    return msgspec.json.decode(kept.spec.source, type=shape)


def ended(ok: bool, reason: str) -> int:
    """Say how it ended, and that another attempt would end so, too; the exit code."""
    reporting.write_json("ended.json", {"ok": ok, "reason": reason, "final": True})
    print(reason, flush=True)
    return 0 if ok else 1


class Asking:
    """Asks in the name of a person, and again until there is an answer; refusals are answers."""

    def __init__(self, owner: str, team: str) -> None:
        self.user = User(owner, team)
        self._transport: Transport | None = None

    def __call__(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        pause = 0.1
        while True:
            try:
                if self._transport is None:
                    self._transport = transports.find_server() or self._here()
                return self._transport.call(operation, ask)
            except errors.Unavailable as error:
                if pause > 1:
                    print(f"Waiting: {error.message}", flush=True)
                self.close()
                time.sleep(pause)
                pause = min(PATIENCE, 2 * pause)

    def _here(self) -> InProcess:
        return InProcess(Context(Platform(Config()), self.user))

    def close(self) -> None:
        """Let go of the connection; the next question looks for one again."""
        used, self._transport = self._transport, None
        if used is not None:
            with suppress(Exception):  # it is of no use any more
                used.close()
