"""Work is kept to be started by a schedule: as it is now, in a folder of the schedule's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound, Unavailable
from jupyter_blueno.jobs.model import CONDUCTORS, Change, JobSpec
from jupyter_blueno.jobs.sending import kept, request, snapshot
from jupyter_blueno.schedules import rules
from jupyter_blueno.schedules.firing import folder_of
from jupyter_blueno.schedules.model import KeepSchedule, Timing

if TYPE_CHECKING:
    from jupyter_blueno.jobs.folder import JobFolder
    from jupyter_blueno.jobs.sending.staging import Staging

Kept = TypeVar("Kept")


class Taken:
    """Work that is kept; `said` is what the schedule's row is made of."""

    def __init__(self, staging: Staging, said: KeepSchedule, fresh: bool) -> None:
        self.said = said
        self._staging = staging
        self._fresh = fresh

    def kept(self, keep: Callable[[KeepSchedule], Kept]) -> Kept:
        """What `keep` answers, which writes the schedule down; if it is refused, nothing is left."""
        try:
            return keep(self.said)
        except BluenoError as error:
            if self._fresh and not isinstance(error, Unavailable):
                place = self.said.replaces or self.said.id
                drop(self._staging, folder_of(self._staging.config, place, self.said.digest))
            raise


def take(
    staging: Staging,
    schedule_id: str,
    name: str,
    timing: Timing,
    spec: JobSpec,
    fresh: bool = False,
    replaces: str | None = None,
) -> Taken:
    """Keep work as it is now; `replaces` is the schedule whose place it takes.

    Raises
    ------
    InvalidInput
        If it can never start, or cannot run.
    """
    name = _checked(schedule_id, name, timing)
    spec = kept.settled(staging, spec)
    request.check_spec(spec)
    notebook = _notebook(spec) if fresh else None
    said = _said(schedule_id, name, timing, spec, notebook, replaces)
    folder = folder_of(staging.config, replaces or schedule_id, said.digest)
    there = folder.path.exists()
    staging.take(folder, name, spec)
    return Taken(staging, said, not there)


def take_job(
    staging: Staging,
    schedule_id: str,
    old: JobFolder,
    change: Change,
    timing: Timing,
    replaces: str | None = None,
) -> Taken:
    """Keep what a job ran, with other values where `change` gives some.

    Raises
    ------
    InvalidInput
    """
    name, spec = kept.changed(staging, kept.of(old), change)
    if spec.kind == "ingest":
        raise InvalidInput("Preparing a dataset cannot be scheduled; do so in a script.", code="job_spec")
    if spec.kind in CONDUCTORS:
        raise InvalidInput(
            f"A {spec.kind} that ran cannot be scheduled. Schedule what makes it: a flow by "
            "flow.schedule(cron='…'), a sweep by a function or script that starts it.",
            code="job_spec",
        )
    _checked(schedule_id, name, timing)
    spec = kept.settled(staging, spec)
    said = _said(schedule_id, name, timing, spec, None, replaces)
    folder = folder_of(staging.config, replaces or schedule_id, said.digest)
    there = folder.path.exists()
    staging.take_over(old, folder, name, spec)
    return Taken(staging, said, not there)


def take_made(
    staging: Staging,
    schedule_id: str,
    name: str,
    timing: Timing,
    spec: JobSpec,
    lay_out: Callable[[JobFolder], None],
    replaces: str | None = None,
) -> Taken:
    """Keep work that is more than a job: `lay_out` puts it into a folder, a starter of the kind starts it."""
    name = _checked(schedule_id, name, timing)
    said = _said(schedule_id, name, timing, spec, None, replaces)
    folder = folder_of(staging.config, replaces or schedule_id, said.digest)
    there = folder.path.exists()
    lay_out(folder)
    return Taken(staging, said, not there)


def check(said: KeepSchedule) -> None:
    """Refuse what is said of a schedule where it cannot be.

    Raises
    ------
    InvalidInput
    """
    _checked(said.id, said.name, said.timing)
    request.check_digest(said.digest)
    nothing = JobSpec(kind=said.kind, resources=said.resources, origin=said.origin)
    request.check_said(nothing)
    if said.kind in ("sweep", "ingest") or "\0" in (said.notebook or ""):
        raise InvalidInput("That is no work of a schedule.", code="job_spec")


def drop(staging: Staging, folder: JobFolder) -> None:
    """Let go of what a schedule kept."""
    contents = snapshot.contents(folder)
    shutil.rmtree(folder.path, ignore_errors=True)
    staging.objects.drop(contents)


def _checked(schedule_id: str, name: str, timing: Timing) -> str:
    request.check_id(schedule_id)
    rules.check(timing)
    return request.check_name(name)


def _said(
    schedule_id: str, name: str, timing: Timing, spec: JobSpec, notebook: str | None, replaces: str | None
) -> KeepSchedule:
    digest = request.digest(name, spec)
    return KeepSchedule(
        schedule_id, name, timing, spec.kind, digest, spec.resources, spec.origin, notebook, replaces
    )


def _notebook(spec: JobSpec) -> str:
    """The file that a fresh notebook is read from."""
    if spec.kind != "notebook" or not spec.origin.notebook:
        raise InvalidInput(
            "Only a notebook that is a file can be read anew each time; leave 'fresh' out.",
            code="schedule_fresh",
        )
    name = Path(spec.origin.notebook.partition(":")[2] or spec.origin.notebook)
    path = os.path.join(spec.folder or "", name if name.is_absolute() else name.name)
    if not os.path.isfile(path):
        raise NotFound(
            f"There is no notebook {path}. Save it first, or leave 'fresh' out.",
            code="notebook_not_found",
        )
    return path
