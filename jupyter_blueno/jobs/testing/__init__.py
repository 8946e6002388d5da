"""The tests that every backend passes, the storm that it stands, and the steps they are made of."""

from jupyter_blueno.jobs.testing.contract import BackendContract
from jupyter_blueno.jobs.testing.machine import JobMachine
from jupyter_blueno.jobs.testing.steps import (
    ALICE,
    Somebody,
    call,
    cell,
    command,
    log,
    logged,
    start,
    until,
    wait,
)
from jupyter_blueno.jobs.testing.storm import Storm

__all__ = [
    "ALICE",
    "BackendContract",
    "JobMachine",
    "Somebody",
    "Storm",
    "call",
    "cell",
    "command",
    "log",
    "logged",
    "start",
    "until",
    "wait",
]
