"""``python -m jupyter_blueno.conductors.flow``: has a flow go on until it is over, as its job runs it.

It keeps nothing in memory that counts: killed and started again, it goes on
where the flow is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from jupyter_blueno.api.flows import FlowRef, advance_flow
from jupyter_blueno.client import session
from jupyter_blueno.errors import Conflict, Unavailable
from jupyter_blueno.flows.making import Request
from jupyter_blueno.flows.model import Flow, Step
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.model import TERMINAL
from jupyter_blueno.jobs.sending.snapshot import SpecFile

SHORTEST, LONGEST = 0.05, 1.0  # seconds between looks
PATIENCE = 30.0  # longest seconds between two tries where the platform is away


def main() -> int:
    """Run the flow of this job; 0 if all of its steps succeeded."""
    signal.signal(signal.SIGTERM, _cancelled)
    flow_id, request = _request()
    _connect(request)
    told: dict[str, str] = {}
    changed = time.monotonic()
    failures = 0
    while True:
        try:
            flow = session.call(advance_flow, FlowRef(flow_id))
            failures = 0
        except Unavailable as error:
            failures += 1
            print(f"Waiting for the platform: {error}", file=sys.stderr, flush=True)
            time.sleep(min(PATIENCE, 0.5 * 2**failures))
            continue
        except Conflict as error:  # it is being cancelled
            return _ended(1, str(error))
        if _tell(flow, told):
            changed = time.monotonic()
        if flow.over:
            return _ended(1 if flow.summary else 0, flow.summary)
        time.sleep(max(SHORTEST, min(LONGEST, 0.1 * (time.monotonic() - changed))))


def _request() -> tuple[str, Request]:
    place = reporting.folder()
    kept = JobFolder(Path(place)).read("spec.json", SpecFile) if place else None
    if kept is None or kept.spec.source is None:
        raise SystemExit("This is run by a job: start it with flow.submit().")
    return os.environ["BLUENO_JOB_ID"], msgspec.json.decode(kept.spec.source, type=Request)


def _connect(request: Request) -> None:
    """Where no server runs, this process asks for itself, as the person who submitted the flow."""
    from jupyter_blueno.api.context import Context, Platform, User
    from jupyter_blueno.client.transport import find_server
    from jupyter_blueno.config import Config

    if find_server() is None:
        user = User(request.user, request.team)
        session.use(transport=Context(Platform(Config()), user))


def _tell(flow: Flow, told: dict[str, str]) -> bool:
    """Put what is new into the log, and how far it is into the job's progress."""
    new = {step.name: _words(step) for step in flow.steps}
    lines = [f"{name}: {words}" for name, words in new.items() if words and told.get(name) != words]
    told.update(new)
    stamp = time.strftime("%H:%M:%S")
    for line in lines:
        print(f"{stamp}  {line}", flush=True)
    done = sum(step.parts_done for step in flow.steps)
    running = [step.name for step in flow.steps if step.state == "RUNNING"]
    reporting.progress(done, sum(step.parts for step in flow.steps), ", ".join(running)[:200] or None)
    return bool(lines)


def _words(step: Step) -> str:
    if step.state == "WAITING":
        return ""
    words = step.state.lower().replace("_", " ")
    if step.mapped and step.state in ("RUNNING", "SUCCEEDED", "FAILED"):
        words += f", {step.parts_done} of {step.parts} done"
    over = step.state in TERMINAL or step.state == "NOT_RUN"
    return f"{words}. {step.reason}" if step.reason and over else words


def _ended(code: int, reason: str | None) -> int:
    """Leave, for good: another attempt of this job would end in the same way."""
    content: dict[str, Any] = {"ok": code == 0, "reason": reason, "final": True}
    reporting.write_json("ended.json", content)
    print("The flow is done." if code == 0 else reason, flush=True)
    return code


def _cancelled(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
