"""Steps of a test of jobs: submit, wait for a condition, read what came."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, Job, JobSpec, Resources

PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Somebody:
    name: str = "alice"
    team: str = "local"


ALICE = Somebody()


def cell(source: str, **fields: Any) -> JobSpec:
    return JobSpec(kind="cell", source=source, **fields)


def command(*words: str, **fields: Any) -> JobSpec:
    return JobSpec(kind="command", command=list(words), **fields)


def call(
    function: Callable[..., Any], *args: Any, resources: Resources | None = None, **kwargs: Any
) -> JobSpec:
    import cloudpickle

    payload = base64.b64encode(cloudpickle.dumps((function, args, kwargs))).decode()
    return JobSpec(kind="function", payload=payload, resources=resources or Resources())


def start(manager: JobManager, spec: JobSpec, name: str = "job") -> Job:
    return manager.submit(ALICE, secrets.token_hex(16), name, spec)


def until(condition: Callable[[], Any], what: str = "it") -> Any:
    """The first true value of `condition`; fails after a minute.

    Asked less often the longer it takes: who asks takes the processor from what is waited for.
    """
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < PATIENCE:
        if found := condition():
            return found
        time.sleep(min(0.1, 0.01 + waited / 20))
    raise AssertionError(f"waited {PATIENCE:g} s in vain for {what}")


def wait(manager: JobManager, job: Job, *states: str) -> Job:
    """The job, once it is in one of `states` (default: over)."""
    wanted = states or tuple(TERMINAL)

    def arrived() -> Job | None:
        now = manager.get(ALICE, job.id)
        if now.state in TERMINAL and now.state not in wanted:
            text = log(manager, job)
            raise AssertionError(f"{now.state} instead of {wanted}: {now.reason}\n{text}")
        return now if now.state in wanted else None

    found: Job = until(arrived, f"{wanted}, but it is {manager.get(ALICE, job.id)}")
    return found


def log(manager: JobManager, job: Job) -> str:
    return manager.record(ALICE, job.id).log(0, 1 << 20)[0].decode()


def logged(manager: JobManager, job: Job, text: str) -> str:
    """The log, once it contains `text`."""
    until(lambda: text in log(manager, job), f"{text!r} in the log")
    return log(manager, job)
