"""A flow as it stands, for those who look."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.errors import NotFound
from jupyter_blueno.flows import graph, store
from jupyter_blueno.flows.going import standing, state_of
from jupyter_blueno.flows.making import folder_of
from jupyter_blueno.flows.model import MOST_STEPS, Flow, Part, Step
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import TERMINAL, Code, Person
from jupyter_blueno.jobs.sending import snapshot

if TYPE_CHECKING:
    from jupyter_blueno.config import Config


def see(manager: JobManager, user: Person, ref: str) -> Flow:
    """A flow with its steps.

    Raises
    ------
    NotFound
        If there is none, or the job is no flow.
    """
    job = manager.get(user, ref)
    manager.catch_up()
    with manager.database.begin() as connection:
        known, parts = store.one(connection, job.id), store.parts(connection, job.id)
    if known is None or job.kind != "flow":
        raise NotFound(f"Job {job.id[:8]} is no flow; it has no steps.", code="flow_not_found")
    stands = standing(parts)
    over = all(step.over for step in stands)
    ended = job.state in TERMINAL
    steps = [
        _step(one.name, one.state, list(group), ended)
        for one, (_, group) in zip(stands, groupby(parts, key=lambda part: part.position), strict=True)
    ]
    return Flow(job.id, job.name, job.state, steps, known.resumes, over, graph.summary(stands))


def parts_of(manager: JobManager, user: Person, ref: str, step: str) -> list[Part]:
    """The jobs of one step.

    Raises
    ------
    NotFound
    """
    job_id = manager.find(user, ref)
    with manager.database.begin() as connection:
        found = store.parts_of(connection, job_id, step)
    if not found:
        raise NotFound(f"Job {job_id[:8]} has no step '{step[:80]}'.", code="flow_step_not_found")
    return [
        Part(
            number=part.number,
            label=part.label,
            state=state_of(part),
            job_id=part.job_id,
            reused=part.reused,
            reason=part.job_reason or part.reason,
            seconds=_seconds([part]),
            parameters=part.parameters,
            metrics=part.metrics or {},
        )
        for part in found
    ]


def code_of(config: Config, flow_id: str) -> Code:
    """What the steps of a flow run, one after the other, from its folder.

    Raises
    ------
    NotFound
    """
    whole = snapshot.read(JobFolder.of(config, flow_id))
    texts: list[str] = []
    modules: dict[str, str] = {}
    for position in range(MOST_STEPS):
        folder = folder_of(config, flow_id, position, 0)
        record = snapshot.asked(folder)
        if record is None:
            break
        code = snapshot.read(folder)
        texts.append(f"# {record.name} ({record.spec.kind})\n{_text(code)}")
        modules |= code.modules
    return msgspec.structs.replace(whole, language="python", source="\n\n".join(texts), modules=modules)


def _text(code: Code) -> str:
    if code.language != "ipynb":
        return code.source.rstrip()
    cells = msgspec.json.decode(code.source)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _step(name: str, state: Any, parts: Sequence[Any], ended: bool) -> Step:
    first = parts[0]
    states = [state_of(part) for part in parts]
    if ended and state == "WAITING":
        state = "NOT_RUN"
    starts = [part.started_at for part in parts if part.started_at is not None and not part.reused]
    return Step(
        name=name,
        kind=first.kind,
        state=state,
        needs=list(first.needs),
        takes=list(first.takes),
        job_id=first.job_id if len(parts) == 1 else None,
        reused=all(part.reused for part in parts),
        reason=_reason(state, parts, states, ended),
        seconds=_seconds([part for part in parts if not part.reused]),
        started_at=min(starts).timestamp() if starts else None,
        cache=first.cache,
        mapped=first.mapped,
        parts=len(parts),
        parts_done=states.count("SUCCEEDED"),
        parts_failed=sum(one in TERMINAL and one != "SUCCEEDED" for one in states),
        progress=_progress(parts, states),
    )


def _reason(state: Any, parts: Sequence[Any], states: list[Any], ended: bool) -> str | None:
    if state == "SUCCEEDED":
        taken = sorted({part.job_id[:8] for part in parts if part.reused})
        if not taken:
            return None
        if len(parts) == 1:
            return f"Reused from job {taken[0]}."
        return f"{sum(part.reused for part in parts)} of {len(parts)} reused from earlier jobs."
    if state == "NOT_RUN" and ended and all(part.reason is None for part in parts):
        return "The flow ended before."
    for part, one in zip(parts, states, strict=True):
        said = part.job_reason or part.reason
        if one == state and said:
            where = f"{part.label}: " if len(parts) > 1 and part.label else ""
            return f"{where}{said}"
    return None


def _seconds(parts: Sequence[Any]) -> float | None:
    """From the first start to the last end, or until now."""
    starts: list[datetime] = [part.started_at for part in parts if part.started_at is not None]
    if not starts:
        return None
    running = any(part.state not in TERMINAL and part.job_id is not None for part in parts)
    ends = [part.finished_at.timestamp() for part in parts if part.finished_at is not None]
    end = time.time() if running or not ends else max(ends)
    return max(0.0, round(end - min(starts).timestamp(), 3))


def _progress(parts: Sequence[Any], states: list[Any]) -> float | None:
    """From 0 to 1, of all parts; None where nothing says how far it is."""
    done = 0.0
    for part, state in zip(parts, states, strict=True):
        said = part.progress or {}
        if state == "SUCCEEDED":
            done += 1
        elif said.get("total"):
            done += min(1.0, said["done"] / said["total"])
        elif len(parts) == 1:
            return None
    return round(done / len(parts), 4)
