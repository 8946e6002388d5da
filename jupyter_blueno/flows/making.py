"""A flow is made: checked whole, its code kept, then started. A flow that ended is made again."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_blueno.errors import BluenoError, Conflict, NotFound
from jupyter_blueno.flows import graph, keys, store
from jupyter_blueno.flows.model import FlowSpec, PartSpec, StepSpec
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, JobSpec, Origin, Person, Resources
from jupyter_blueno.jobs.sending import interpreters, plan, request, runnable, snapshot

CONDUCTOR = "jupyter_blueno.conductors.flow"
# What succeeded: step and number of the part → hash of its work, and the job.
Finished = dict[tuple[str, int], tuple[str, str]]

ATTEMPTS = 20  # how often the conductor is started again when something kills it


class Request(msgspec.Struct, frozen=True):
    """What the conductor is told: who asks. `digest` is that of the steps."""

    user: str
    team: str
    digest: str


def start(manager: JobManager, user: Person, ask: FlowSpec) -> Job:
    """Start a flow; the same request again is the same flow.

    Raises
    ------
    InvalidInput
        If it cannot run, as far as that can be known now; nothing was started.
    Conflict
        If the id belongs to another request.
    """
    request.check_id(ask.id)
    name = request.check_name(ask.name)
    digest = keys.digest_of(ask)
    job = _conductor(user, digest, ask.origin)
    graph.check(ask.steps)
    for step in ask.steps:
        for part in step.parts:
            spec = spec_of(step, part)
            request.check_spec(_as_given(spec, step))
            manager.backend.check(spec.resources)
            if not step.needs:  # the others may run what these make
                runnable.check_here(manager, spec)
    with manager.database.begin() as connection:
        known = store.one(connection, ask.id)
    if known is not None and known.digest != digest:
        raise Conflict("Another flow has this id already; make a new one.", code="job_id_taken")
    earlier = _finished(manager, user, ask.resumes) if ask.resumes else {}
    if known is None:
        _keep(manager, user, ask, name, job, digest, earlier)
    return _launched(manager, user, ask.id, name, job)


def resume(manager: JobManager, user: Person, flow_id: str, new_id: str, anew: bool = False) -> Job:
    """Make a flow that ended again: what succeeded is taken over, or with `anew` run again, too.

    Raises
    ------
    Conflict
        If it has not ended.
    """
    request.check_id(new_id)
    old = manager.get(user, manager.owned(user, flow_id))
    source = JobFolder.of(manager.config, old.id).path / "steps"
    with manager.database.begin() as connection:
        known, parts = store.one(connection, old.id), store.parts_whole(connection, old.id)
    if known is None or not source.is_dir():
        raise NotFound("The steps of that flow are no longer on disk; submit it anew.", code="flow_not_found")
    if old.finished_at is None:
        raise Conflict("The flow is still running; cancel it first.", code="flow_active")
    digest = f"{known.digest} again"
    job = _conductor(user, digest, old.origin)
    earlier = {} if anew else _finished(manager, user, old.id)
    resumes = None if anew else old.id
    values = {"id": new_id, "team": user.team, "owner": user.name, "digest": digest, "resumes": resumes}
    rows = [_again(dict(part._mapping), new_id, earlier) for part in parts]

    def lay_out(fresh: Path) -> None:
        shutil.copytree(source, fresh, copy_function=snapshot.link, symlinks=True)

    _write(manager, new_id, old.name, job, lay_out)
    with manager.database.begin() as connection:
        store.insert(connection, values, rows)
    return _launched(manager, user, new_id, old.name, job)


def spec_of(step: StepSpec, part: PartSpec) -> JobSpec:
    """What a part is, before it is known what it is handed."""
    return msgspec.structs.replace(
        step.spec,
        payload=part.payload if part.payload is not None else step.spec.payload,
        parameters={**step.spec.parameters, **part.parameters},
        arguments=part.arguments or step.spec.arguments,
    )


def folder_of(manager: JobManager, flow_id: str, position: int, number: int) -> JobFolder:
    """Where the snapshot of a part is kept until it is run."""
    return JobFolder(JobFolder.of(manager.config, flow_id).path / "steps" / f"{position}-{number}")


def _as_given(spec: JobSpec, step: StepSpec) -> JobSpec:
    """The same with something in the place of what is handed over, to be checked."""
    return msgspec.structs.replace(spec, parameters={**dict.fromkeys(step.parameters), **spec.parameters})


def _conductor(user: Person, digest: str, origin: Origin) -> JobSpec:
    source = msgspec.json.encode(Request(user.name, user.team, digest)).decode()
    command = [sys.executable, "-P", "-m", CONDUCTOR]
    return JobSpec(
        kind="flow", command=command, source=source, origin=origin, resources=Resources(retries=ATTEMPTS)
    )


def _keep(
    manager: JobManager,
    user: Person,
    ask: FlowSpec,
    name: str,
    job: JobSpec,
    digest: str,
    earlier: Finished,
) -> None:
    """Put the snapshots of all steps on disk, then the flow into the database."""
    rows: list[dict[str, Any]] = []

    def lay_out(fresh: Path) -> None:
        rows.clear()
        for position, step in enumerate(ask.steps):
            for number, part in enumerate(step.parts):
                folder = JobFolder(fresh / f"{position}-{number}")
                code = _snapshot(manager, step, part, folder)
                row = _row(ask.id, position, number, step, part, code)
                rows.append(_again(row, ask.id, earlier))

    with snapshot.kept_or_said():
        _write(manager, ask.id, name, job, lay_out)
    values = {"id": ask.id, "team": user.team, "owner": user.name, "digest": digest, "resumes": ask.resumes}
    with manager.database.begin() as connection:
        store.insert(connection, values, rows)


def _write(manager: JobManager, flow_id: str, name: str, job: JobSpec, lay_out: Any) -> None:
    """Make the conductor's folder with the steps in it; nobody sees it half."""
    manager.lay_out(flow_id, name, job, request.digest(name, job), durable=False)
    folder = JobFolder.of(manager.config, flow_id).path
    fresh = folder / f".steps.{secrets.token_hex(4)}"
    try:
        lay_out(fresh)
        if (folder / "steps").exists():  # of a request like this one, which died on its way
            shutil.rmtree(folder / "steps")
        fresh.rename(folder / "steps")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    os.sync()


