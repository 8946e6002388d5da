"""A flow goes on: what can start is started, once, however often and from wherever it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from jupyter_blueno.errors import BluenoError, Conflict, Unavailable
from jupyter_blueno.flows import graph, keys, reuse, store, values
from jupyter_blueno.flows.graph import Standing
from jupyter_blueno.flows.making import folder_of
from jupyter_blueno.flows.model import Handed, StepSpec
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import given
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Person
from jupyter_blueno.jobs.sending import kept, snapshot

NAME_LIMIT = 255


def advance(manager: JobManager, user: Person, flow_id: str) -> None:
    """Do what follows from how the steps stand.

    Decisions are written down before they are carried out: who is killed in
    between, or does the same at the same time, starts nothing twice.
    """
    manager.catch_up()
    while True:
        with manager.database.begin() as connection:
            parts = store.parts(connection, flow_id)
        steps = standing(parts)
        _start_claimed(manager, user, parts)
        decisions = graph.decide(steps)
        if not decisions:
            return
        by_step = _by_step(parts)
        for decision in decisions:
            if decision.reason is not None:
                with manager.database.begin() as connection:
                    store.skip(connection, flow_id, decision.name, decision.reason)
                continue
            for part in by_step[decision.name]:
                if state_of(part) == "WAITING":
                    _decide(manager, user, part, by_step)


def standing(parts: Sequence[Any]) -> list[Standing]:
    """How the steps stand, by their parts in order."""
    found = []
    for _, group in groupby(parts, key=lambda part: part.position):
        same = list(group)
        reason = next((part.reason for part in same if part.reason), None)
        found.append(Standing(same[0].step, same[0].needs, [state_of(part) for part in same], reason))
    return found


def state_of(part: Any) -> Any:
    """The state of a part; one that was decided upon and has no job yet is QUEUED."""
    if part.job_id is None:
        return "WAITING" if part.reason is None else "NOT_RUN"
    return part.state or ("QUEUED" if part.reason is None else "NOT_RUN")


def _by_step(parts: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in parts:
        found.setdefault(part.step, []).append(part)
    return found


def _decide(manager: JobManager, user: Person, part: Any, by_step: dict[str, list[Any]]) -> None:
    """Take an earlier result, or give the part a job of its own."""
    key, earlier = reuse.look(manager, user, part, by_step)
    own = keys.job_id_of(part.flow_id, part.step, part.number)
    chosen = {"key": key, "job_id": earlier or own, "reused": earlier is not None}
    with manager.database.begin() as connection:
        mine = store.claim(connection, part, chosen)
    if mine and earlier is None:
        _submit(manager, user, part, own, by_step)


def _start_claimed(manager: JobManager, user: Person, parts: Sequence[Any]) -> None:
    """Start what was decided upon by somebody who could not carry it out."""
    by_step = _by_step(parts)
    for part in parts:
        if part.job_id is not None and part.state is None and part.reason is None:
            _submit(manager, user, part, part.job_id, by_step)


def _submit(manager: JobManager, user: Person, part: Any, job_id: str, by_step: dict[str, list[Any]]) -> None:
    folder = folder_of(manager.config, part.flow_id, part.position, part.number)
    name = f"{part.step} {part.label}".strip()[:NAME_LIMIT]
    try:
        record, step = snapshot.asked(folder), folder.read("step.json", StepSpec)
        if record is None or step is None:
            raise Conflict("The snapshot of the step is no longer on disk; submit the flow anew.")
        jobs = {need: ([one.job_id for one in by_step[need]], by_step[need][0].mapped) for need in step.needs}
        _check_results(manager, step, by_step)
        spec = _handed(manager, record.spec, step, jobs)
        spec = msgspec.structs.replace(spec, parent=part.flow_id)
        manager.staging.check_spec(spec)
        kept.submit(manager, user, folder, job_id, name, spec)
    except Unavailable:
        raise  # a full disk, the database: asked again, it goes on
    except BluenoError as error:
        if error.code == "parent_over":
            raise
        with manager.database.begin() as connection:
            store.refuse(connection, part, f"It could not be started: {error}")


def _check_results(manager: JobManager, step: StepSpec, by_step: dict[str, list[Any]]) -> None:
    for need in step.takes:
        for one in by_step[need]:
            if not reuse.has_result(manager, one.job_id, one.kind):
                raise Conflict(
                    f"what '{need}' returned is not there: it could not be pickled, or its job was deleted.",
                    code="flow_result_missing",
                )


def _handed(
    manager: JobManager, spec: JobSpec, step: StepSpec, jobs: dict[str, tuple[list[str], bool]]
) -> JobSpec:
    """The spec with what earlier steps hand over in its place."""

    def ids(name: str) -> str | list[str]:
        found, mapped = jobs[name]
        return found if mapped else found[0]

    if step.spec.kind == "function":
        return msgspec.structs.replace(spec, given={name: ids(name) for name in step.takes})
    command = list(spec.command)
    for place, one in step.words.items():
        command[int(place)] = _word(manager, ids(one.step), one)
    parameters, later = dict(spec.parameters), {}
    for name, one in step.parameters.items():
        try:
            parameters[name] = _value(manager, ids(one.step), one)
        except values.NotPlain:
            later[name] = ids(one.step)
    return msgspec.structs.replace(spec, command=command, parameters=parameters, given=later)


def _word(manager: JobManager, ids: str | list[str], one: Handed) -> str:
    """A word of a command: a plain value as text, of what is more the path of its file."""
    try:
        value = _value(manager, ids, one)
    except values.NotPlain:
        value = _value(manager, ids, Handed(one.step, "path"))
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _value(manager: JobManager, ids: str | list[str], one: Handed) -> Any:
    """What is handed over, as text, numbers, lists.

    Raises
    ------
    NotPlain
        If it is more than that.
    """
    jobs = str(manager.config.home_path / "jobs")
    found: list[Any] = []
    for job_id in ids if isinstance(ids, list) else [ids]:
        path = given.path_of(jobs, job_id)
        if one.what == "path" or path.endswith(".ipynb"):
            found.append(path)
        elif path.endswith(".pickle"):
            with JobFolder.of(manager.config, job_id).open(Path(path).name) as file:
                found.append(values.plain_of(file))
        else:
            found.append(0)
    return found if isinstance(ids, list) else found[0]
