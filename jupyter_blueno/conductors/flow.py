"""``python -m jupyter_blueno.conductors.flow``: has a flow go on until it is over, as its job runs it.

It keeps nothing in memory that counts: killed and started again, it goes on
where the flow is.
"""

from __future__ import annotations

import os
import sys
import time

from jupyter_blueno.api.flows import FlowRef, advance_flow
from jupyter_blueno.conductors import asking
from jupyter_blueno.errors import Conflict
from jupyter_blueno.flows.making import Request
from jupyter_blueno.flows.model import Flow, Step
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.model import TERMINAL

SHORTEST, LONGEST = 0.05, 1.0  # seconds between looks


def main() -> int:
    """Run the flow of this job; 0 if all of its steps succeeded."""
    request = asking.request(Request)
    ask = asking.Asking(request.user, request.team)
    told: dict[str, str] = {}
    changed = time.monotonic()
    try:
        while True:
            flow = ask(advance_flow, FlowRef(os.environ["BLUENO_JOB_ID"]))
            if _tell(flow, told):
                changed = time.monotonic()
            if flow.over:
                return asking.ended(not flow.summary, flow.summary or "The flow is done.")
            time.sleep(max(SHORTEST, min(LONGEST, 0.1 * (time.monotonic() - changed))))
    except Conflict as error:  # it is being cancelled
        return asking.ended(False, str(error))
    finally:
        ask.close()


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


if __name__ == "__main__":
    sys.exit(main())
