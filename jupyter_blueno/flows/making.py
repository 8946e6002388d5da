"""A flow is made: checked whole, its code kept, then started. A flow that ended is made again."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.errors import BluenoError, Conflict, NotFound, Unavailable
from jupyter_blueno.flows import graph, keys, store
from jupyter_blueno.flows.model import BeginFlow, FlowSpec, PartRow, PartSpec, StepSpec
from jupyter_blueno.jobs import intent
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, JobSpec, Origin, Person, Resources
from jupyter_blueno.jobs.sending import batch, plan, request, snapshot
from jupyter_blueno.jobs.sending.staging import PLACE, Staging

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

CONDUCTOR = "jupyter_blueno.conductors.flow"
# What succeeded: step and number of the part → hash of its work, and the job.
Finished = dict[tuple[str, int], tuple[str, str]]

ATTEMPTS = 20  # how often the conductor is started again when something kills it


class Request(msgspec.Struct, frozen=True):
    """What the conductor is told: who asks. `digest` is that of the steps."""

    user: str
    team: str
    digest: str


def lay_out(
    staging: Staging, user: Person, ask: FlowSpec, kept: Path | None = None
) -> tuple[BeginFlow, batch.LaidOut]:
    """Check a flow whole, and put the snapshots of all its steps on disk; what is said of it.

    With `kept` they are those that lie there, see `keep_steps`.

    Raises
    ------
    InvalidInput
        If it cannot run, as far as that can be known now; nothing was kept.
    Conflict
        If the id belongs to another request.
    """
    name = request.check_name(ask.name)
    digest = keys.digest_of(ask)
    check(staging, ask, kept is not None)
    parts: list[PartRow] = []

    def take(fresh: Path) -> None:
        parts[:] = keep_steps(staging, ask, fresh, kept)

    laid = _write(staging, ask.id, name, conductor(user, digest, ask.origin), take)
    needs = {step.spec.resources for step in ask.steps}
    return BeginFlow(laid.intents[0], digest, parts, list(needs), ask.resumes), laid


def check(staging: Staging, ask: FlowSpec, kept: bool = False) -> None:
    """Refuse a flow that cannot run, as far as that can be known now; `kept` code was looked at before.

    Raises
    ------
    InvalidInput
    """
    graph.check(ask.steps)
    for step in ask.steps:
        for part in step.parts:
            spec = _as_given(spec_of(step, part), step)
            # What needs others may run what these make.
            (staging.check_spec if kept or step.needs else staging.check)(spec)


def keep_steps(staging: Staging, ask: FlowSpec, target: Path, kept: Path | None = None) -> list[PartRow]:
    """Put the code of all steps into a folder, as it is now or lies in `kept`; what is said of the parts."""
    rows = []
    for position, step in enumerate(ask.steps):
        for number, part in enumerate(step.parts):
            place = f"{position}-{number}"
            before = None if kept is None else JobFolder(kept / place)
            code = _snapshot(staging, step, part, JobFolder(target / place), before)
            rows.append(_row(position, number, step, part, code))
    return rows


def begin(manager: JobManager, user: Person, ask: BeginFlow) -> Job:
    """Write down a flow that is laid out, and start the job that conducts; again, it is the same flow.

    Raises
    ------
    InvalidInput
        If a step needs what can never be had.
    Conflict
        If the id belongs to another request.
    """
    flow_id = ask.conductor.id
    for one in ask.resources:
        manager.check(user, one)
    with manager.database.begin() as connection:
        known = store.one(connection, flow_id)
    if known is not None and (known.digest, known.team) != (ask.digest, user.team):
        raise Conflict("Another flow has this id already; make a new one.", code="job_id_taken")
    if known is None:
        earlier = _finished(manager, user, ask.resumes) if ask.resumes else {}
        rows = [_again(msgspec.structs.asdict(part), flow_id, earlier) for part in ask.parts]
        _keep(manager, user, flow_id, ask.digest, ask.resumes, rows)
    return _launched(manager, user, ask.conductor)


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
    job = conductor(user, digest, old.origin)
    earlier = {} if anew else _finished(manager, user, old.id)
    resumes = None if anew else old.id
    rows = [_again(dict(part._mapping), new_id, earlier) for part in parts]

    def take(fresh: Path) -> None:
        shutil.copytree(source, fresh, copy_function=snapshot.link, symlinks=True)

    laid = _write(manager.staging, new_id, old.name, job, take)
    _keep(manager, user, new_id, digest, resumes, rows)
    return laid.launched(lambda intents: _launched(manager, user, intents[0]))


def spec_of(step: StepSpec, part: PartSpec) -> JobSpec:
    """What a part is, before it is known what it is handed."""
    return msgspec.structs.replace(
        step.spec,
        payload=part.payload if part.payload is not None else step.spec.payload,
        parameters={**step.spec.parameters, **part.parameters},
        arguments=part.arguments or step.spec.arguments,
    )


def folder_of(config: Config, flow_id: str, position: int, number: int) -> JobFolder:
    """Where the snapshot of a part is kept until it is run."""
    return JobFolder.below(config, "jobs", flow_id, "steps", f"{position}-{number}")


def _as_given(spec: JobSpec, step: StepSpec) -> JobSpec:
    """The same with something in the place of what is handed over, to be checked."""
    return msgspec.structs.replace(spec, parameters={**dict.fromkeys(step.parameters), **spec.parameters})


def conductor(user: Person, digest: str, origin: Origin) -> JobSpec:
    """The job that starts the steps of a flow."""
    source = msgspec.json.encode(Request(user.name, user.team, digest)).decode()
    command = [sys.executable, "-P", "-m", CONDUCTOR]
    return JobSpec(
        kind="flow", command=command, source=source, origin=origin, resources=Resources(retries=ATTEMPTS)
    )


def _keep(
    manager: JobManager, user: Person, flow_id: str, digest: str, resumes: str | None, rows: Sequence[Any]
) -> None:
    values = {"id": flow_id, "team": user.team, "owner": user.name, "digest": digest, "resumes": resumes}
    with manager.database.begin() as connection:
        if not store.insert(connection, values, rows):
            known = store.one(connection, flow_id)  # of another team's nobody is shown the row
            if known is None or known.digest != digest:
                raise Conflict("Another flow has this id already; make a new one.", code="job_id_taken")


def _write(
    staging: Staging, flow_id: str, name: str, job: JobSpec, take: Callable[[Path], None]
) -> batch.LaidOut:
    """Make the conductor's folder with the steps in it; nobody sees it half."""
    request.check_id(flow_id)
    digest = request.digest(name, job)
    made = staging.lay_out(flow_id, name, job, digest, durable=False)
    folder = JobFolder.of(staging.config, flow_id).path
    fresh = folder / f".steps.{secrets.token_hex(4)}"
    try:
        with snapshot.kept_or_said():
            take(fresh)
            if not (folder / "steps").exists():  # else a request like this one put them there
                fresh.rename(folder / "steps")
    except BaseException:
        if made:
            staging.forget(flow_id)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    os.sync()
    return batch.LaidOut(
        staging, [intent.of(flow_id, name, job, digest)], [(flow_id, name, job)] if made else []
    )


