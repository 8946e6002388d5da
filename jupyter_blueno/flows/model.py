"""What is said about flows."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.model import JobKind, JobSpec, Origin, Parameter, Resources, State, Value

MOST_STEPS = 500
MOST_PARTS = 1000  # of one step
PARTS_IN_ALL = 5000

# WAITING: for what it needs. NOT_RUN: what it needs did not come, or the flow was ended before.
StepState = Literal["WAITING", "NOT_RUN"] | State


class Handed(Struct, frozen=True, forbid_unknown_fields=True):
    """What an earlier step hands over: the `value` that it returned, or the `path` of the file that holds it.

    A notebook hands over the executed notebook's path, a command its exit code;
    a step of many parts a list.
    """

    step: str
    what: Literal["value", "path"] = "value"


class PartSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What is a part's own: one call of the function, one run of the notebook.

    `fingerprint` is equal for calls of the same code with the same arguments;
    without one the `payload` itself is compared.
    """

    label: str = ""
    payload: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    arguments: list[Parameter] = []
    fingerprint: str | None = None


class StepSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A step: a job, or with `mapped` one for each of its `parts`, whose results are a list.

    It starts when the steps that it `needs` have succeeded. A function's pickle
    says itself what it is handed. A notebook's parameters are handed by name, a
    command's words by their place.

    With `cache` it is not run again where the same code had the same input in
    the same environment before: what came out then is taken.
    """

    name: str
    spec: JobSpec
    parts: list[PartSpec] = field(default_factory=lambda: [PartSpec()])
    mapped: bool = False
    needs: list[str] = []
    takes: list[str] = []
    parameters: dict[str, Handed] = field(default_factory=dict)
    words: dict[str, Handed] = field(default_factory=dict)
    cache: bool = False


class FlowSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A flow to be run. `id` (32 hexadecimal digits) makes a repeated request the same flow.

    Of the flow that it `resumes`, steps that succeeded with the same code and
    arguments are taken over.
    """

    id: str
    name: str
    steps: list[StepSpec]
    resumes: str | None = None
    origin: Origin = field(default_factory=Origin)


class PartRow(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a part: `work` is equal for equal work, `parameters` are shown."""

    position: int
    number: int
    step: str
    kind: JobKind
    label: str
    needs: list[str]
    takes: list[str]
    mapped: bool
    cache: bool
    parameters: dict[str, Any]
    work: str


class BeginFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """A flow whose steps are laid out in the folder of the job that conducts.

    `digest` is that of the whole request; `resources` are what its steps need.
    """

    conductor: Intent
    digest: str
    parts: list[PartRow]
    resources: list[Resources]
    resumes: str | None = None


class Step(Struct, frozen=True):
    """A step as it stands. `job_id` is that of its only job; of many parts see the parts.

    It `takes` what some of those return that it `needs`.
    `reused`: nothing ran, `job_id` is an earlier job whose result was taken.
    `seconds` is how long its jobs ran, from the first start to the last end.
    """

    name: str
    kind: str
    state: StepState
    needs: list[str] = []
    takes: list[str] = []
    job_id: str | None = None
    reused: bool = False
    reason: str | None = None
    seconds: float | None = None
    started_at: float | None = None
    cache: bool = False
    mapped: bool = False
    parts: int = 1
    parts_done: int = 0
    parts_failed: int = 0
    progress: float | None = None


class Flow(Struct, frozen=True):
    """A flow: its job's id, name and state, and its steps in the order in which they were written.

    `resumes` is the flow whose finished steps it took over. Once it is `over`,
    `summary` says why it did not end well, if it did not.
    """

    id: str
    name: str
    state: State
    steps: list[Step]
    resumes: str | None = None
    over: bool = False
    summary: str | None = None


class Part(Struct, frozen=True):
    """One of the jobs of a step, with the values that it was given and the newest of its metrics."""

    number: int
    label: str
    state: StepState
    job_id: str | None = None
    reused: bool = False
    reason: str | None = None
    seconds: float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Value] = field(default_factory=dict)
