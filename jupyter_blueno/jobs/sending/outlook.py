"""What is said about work before it is a job: where it can run, what would be sent, when it would start."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from jupyter_blueno.jobs.model import JobKind, Parameter, Resources


class Room(Struct, frozen=True):
    """What there is to hand out to jobs, and what is free of it now; memory in bytes."""

    places: int
    places_free: int
    cpu: float
    cpu_free: float
    memory: float
    memory_free: float
    gpus: int
    gpus_free: int


class Outlook(Struct, frozen=True):
    """What there is now; `before` jobs would start earlier, `starts` is a sentence."""

    room: Room
    before: int
    starts: str


class SentFile(Struct, frozen=True):
    name: str
    size: int


class Preview(Struct, frozen=True):
    """What would happen if work was submitted now.

    `python` is the interpreter, `built` says of an environment of its own whether
    it is there already (None: it needs none). `variables` are names. `payload` is
    the size of what is pickled, in bytes. `before` jobs would start earlier.
    `starts` is a sentence.
    """

    name: str
    kind: JobKind
    folder: str
    python: str
    built: bool | None
    requirements: list[str]
    files: list[SentFile]
    payload: int
    parameters: list[Parameter]
    variables: list[str]
    resources: Resources
    room: Room
    before: int
    starts: str


class Environment(Struct, frozen=True):
    """One that is built. `size` in bytes; `in_use`: a job of it is running; `jobs`: ids, the newest first."""

    key: str
    python: str
    requirements: list[str]
    size: int
    created_at: datetime
    in_use: bool
    jobs: list[str] = []
