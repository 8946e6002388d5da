"""What the platform is told of work that is laid out: its row, and nothing that it would have to read."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from jupyter_blueno.jobs.model import CONDUCTORS, JobKind, JobSpec, Origin, Resources
from jupyter_blueno.jobs.sending import request


class Intent(Struct, frozen=True, forbid_unknown_fields=True):
    """A job whose folder is laid out, by whoever may read what it takes along.

    `digest` is that of the whole request: the same `id` with another one is
    refused. `variables` are the names of those that it was given. The others are
    as in `JobSpec`, shown and not read.
    """

    id: str
    name: str
    digest: str
    kind: JobKind
    command: list[str] = []
    folder: str | None = None
    python: str | None = None
    variables: list[str] = []
    secrets: list[str] = []
    parameters: dict[str, Any] = field(default_factory=dict)
    requirements: list[str] = []
    given: dict[str, str | list[str]] = field(default_factory=dict)
    parent: str | None = None
    resources: Resources = field(default_factory=Resources)
    origin: Origin = field(default_factory=Origin)

    @property
    def spec(self) -> JobSpec:
        """As rows have it: what is long, and values of variables, stay in the folder."""
        kept = {name: value for name, value in msgspec.structs.asdict(self).items() if name in _SHARED}
        return JobSpec(environment=dict.fromkeys(self.variables, ""), **kept)


_SHARED = {one.name for one in msgspec.structs.fields(Intent)} & set(JobSpec.__struct_fields__)


def of(job_id: str, name: str, spec: JobSpec, digest: str) -> Intent:
    """What is said of some work."""
    kept = {one: getattr(spec, one) for one in _SHARED}
    return Intent(job_id, name, digest, variables=sorted(spec.environment), **kept)


def check(intent: Intent, kind: JobKind | None = None) -> None:
    """Refuse what makes no row; `kind` is the only one that is meant, else none that conducts others.

    Raises
    ------
    InvalidInput
    TooLarge
    """
    from jupyter_blueno.errors import InvalidInput

    request.check_id(intent.id)
    request.check_name(intent.name)
    if intent.kind != kind if kind else intent.kind in CONDUCTORS:
        raise InvalidInput(f"A job of kind '{intent.kind}' is not started so.", code="job_spec")
    request.check_digest(intent.digest)
    request.check_said(intent.spec)
