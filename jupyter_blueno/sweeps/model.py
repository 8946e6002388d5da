"""What is said about sweeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.model import JobKind, JobSpec, Resources, State
from jupyter_blueno.jobs.sending.outlook import Preview

Direction = Literal["maximize", "minimize"]
Sampler = Literal["tpe", "random", "grid"]
Take = Literal["last", "best"]
TrialState = Literal["waiting", "running", "complete", "pruned", "failed", "cancelled"]
Verdict = Literal["complete", "pruned", "failed", "cancelled"]

RETURNED = "value"  # the metric that a function's value is logged as, where it is a number


class Range(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="range"):
    """Numbers from `low` to `high`, both included; with `log` each factor of ten as likely as the next.

    With `step` only ``low``, ``low + step`` … ; whole ones if `integer`.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False


class Choice(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="choice"):
    """One of these values, of any type that JSON has."""

    values: list[Any]


Domain = Range | Choice


class Stop(Struct, frozen=True, forbid_unknown_fields=True):
    """When no more trials are started; the first rule that holds counts.

    `trials` counts all but cancelled ones (None: as many as a grid has). `hours`
    are those since the sweep began or went on. `patience`: so many trials in a
    row were not better than the best before them. `target`: a trial reached it;
    those under way are cancelled then. `failures`: so many failed.
    """

    trials: int | None = None
    hours: float | None = None
    patience: int | None = None
    target: float | None = None
    failures: int | None = None


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """What is tried, and what is wanted.

    `objective` is the name of a metric that each trial logs, of which the last
    or the best point counts (`take`); ``value`` is what a function returns. With
    `prune`, trials that do worse than most did at the same step are ended early.
    """

    space: dict[str, Domain]
    objective: str = RETURNED
    direction: Direction = "maximize"
    take: Take = "last"
    sampler: Sampler = "tpe"
    prune: bool = False
    at_once: int = 2
    seed: int | None = None
    stop: Stop = field(default_factory=Stop)


class Trial(Struct, frozen=True):
    """One set of values, and what came of it.

    `value` is the objective; of a trial that is running its newest point.
    `curve` are some of its points, as pairs of step and value, once it is `settled`:
    the sweep has read what came of it.
    """

    number: int
    job_id: str
    parameters: dict[str, Any]
    state: TrialState
    job_state: State | None
    settled: bool
    revision: int
    value: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Sweep(Struct, frozen=True):
    """A sweep, as it stands.

    `jobs` are those that conducted it, the present one last; `id` is the first
    of them. `state` and `reason` are those of the present one. `counts` says how
    many trials there are of each state, `points` how many the space has (None:
    without end).
    """

    id: str
    jobs: list[str]
    name: str
    owner: str
    kind: str
    plan: Plan
    created_at: datetime
    state: State
    reason: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    points: int | None = None
    best: Trial | None = None


class StartSweep(Struct, frozen=True, forbid_unknown_fields=True):
    """`work` is what each trial runs. `id` is made by the client: a repeated request is the same sweep."""

    id: str
    name: str
    work: JobSpec
    plan: Plan


class Outline(Struct, frozen=True):
    """What a sweep would do: at most so many `trials`, of the `points` that the space has (None: no end).

    `trial` is the first one as a job, with the first of its values.
    """

    trials: int
    points: int | None
    plan: Plan
    trial: Preview


class BeginSweep(Struct, frozen=True, forbid_unknown_fields=True):
    """A sweep whose work is kept, and the folder of whose conductor is laid out.

    `kind` and `resources` are those of the work; `digest` is that of the whole request.
    """

    conductor: Intent
    kind: JobKind
    resources: Resources
    plan: Plan
    digest: str


class ChangeStop(Struct, frozen=True, forbid_unknown_fields=True):
    """Another number of trials in all or at once; None is as before."""

    trials: int | None = None
    at_once: int | None = None