def _snapshot(
    staging: Staging, step: StepSpec, part: PartSpec, folder: JobFolder, kept: JobFolder | None
) -> dict[str, str]:
    """Keep a part's code and request; what it consists of: name → hash."""
    spec = spec_of(step, part)
    place = plan.look(staging.config, spec) if kept is None else kept.read(PLACE, plan.Place)
    if place is None:
        raise NotFound("The steps of that flow are no longer on disk.", code="flow_not_found")
    folder.code.mkdir(parents=True, mode=0o700)
    snapshot.write_down(folder, step.name, "", spec, {}, durable=False)
    folder.write(PLACE, place)
    folder.write("step.json", msgspec.structs.replace(step, spec=JobSpec(kind=spec.kind), parts=[]))
    if kept is None:
        staging.take_code(spec, folder, place)
    else:
        snapshot.copy(kept, folder)
    return folder.read("code.json", dict[str, str]) or {}


def _row(position: int, number: int, step: StepSpec, part: PartSpec, code: dict[str, str]) -> PartRow:
    spec = spec_of(step, part)
    shown = {one.name: one.value for one in spec.arguments} | spec.parameters
    return PartRow(
        position=position,
        number=number,
        step=step.name,
        kind=step.spec.kind,
        label=part.label,
        needs=step.needs,
        takes=step.takes,
        mapped=step.mapped,
        cache=step.cache,
        parameters=shown if step.mapped else {},
        work=keys.work_of(step, part, spec, code),
    )


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


def _launched(manager: JobManager, user: Person, conductor: Intent) -> Job:
    try:
        return manager.launch(user, conductor)
    except BluenoError as error:
        if not isinstance(error, Unavailable):
            with manager.database.begin() as connection:
                store.forget(connection, conductor.id)
        raise