def _snapshot(manager: JobManager, step: StepSpec, part: PartSpec, folder: JobFolder) -> dict[str, str]:
    """Keep a part's code and request; what it consists of: name → hash."""
    spec = spec_of(step, part)
    content = plan.of(manager.config, "", spec)
    folder.code.mkdir(parents=True, mode=0o700)
    base = content["build"]["base"] if content["build"] else interpreters.place(spec.python)
    snapshot.write_down(folder, step.name, "", spec, content, durable=False)
    folder.write("step.json", msgspec.structs.replace(step, spec=JobSpec(kind=spec.kind), parts=[]))
    snapshot.take(spec, folder, content["cwd"], base, manager.objects)
    return folder.read("code.json", dict[str, str]) or {}


def _row(
    flow_id: str, position: int, number: int, step: StepSpec, part: PartSpec, code: dict[str, str]
) -> dict[str, Any]:
    spec = spec_of(step, part)
    shown = {one.name: one.value for one in spec.arguments} | spec.parameters
    return {
        "flow_id": flow_id,
        "position": position,
        "number": number,
        "step": step.name,
        "kind": step.spec.kind,
        "label": part.label,
        "needs": step.needs,
        "takes": step.takes,
        "mapped": step.mapped,
        "cache": step.cache,
        "parameters": shown if step.mapped else {},
        "work": keys.work_of(step, part, spec, code),
    }


def _again(row: dict[str, Any], flow_id: str, earlier: Finished) -> dict[str, Any]:
    """A row as it is before anything was decided; with the job whose result may be taken over."""
    work, job_id = earlier.get((row["step"], row["number"]), ("", ""))
    fresh = {"key": None, "job_id": None, "reused": False, "reason": None}
    return {**row, **fresh, "flow_id": flow_id, "earlier": job_id if work == row["work"] else None}


def _finished(manager: JobManager, user: Person, flow_id: str) -> Finished:
    """What succeeded in a flow.

    Raises
    ------
    NotFound
    """
    found = manager.owned(user, flow_id)  # results are loaded: nobody else's are taken
    with manager.database.begin() as connection:
        parts: Sequence[Any] = store.parts(connection, found)
    return {(part.step, part.number): (part.work, part.job_id) for part in parts if part.state == "SUCCEEDED"}


def _launched(manager: JobManager, user: Person, flow_id: str, name: str, job: JobSpec) -> Job:
    try:
        return manager.submit(user, flow_id, name, job)
    except BluenoError:
        with manager.database.begin() as connection:
            store.forget(connection, flow_id)
        shutil.rmtree(JobFolder.of(manager.config, flow_id).path, ignore_errors=True)
        raise
