"""What is said about jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from jupyter_blueno.catalog.model import Filter, Progress

State = Literal[
    "SUBMITTING",
    "QUEUED",
    "STARTING",
    "RUNNING",
    "FINISHING",
    "SUCCEEDED",
    "FAILED",
    "CANCELLED",
    "TIMED_OUT",
    "LOST",
]
TERMINAL: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "LOST"})
JobKind = Literal["cell", "function", "notebook", "command", "ingest", "sweep", "flow"]
CONDUCTORS: frozenset[JobKind] = frozenset({"sweep", "flow"})  # what they do is submit other jobs
Desired = Literal["run", "pause", "cancel"]
Health = Literal["unknown", "ok", "silent"]  # silent: no heartbeat for a while; not a failure


# A number; JSON has no words for "NaN", "Infinity" and "-Infinity", so here they are text.
Value = float | Literal["NaN", "Infinity", "-Infinity"]


def word(value: float) -> Literal["NaN", "Infinity", "-Infinity"]:
    """The text for a number that is not finite; Python's `float` and JavaScript's `Number` read it."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


class Resources(Struct, frozen=True, forbid_unknown_fields=True):
    """What a job may use, and how soon; None is as much as there is.

    `memory` in bytes, `timeout` in seconds for each attempt (None: no limit).
    `priority` is from -10 to 10: where there is not room for all, the higher one
    starts first. After a failure that may not come again, it is tried again up
    to `retries` times; `retry_on` says after which ones instead: kinds
    (``memory``, ``connection`` …) and names of exceptions. With several `workers`
    the work runs in so many processes at a time, each of which knows its rank and
    has `cpu`, `memory` and `gpu` for itself. Requests over HTTP may
    also have texts here, as people write them: ``"8 GB"``, ``"2h"``.
    """

    cpu: float | None = None
    memory: int | None = None
    gpu: int = 0
    timeout: float | None = None
    priority: int = 0
    retries: int = 0
    retry_on: tuple[str, ...] = ()
    workers: int = 1


class Claim(Struct, frozen=True):
    """A job's place in the queue: whose it is, what it needs, since when (seconds since 1970).

    What is only thought of yet has no `id`.
    """

    owner: str
    name: str
    kind: JobKind
    resources: Resources
    submitted: float
    id: str = ""
    team: str = ""


ParameterType = Literal["int", "float", "bool", "str", "json"]


class Parameter(Struct, frozen=True, forbid_unknown_fields=True):
    """A value that a job was given by name, and that may be another one when it runs again.

    `default` is the text of what it is without a value. If it is `typed`, values
    of other types are refused; else `type` is only that of the present one. A
    `fixed` one cannot be changed: `value` only says what it is.
    """

    name: str
    type: ParameterType = "json"
    value: Any = None
    default: str | None = None
    help: str | None = None
    choices: list[Any] = []
    required: bool = False
    fixed: bool = False
    typed: bool = False


