"""Jobs side by side: what they were given, what came out, what was different."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from jupyter_blueno.catalog.model import Filter
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Code, Job, Resources, UsedDataset

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

LEAST, MOST = 2, 8  # jobs side by side
DIFF = 4000  # lines of all differences together
POINTS = 100  # of a curve, of which the last counts


class Line(Struct, frozen=True):
    """One thing of each job, in their order; None where a job has none of it."""

    name: str
    values: list[Any]
    differs: bool


class Difference(Struct, frozen=True):
    """How a file of a job differs from that of the first one: lines of a unified diff.

    `job` is its place among the jobs.
    """

    job: int
    name: str
    lines: list[str]


class Comparison(Struct, frozen=True):
    """Jobs side by side; of each kind of lines those that differ come first.

    `metrics` are the newest values. `code` compares each job with the first one.
    """

    jobs: list[Job]
    parameters: list[Line]
    metrics: list[Line]
    datasets: list[Line]
    resources: list[Line]
    environment: list[Line]
    code: list[Difference]


class Side(Struct, frozen=True):
    """What is known of one of the jobs."""

    job: Job
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    datasets: dict[str, Any]
    code: Code


def compare(config: Config, jobs: Sequence[Job]) -> Comparison:
    """Compare jobs by what lies in their folders.

    Raises
    ------
    InvalidInput
        If there are fewer than two, or too many.
    """
    different = list({job.id: job for job in jobs}.values())
    if not LEAST <= len(different) <= MOST:
        raise InvalidInput(
            f"{LEAST} to {MOST} different jobs can be compared, not {len(different)}.", code="compare"
        )
    return side_by_side([_side(JobFolder.of(config, job.id), job) for job in different])


def side_by_side(sides: Sequence[Side]) -> Comparison:
    """Put what is known of the jobs into lines."""
    return Comparison(
        jobs=[side.job for side in sides],
        parameters=_lines([side.parameters for side in sides]),
        metrics=_lines([side.metrics for side in sides]),
        datasets=_lines([side.datasets for side in sides]),
        resources=_lines([_resources(side.job) for side in sides]),
        environment=_lines([_environment(side.code) for side in sides]),
        code=_differences([side.code for side in sides]),
    )


def _side(folder: JobFolder, job: Job) -> Side:
    from jupyter_blueno.jobs.record import JobRecord
    from jupyter_blueno.jobs.sending import kept
    from jupyter_blueno.jobs.sending.parameters import parameters_of

    record = JobRecord(folder)
    try:
        spec = kept.of(folder).spec
        parameters = {one.name: one.value for one in parameters_of(spec)}
        if spec.kind == "command":
            parameters["command"] = shlex.join(spec.command)
        code = record.code()
    except NotFound:  # what it ran is no longer on disk
        parameters, code = {}, Code("python", "")
    curves = record.curves("metrics", limit=POINTS).curves
    metrics = {one.name: one.values[-1] for one in curves if one.values}
    used = {one.name: _used(one) for one in record.used()}
    return Side(job, parameters, metrics, used, code)


def _used(dataset: UsedDataset) -> str:
    chosen = msgspec.structs.asdict(dataset.filter)
    standard = msgspec.structs.asdict(Filter())
    words = [f"{name} {_word(value)}" for name, value in chosen.items() if value != standard[name]]
    return " · ".join([f"version {dataset.version}", *words])


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _resources(job: Job) -> dict[str, Any]:
    asked, usual = msgspec.structs.asdict(job.resources), msgspec.structs.asdict(Resources())
    return {name: value for name, value in asked.items() if value != usual[name]}


def _environment(code: Code) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if code.python:
        found["Python"] = code.python
    if code.commit:
        found["commit"] = code.commit[:10] + (" with changes" if code.diff else "")
    for line in code.packages:
        name, _, version = line.partition("==")
        found[name] = version or line
    return found


def _lines(sides: Sequence[dict[str, Any]]) -> list[Line]:
    """A line for each name that a job has; those that differ first."""
    names = list(dict.fromkeys(name for side in sides for name in side))
    lines = []
    for name in names:
        values = [side.get(name) for side in sides]
        texts = {json.dumps(value, sort_keys=True, default=str) for value in values}
        lines.append(Line(name, values, len(texts) > 1))
    return sorted(lines, key=lambda line: not line.differs)


def _differences(codes: Sequence[Code]) -> list[Difference]:
    first, *others = codes
    found = []
    left = DIFF
    for place, other in enumerate(others, 1):
        names = dict.fromkeys(["", *first.modules, *other.modules])
        for name in names:
            old, new = _text(first, name), _text(other, name)
            if old == new:
                continue
            lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3))[2:]
            found.append(Difference(place, name or "code", lines[:left]))
            left -= len(found[-1].lines)
            if left <= 0:
                return found
    return found


def _text(code: Code, name: str) -> str:
    if name:
        return code.modules.get(name, "")
    return _cells(code.source) if code.language == "ipynb" else code.source


def _cells(source: str) -> str:
    """A notebook as text: its cells, without what they showed."""
    try:
        cells = json.loads(source)["cells"]
        return "\n\n".join(
            f"# %% {cell['cell_type']} {number}\n{''.join(cell['source'])}"
            for number, cell in enumerate(cells, 1)
        )
    except (ValueError, KeyError, TypeError):
        return source
