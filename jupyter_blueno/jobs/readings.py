"""What is read of a job's folder while it runs and afterwards: curves, checkpoints, its workers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from jupyter_blueno.jobs.model import Value


class Curve(Struct, frozen=True):
    """Points of one curve, in the order in which they came; `times` in seconds since 1970.

    Of many points the lowest and the highest of each stretch are here; `count`
    is how many there are.
    """

    name: str
    steps: list[float]
    times: list[float]
    values: list[Value]
    count: int


class Curves(Struct, frozen=True):
    """Curves; asked `after` this, the next answer has only what came since."""

    curves: list[Curve]
    after: str


class Checkpoint(Struct, frozen=True):
    """A copy of what training can go on from: a file, or a folder of `files`.

    `path` is absolute, on the machine of the jobs; `size` in bytes, `saved_at`
    in seconds since 1970.
    """

    index: int
    name: str
    path: str
    size: int
    files: int
    saved_at: float
    step: float | None = None


WorkerState = Literal["waiting", "running", "ended"]


class Worker(Struct, frozen=True):
    """One of several processes of a job.

    `code` is its exit code, negative for a signal; `host` the machine that it is on.
    """

    rank: int
    state: WorkerState
    code: int | None = None
    host: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log_size: int = 0
