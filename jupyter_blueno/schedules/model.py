"""What is said about schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from jupyter_blueno.jobs.model import JobKind, Origin, Resources, State

CatchUp = Literal["skip", "once", "all"]
Overlap = Literal["skip", "queue", "allow"]
Cause = Literal["time", "catch_up", "dataset", "hand"]
FiringState = Literal["waiting", "started", "skipped", "failed"]


class Timing(Struct, frozen=True, forbid_unknown_fields=True):
    """When jobs start: at the times of a `cron` line, when a dataset has a new version, or both.

    `cron` has five fields (minute, hour, day, month, weekday), read in `zone`
    (``Europe/Berlin``). `dataset` is a name. Times that passed while nothing
    fired are left out (``skip``), made up for by one run (``once``), or each by
    one of its own, one after another, the newest `limit` at most (``all``).
    With a run that is not over when the next is due, that one is left out
    (``skip``), waits (``queue``; `limit` at most), or starts beside it
    (``allow``).
    """

    cron: str | None = None
    zone: str = "UTC"
    dataset: str | None = None
    catch_up: CatchUp = "once"
    overlap: Overlap = "skip"
    limit: int = 10


class Firing(Struct, frozen=True):
    """One time that a schedule was due, and what came of it.

    `key` tells it from the schedule's others. `missed` is how many times had
    passed unnoticed before it. `reason` says why nothing was started.
    """

    key: str
    due: datetime
    cause: Cause
    state: FiringState
    job_id: str | None = None
    job_state: State | None = None
    reason: str | None = None
    missed: int = 0


class Schedule(Struct, frozen=True):
    """Work that is started again and again.

    `words` say when; `next_due` is None while it is paused and where only a
    dataset starts it. `runs` are the newest, the newest first, without what
    was skipped; `skipped` is the newest of those, if it came after the runs. A
    `fresh` one reads its notebook when it fires; else what runs is as it was
    when it was scheduled.
    """

    id: str
    name: str
    owner: str
    team: str
    kind: JobKind
    timing: Timing
    words: str
    paused: bool
    fresh: bool
    created_at: datetime
    updated_at: datetime
    revision: int
    next_due: datetime | None = None
    upcoming: list[datetime] = []
    origin: Origin = field(default_factory=Origin)
    runs: list[Firing] = []
    skipped: Firing | None = None


class KeepSchedule(Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule whose work is kept, below its `id`, or that of the schedule of this name that it `replaces`.

    `digest` is that of the work, `kind`, `resources` and `origin` are its own. A
    `notebook` is a file that is read whenever it starts.
    """

    id: str
    name: str
    timing: Timing
    kind: JobKind
    digest: str
    resources: Resources
    origin: Origin
    notebook: str | None = None
    replaces: str | None = None


class Upcoming(Struct, frozen=True):
    """What a cron line means: in `words`, and the next `times`; or the `problem` with it."""

    words: str | None = None
    times: list[datetime] = []
    problem: str | None = None


class Standby(Struct, frozen=True):
    """Who fires schedules: this process, a scheduler of its own, or nobody once Lab is closed.

    `sentence` is None if all is well; else it says what would not be fired, and
    `command` changes that.
    """

    serving: bool
    scheduler: bool
    sentence: str | None = None
    command: str | None = None
