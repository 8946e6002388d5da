"""What the trials of a sweep run: one snapshot, kept beside the jobs, with other values each time."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import parameters, request, snapshot
from jupyter_blueno.sweeps import space
from jupyter_blueno.sweeps.model import Domain

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.jobs.sending.objects import Objects

KINDS = ("cell", "function", "notebook", "command")
TRIAL = "BLUENO_TRIAL"  # in a trial's environment: sweep and number


def folder_of(config: Config, sweep_id: str) -> JobFolder:
    """Where the snapshot of a sweep's work is kept."""
    return JobFolder.below(config, "sweeps", sweep_id)


def job_id_of(sweep_id: str, number: int) -> str:
    """The id of a trial's job: whoever submits the trial again submits this job."""
    return hashlib.sha256(f"{sweep_id}/{number}".encode()).hexdigest()[:32]


def check(work: JobSpec, domains: Mapping[str, Domain]) -> None:
    """Refuse work that cannot be tried with all values of the space.

    Raises
    ------
    InvalidInput
        It names the parameter.
    """
    if work.kind not in KINDS:
        raise InvalidInput(
            f"A sweep runs a function, notebook or command, not a {work.kind}.", code="job_spec"
        )
    first = _first(domains)
    request.check_spec(with_values(work, first))
    for name, domain in domains.items():
        for value in space.ends(domain)[1:]:
            with_values(work, {**first, name: value})


def first(work: JobSpec, domains: Mapping[str, Domain]) -> JobSpec:
    """The work with the first value of each parameter."""
    return with_values(work, _first(domains))


def _first(domains: Mapping[str, Domain]) -> dict[str, Any]:
    return {name: space.ends(domain)[0] for name, domain in domains.items()}


def with_values(work: JobSpec, values: Mapping[str, Any]) -> JobSpec:
    """The same work with these values; in a command they stand where their names are in braces.

    Raises
    ------
    InvalidInput
        If it does not take them.
    """
    if work.kind != "command":
        return parameters.changed(work, values, None)
    there = {name for word in work.command for name in space.NAMED.findall(word)}
    for name in values:
        if name not in there:
            flag = "--" + name.replace("_", "-")
            raise InvalidInput(
                f"The command has no place for {name}. Write {{{name}}} where its value belongs: "
                f"{flag} {{{name}}}.",
                code="unknown_parameter",
            )
    texts = {name: value if isinstance(value, str) else _word(value) for name, value in values.items()}

    def put(match: re.Match[str]) -> str:
        return texts.get(match[1], match[0])  # braces of others, as in JSON, stay

    return msgspec.structs.replace(work, command=[space.NAMED.sub(put, word) for word in work.command])


def _word(value: Any) -> str:
    return repr(value) if isinstance(value, float) else msgspec.json.encode(value).decode()


def trial(work: JobSpec, sweep_id: str, number: int, parent: str, values: Mapping[str, Any]) -> JobSpec:
    """What one trial runs."""
    spec = with_values(work, values)
    environment = {**spec.environment, TRIAL: f"{sweep_id}/{number}"}
    return msgspec.structs.replace(spec, environment=environment, parent=parent)


def name_of(sweep: str, number: int, values: Mapping[str, Any]) -> str:
    """``train 7 · lr=0.0123``"""
    return f"{sweep} {number} · {space.in_words(values)}"[: request.NAME_LIMIT].strip()


def forget(config: Config, objects: Objects, sweep_id: str) -> None:
    """Remove the snapshot."""
    folder = folder_of(config, sweep_id)
    kept = snapshot.contents(folder)
    shutil.rmtree(folder.path, ignore_errors=True)
    objects.drop(kept)