class Origin(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a job was started: a notebook (path below the server's root) and a cell."""

    notebook: str | None = None
    cell_id: str | None = None
    kernel_id: str | None = None


class Selected(Struct, frozen=True, forbid_unknown_fields=True):
    """Samples that a job is to work on: what `filter` selects, or of these the `ordinals` (``0-9,12``)."""

    dataset_id: int
    name: str
    filter: Filter = field(default_factory=Filter)
    ordinals: str | None = None


class JobSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What to run.

    Exactly one of these says it, by `kind`: ``cell`` and ``notebook`` take
    `source` (the cell's text, or the notebook as JSON), ``function`` takes
    `payload` (a cloudpickle of ``(function, args, kwargs)``, base64; its text in
    `source` is shown, not run), ``command`` takes `command`. ``ingest``,
    ``sweep`` and ``flow`` do, too; their `source` is the request that it reads.

    A `parent` is the sweep or flow that submits this job as a part of it. The work
    finds its `selection` of samples by `blueno.selection()`.

    In a function's pickle and a notebook's parameters, names may stand for what
    other jobs returned: `given` says by name which job, or which jobs for a list.

    A cell's `payload` holds variables that it takes along: pairs of name and
    value, pickled one after another, base64; `parameters` are plain ones.

    A function's `arguments` are shown; `parameters` take the place of those that
    are in the pickle. In a notebook they are set after the cell tagged so.

    `search` are folders of modules of the user's own, beside `folder`; `files`
    are other files to be kept, as paths or patterns (``data/*.json``).

    `folder` is the working directory, absolute or below the server's root;
    `python` the interpreter (default: that of the server): its path, an
    environment's folder, a conda environment's name, or a version (``3.12``).
    With `requirements` (lines of a requirements file) an environment is built
    of it, once for all jobs that ask for the same. `pickled_by` is the version
    of the Python that made the payload (``3.11``). `secrets` of the team are
    variables of its environment, read when it starts.
    """

    kind: JobKind
    source: str | None = None
    payload: str | None = None
    command: list[str] = field(default_factory=list)
    folder: str | None = None
    python: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = []
    parameters: dict[str, Any] = field(default_factory=dict)
    arguments: list[Parameter] = []
    search: list[str] = []
    files: list[str] = []
    requirements: list[str] = []
    pickled_by: str | None = None
    given: dict[str, str | list[str]] = field(default_factory=dict)
    parent: str | None = None
    selection: Selected | None = None
    resources: Resources = field(default_factory=Resources)
    origin: Origin = field(default_factory=Origin)


FailureKind = Literal[
    "error",
    "missing_module",
    "memory",
    "machine_memory",
    "gpu_memory",
    "disk",
    "timeout",
    "exit_code",
    "signal",
    "processes",
    "not_started",
    "lost",
]


class FailingLine(Struct, frozen=True):
    """The line of the user's code that failed: ``cell``, or a path; its `text` may be several lines."""

    file: str
    number: int
    text: str = ""
    function: str | None = None


class Variable(Struct, frozen=True):
    """What a name in the failing line was: ``x``, ``float32 (32, 1, 28, 28)``."""

    name: str
    value: str


class Suggestion(Struct, frozen=True):
    """What to do: run it again, with other `resources` or from its newest checkpoint; or a `command`."""

    label: str
    resources: Resources | None = None
    command: str | None = None
    resume: bool = False


class Failure(Struct, frozen=True):
    """Why a job did not end well. `sentence` is also the job's reason."""

    kind: FailureKind
    sentence: str
    line: FailingLine | None = None
    variables: list[Variable] = field(default_factory=list)
    suggestion: Suggestion | None = None


class Job(Struct, frozen=True):
    """One job, as it stands.

    `reason` says in words why it waits or how it ended; `failure` more of an end
    that was not a good one. `log_size` (bytes) and `output_count` grow while it
    runs. `metrics` has the newest value of the first few that it logs.
    `parent` is the sweep or flow of which it is a part. `revision` changes with
    every change.
    """

    id: str
    name: str
    kind: JobKind
    state: State
    desired: Desired
    owner: str
    team: str
    attempt: int
    health: Health
    created_at: datetime
    updated_at: datetime
    revision: int
    parent: str | None = None
    reason: str | None = None
    failure: Failure | None = None
    progress: Progress | None = None
    metrics: dict[str, Value] | None = None
    exit_code: int | None = None
    log_size: int = 0
    output_count: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    origin: Origin = field(default_factory=Origin)
    resources: Resources = field(default_factory=Resources)


class JobPage(Struct, frozen=True, forbid_unknown_fields=True):
    """Newest first, by key: jobs older than the job `before`.

    The parts of sweeps and flows are listed only for the `parent` that is asked for,
    among those that read a `dataset` (its id), and those that `wrote` a file (its path).
    """

    search: str = ""
    state: list[str] = []
    notebook: str | None = None
    parent: str | None = None
    dataset: int | None = None
    wrote: str | None = None
    before: str | None = None
    limit: int = 100


class Person(Protocol):
    """Who asks."""

    @property
    def name(self) -> str: ...

    @property
    def team(self) -> str: ...


class Output(Struct, frozen=True):
    """Something shown or returned: a mime bundle, as in a notebook's output.

    It never changes. Where a display was updated or cleared, a new output takes
    the place of those in `replaces`, which are then no longer listed.

    `role` is ``display`` for what was shown, ``result`` for the value of the
    cell or function, ``error`` for its traceback (ANSI text in ``text/plain``).
    """

    index: int
    role: Literal["display", "result", "error"]
    data: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    replaces: list[int] = field(default_factory=list)


class Code(Struct, frozen=True):
    """What ran: the main text, the local modules it used, and where it came from."""

    language: str
    source: str
    modules: dict[str, str] = field(default_factory=dict)
    packages: list[str] = field(default_factory=list)
    python: str | None = None
    commit: str | None = None
    diff: str | None = None


class Form(Struct, frozen=True):
    """What may be changed of a job to run it again; of a command its words, as a shell would have them."""

    name: str
    kind: JobKind
    parameters: list[Parameter] = []
    resources: Resources = field(default_factory=Resources)
    command_line: str | None = None
    python: str | None = None
    requirements: list[str] = []


class Change(Struct, frozen=True):
    """How a job is to run again: None, and what is not named, as before. `id` is that of the new job.

    With `resume` it goes on from the newest checkpoint of the old one. `parent`
    is the sweep or flow that asks, if it is to be a part of one. `python` and
    `requirements` are another environment.
    """

    id: str | None = None
    name: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    resources: Resources | None = None
    command_line: str | None = None
    python: str | None = None
    requirements: list[str] | None = None
    resume: bool = False
    parent: str | None = None


class Workbench(Struct, frozen=True):
    """A notebook (`content`, format 4) with what a job had, and a `name` for it.

    `python` is the job's interpreter where it lacks ipykernel, which a notebook needs.
    """

    name: str
    content: dict[str, Any]
    python: str | None = None


class UsedDataset(Struct, frozen=True):
    """A version of a dataset that a job read, or the part of it that `filter` selects."""

    dataset_id: int
    name: str
    version: int
    filter: Filter
