"""Many jobs in one request: a thousand cost little more than the folders they need."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_blueno.errors import BluenoError, InvalidInput, TooLarge, Unavailable
from jupyter_blueno.jobs import intent, store
from jupyter_blueno.jobs.backends.base import NotYet
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.model import Job, JobSpec, Person
from jupyter_blueno.jobs.sending import request
from jupyter_blueno.vault import vault

if TYPE_CHECKING:
    from jupyter_blueno.jobs.manager import JobManager
    from jupyter_blueno.jobs.sending.staging import Staging

MOST = 1000  # jobs in one request
Started = TypeVar("Started")
Asked = tuple[str, str, JobSpec]  # an id, a name, what to run


def submit_many(manager: JobManager, user: Person, asked: Sequence[Asked]) -> list[Job]:
    """Start jobs; the same request again is the same jobs.

    All are checked before any is kept, and on disk before any is started: with
    one sync, one statement and one ring of the queue's bell.

    Raises
    ------
    InvalidInput
        If one of them cannot run; none was started.
    TooLarge
        If there are more than a thousand.
    """
    return lay_out(manager.staging, asked).launched(lambda intents: launch(manager, user, intents))


class LaidOut:
    """Jobs whose folders are there, and of which nobody knows yet."""

    def __init__(self, staging: Staging, intents: list[Intent], new: list[Asked]) -> None:
        self.staging = staging
        self.intents = intents
        self._new = new

    def launched(self, launch: Callable[[list[Intent]], Started]) -> Started:
        """What `launch` answers, which starts them; if they are refused, nothing is left of them."""
        try:
            started = launch(self.intents)
        except BluenoError as error:
            if not isinstance(error, Unavailable):  # else the rows may have been kept all the same
                for job_id, _, _ in self._new:
                    self.staging.forget(job_id)
            raise
        self._remember()
        return started

    def _remember(self) -> None:
        """Have packages and commit written down; only now: it would take the processor from what starts."""

        def place(one: Asked) -> Any:
            spec = one[2]
            return spec.python or "", bool(spec.requirements), spec.folder or "", spec.origin.notebook or ""

        for _, same in groupby(sorted(self._new, key=place), key=place):
            jobs = list(same)
            self.staging.remember([job_id for job_id, _, _ in jobs], jobs[0][2])


def lay_out(staging: Staging, asked: Sequence[Asked]) -> LaidOut:
    """Make the folders of jobs that can run; all of them, or none.

    Raises
    ------
    As `submit_many`.
    """
    _check_ids([job_id for job_id, _, _ in asked])
    named = []
    for job_id, name, spec in asked:
        request.check_id(job_id)
        name = request.check_name(name)
        named.append((job_id, name, spec, request.digest(name, spec)))
    fresh = [one for one in named if not staging.is_laid_out(one[0], one[3])]
    for _, _, spec, _ in fresh:
        staging.check(spec)
    new: list[Asked] = []
    laid = LaidOut(staging, [intent.of(*one) for one in named], new)
    try:
        for job_id, name, spec, digest in fresh:
            if staging.lay_out(job_id, name, spec, digest, durable=len(fresh) == 1):
                new.append((job_id, name, spec))
    except BluenoError:
        for job_id, _, _ in new:
            staging.forget(job_id)
        raise
    if len(fresh) > 1:
        os.sync()
    return laid


def launch(manager: JobManager, user: Person, asked: Sequence[Intent]) -> list[Job]:
    """Start jobs whose folders are laid out.

    Raises
    ------
    InvalidInput
        If one of them needs what can never be had; none was started.
    Conflict
        If an id belongs to another request.
    Unavailable
        If they cannot be started now.
    """
    _check_ids([one.id for one in asked])
    for one in asked:
        manager.check(user, one.resources, one.kind)
        if manager.config.of_several and not JobFolder.of(manager.config, one.id).has("run.json"):
            raise InvalidInput(
                f"Nothing is laid out for the job '{one.name[:60]}' in your team's folder. Submit it from "
                "your notebook server.",
                code="job_not_laid_out",
            )
    secrets = {name for one in asked for name in one.secrets}
    vault.check_there(manager.database, user.team, sorted(secrets))
    # Intent first. If we die before it is in the queue, the monitor puts it there.
    made = {job.id: job for job in _inserted(manager, [manager.row(user, one) for one in asked])}
    try:
        with contextlib.suppress(NotYet):
            if manager.monitor.gate is None:
                _start(manager, [made[one.id] for one in asked if one.id in made])
            else:
                manager.monitor.let_in()
    except BluenoError:
        if len(made) == 1:  # of many, whoever looks next starts those that are not
            with manager.database.begin() as connection:
                forgotten = [job_id for job_id in made if store.forget(connection, job_id)]
            for job_id in forgotten:
                manager.staging.forget(job_id)
        raise
    manager.monitor.look()
    missed = [one.id for one in asked if one.id not in made]
    with manager.database.begin() as connection:
        known = store.known(connection, missed) if missed else {}
    return [made.get(one.id) or manager.same(user, known.get(one.id), one.digest) for one in asked]


def _check_ids(ids: list[str]) -> None:
    if len(ids) > MOST:
        raise TooLarge(
            f"One request takes {MOST} jobs; send the others in another one.", code="too_many_jobs"
        )
    if len(set(ids)) < len(ids):
        raise InvalidInput("Two of the jobs have one id; each needs its own.", code="job_id")


def _inserted(manager: JobManager, rows: list[dict[str, Any]]) -> list[Job]:
    """The jobs of new rows, without those that are there already; of a single one by one statement."""
    if len(rows) == 1 and not rows[0]["parent"]:
        with manager.database.autocommit() as connection:
            found = store.insert(connection, rows[0])
        return [] if found is None else [found]
    with manager.database.begin() as connection:
        return store.insert_many(connection, rows)


def _start(manager: JobManager, jobs: Iterable[Job]) -> None:
    work = []
    for job in jobs:
        environment = manager.monitor.environment(job.id, job.kind, job.resources)
        work.append((job.id, JobFolder.of(manager.config, job.id), store.claim_of(job), environment))
    if len(work) == 1:
        manager.backend.start(*work[0])
    elif work:
        manager.backend.start_many(work)
