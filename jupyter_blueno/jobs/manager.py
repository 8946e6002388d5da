"""Jobs of this platform: submitted, watched, found again."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.catalog.checks import check_text
from jupyter_blueno.errors import Conflict, NotAllowed, NotFound
from jupyter_blueno.jobs import backends, parts, store
from jupyter_blueno.jobs.engine.order import lane_of
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.intent import Intent
from jupyter_blueno.jobs.lifecycle import paused
from jupyter_blueno.jobs.model import (
    TERMINAL,
    Change,
    Claim,
    Code,
    Job,
    JobKind,
    JobPage,
    JobSpec,
    Person,
    Resources,
)
from jupyter_blueno.jobs.monitor import Monitor
from jupyter_blueno.jobs.quotas.gate import Gate
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.jobs.sending import amounts, batch, environments, kept, outlook, request, snapshot
from jupyter_blueno.jobs.sending.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyter_blueno.config import Config
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.jobs.backends.base import Backend


class JobManager:
    """Everything that can be asked about jobs. Thread-safe.

    What a job does is told by its folder; rows follow. Where no monitor runs in
    this process, they are brought up to date when somebody asks. `after_end` is
    called after a job was seen to end, and when the monitor starts. `team` and
    `given`: see `Monitor`. `staging` lays out what is submitted here.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        backend: Backend | None = None,
        after_end: Callable[[], None] | None = None,
        team: str | None = None,
        given: Callable[[str], dict[str, str]] | None = None,
        staging: Staging | None = None,
    ) -> None:
        self.config = config
        self.database = database
        self.backend = backend or backends.of(config)
        self.gate = Gate.of(config, database, team or config.team, self.backend.needs)
        gate = None if self.backend.queues else self.gate
        self.monitor = Monitor(config, database, self.backend, after_end, team, given, gate)
        self.staging = staging or Staging(config, self.backend.here)

    def start_monitor(self) -> None:
        """Adopt the jobs that are not over, and follow them from a thread."""
        self.monitor.start()
        later = self.staging.recorder.later
        later(self.staging.objects.sweep)
        later(lambda: environments.sweep(self.config.home_path))

    def close(self) -> None:
        """Stop following; the jobs go on."""
        self.monitor.stop()
        self.staging.close()
        self.backend.close()

    # -- asking for work ----------------------------------------------------

    def submit(self, user: Person, job_id: str, name: str, spec: JobSpec) -> Job:
        """Start a job, or let it wait for its turn; the same request again is the same job.

        Raises
        ------
        InvalidInput
            If it cannot run; nothing was kept.
        Conflict
            If the id belongs to another request.
        Unavailable
            If it cannot be kept now, as on a full disk; nothing was.
        """
        request.check_id(job_id)
        name = request.check_name(name)
        with self.database.autocommit() as connection:
            known = store.row(connection, job_id)
        if known is not None:
            return self.same(user, known, request.digest(name, spec))
        return batch.submit_many(self, user, [(job_id, name, spec)])[0]

    def submit_many(self, user: Person, asked: Sequence[tuple[str, str, JobSpec]]) -> list[Job]:
        """Start jobs of which each is an id, a name and what to run; see `batch.submit_many`."""
        return batch.submit_many(self, user, asked)

    def rerun(self, user: Person, ref: str, change: Change | None = None) -> Job:
        """Run the same snapshot again, as a new job; `change` gives it other values.

        Raises
        ------
        InvalidInput
            If the work does not take them.
        """
        change = change or Change()
        folder = JobFolder.of(self.config, self.find(user, ref))
        job_id = change.id or os.urandom(16).hex()
        request.check_id(job_id)
        name, spec = kept.again(self.staging, folder, change)
        self.check(user, spec.resources, spec.kind)
        return kept.submit(self, user, folder, job_id, name, spec)

    def cancel(self, user: Person, ref: str) -> Job:
        """Have a job stopped, and its parts. One that is over stays as it ended."""
        job_id = self.owned(user, ref)
        self.monitor.reconcile(job_id)
        with self.database.begin() as connection:
            row = store.row(connection, job_id)
            if row is not None and row.state not in TERMINAL and row.desired != "cancel":
                store.update(
                    connection, job_id, row.state, {"desired": "cancel", "reason": "It is being cancelled."}
                )
        if row is not None and row.state not in TERMINAL:
            self.backend.cancel(job_id, JobFolder.of(self.config, job_id), row.handle)
            self.monitor.look()
        for part in self._parts(job_id, active=True):
            self.cancel(user, part)
        return self.get(user, job_id)

    def pause(self, user: Person, ref: str, stand: bool) -> Job:
        """Have a running job stand still, or go on.

        Raises
        ------
        Conflict
            If it does not run.
        """
        job_id = self.owned(user, ref)
        self.monitor.reconcile(job_id)
        folder = JobFolder.of(self.config, job_id)
        with self.database.begin() as connection:
            row = store.row(connection, job_id)
            if row is None or row.state != "RUNNING" or row.desired == "cancel":
                raise Conflict("Only a job that is running can be paused.", code="job_not_running")
            if not self.backend.pause(job_id, folder, row.handle, stand):
                raise Conflict("A job cannot be paused where this one runs.", code="job_not_pausable")
            desired, reason = ("pause", paused(row.kind)) if stand else ("run", None)
            if row.desired != desired:
                store.update(connection, job_id, "RUNNING", {"desired": desired, "reason": reason})
        return self.get(user, job_id)

    def prioritise(self, user: Person, ref: str, priority: int) -> Job:
        """Let a job that waits start earlier or later than others.

        Raises
        ------
        Conflict
            If it has begun, or is over.
        """
        amounts.parse_priority(priority)
        job_id = self.owned(user, ref)
        self.monitor.reconcile(job_id)
        with self.database.begin() as connection:
            row = store.row(connection, job_id)
            waits = row is not None and row.state == "QUEUED"
            outside = self.monitor.gate is not None and row is not None and row.held is None
            moved = waits and (outside or self.backend.prioritise(job_id, priority))
            if row is not None and moved:
                resources = {**row.spec["resources"], "priority": priority}
                store.update(connection, job_id, "QUEUED", {"spec": {**row.spec, "resources": resources}})
        if not moved:
            raise Conflict(self.backend.unmoved, code="job_not_waiting")
        return self.get(user, job_id)

    def delete(self, user: Person, ref: str) -> bool:
        """Take a job that is over off the list, with its folder and its parts."""
        job_id = self.owned(user, ref)
        self.monitor.reconcile(job_id)
        with self.database.begin() as connection:
            row = store.row(connection, job_id)
            if row is None or row.deleted_at is not None:
                return False
            if row.state not in TERMINAL or parts.of(connection, job_id, active=True):
                raise Conflict("The job is not over yet; cancel it first.", code="job_active")
            done = store.delete(connection, job_id)
        for part in self._parts(job_id):
            self.delete(user, part)
        path = JobFolder.of(self.config, job_id).path
        with contextlib.suppress(OSError):
            path = path.rename(path.with_name(f".{job_id}.deleted"))
        kept = snapshot.contents(JobFolder(path))
        shutil.rmtree(path, ignore_errors=True)
        self.staging.objects.drop(kept)
        return done

    # -- asking about work --------------------------------------------------

    def get(self, user: Person, ref: str) -> Job:
        """A job by its id, the beginning of its id (≥ 4 digits), or its name (the newest)."""
        job_id = self.find(user, ref)
        self.monitor.reconcile(job_id)
        with self.database.autocommit() as connection:
            found = store.one(connection, user.team, job_id)
        if found is None:
            raise self._missing(ref)
        return self.monitor.explained([found])[0]

    def list_jobs(self, user: Person, ask: JobPage) -> tuple[list[Job], str | None]:
        """A page of jobs, newest first."""
        for text in (ask.search, ask.notebook, ask.before, ask.wrote, *ask.state):
            check_text(text or "", "What is looked for")
        self.catch_up()
        with self.database.autocommit() as connection:
            jobs, following = store.page(connection, user.team, ask)
        return self.monitor.explained(jobs), following

    def changed(self, user: Person, since: int) -> tuple[list[Job], list[str]]:
        """Jobs that changed after a revision, and the ids of those deleted after it."""
        with self.database.autocommit() as connection:
            jobs, deleted = store.changed(connection, user.team, since)
        return self.monitor.explained(jobs), deleted

    def code(self, user: Person, ref: str) -> Code:
        """What ran."""
        return self.record(user, ref).code()

    # -- steps ----------------------------------------------------------------

    def find(self, user: Person, ref: str) -> str:
        """The id that `ref` means.

        Raises
        ------
        NotFound
        Conflict
            If several ids begin so.
        """
        if "\0" in ref:
            raise self._missing(ref)
        with self.database.begin() as connection:
            if all(sign in "0123456789abcdef" for sign in ref) and 4 <= len(ref) <= 32:
                ids = store.ids_by_prefix(connection, user.team, ref)
                if len(ids) > 1:
                    raise Conflict(
                        f"Several jobs begin with '{ref}'; give more digits.", code="job_ambiguous"
                    )
                if ids:
                    return ids[0]
            named = store.newest_named(connection, user.team, ref)
        if named is None:
            raise self._missing(ref)
        return named

    def _parts(self, job_id: str, active: bool = False) -> list[str]:
        with self.database.begin() as connection:
            return parts.of(connection, job_id, active)

    @staticmethod
    def _missing(ref: str) -> NotFound:
        return NotFound(
            f"There is no job '{ref[:80]}'; 'blueno jobs' lists those there are.", code="job_not_found"
        )

    def owned(self, user: Person, ref: str) -> str:
        job_id = self.find(user, ref)
        with self.database.begin() as connection:
            found = store.one(connection, user.team, job_id)
        if found is None:
            raise self._missing(ref)
        if found.owner != user.name:
            raise NotAllowed(f"The job belongs to {found.owner}.", code="job_not_yours")
        return job_id

    def record(self, user: Person, ref: str) -> JobRecord:
        """Everything that a job leaves behind."""
        return JobRecord(JobFolder.of(self.config, self.find(user, ref)))

    def catch_up(self) -> None:
        """Bring rows up to date, where no monitor does."""
        if not self.monitor.running:
            self.monitor.look_now()

    def same(self, user: Person, row: Any, digest: str) -> Job:
        """The job whose id is taken, if it is this one; of another team's nobody is shown the row."""
        if (
            row is None
            or row.team != user.team
            or row.handle.get("digest") != digest
            or row.deleted_at is not None
        ):
            raise Conflict("Another job has this id already; make a new one.", code="job_id_taken")
        return self.get(user, row.id)

    def outlook(self, user: Person, name: str, kind: JobKind, resources: Resources) -> outlook.Outlook:
        """What there is to hand out, and when such work would start.

        Raises
        ------
        InvalidInput
            If what it needs can never be had.
        """
        self.check(user, resources, kind)
        claim = Claim(user.name, name, kind, resources, time.time(), team=user.team)
        with self.database.begin() as connection:
            before = store.count_before(connection, resources.priority, lane_of(kind))
        room, starts = self.backend.room(), self.backend.why([(claim, before)])[0]
        if self.gate is not None and not self.backend.queues:
            room, starts = self.gate.room(room, user.name), self.gate.would(claim) or starts
        return outlook.Outlook(room, before, starts)

    def check(self, user: Person, resources: Resources, kind: JobKind = "command") -> None:
        """Refuse what can never be had where jobs run, or of the team's quota.

        Raises
        ------
        InvalidInput
        """
        if self.gate is not None:
            self.gate.check(Claim(user.name, "", kind, resources, time.time(), team=user.team))
        self.backend.check(resources)

    def launch(self, user: Person, asked: Intent) -> Job:
        """Start the job whose folder is laid out; the same request again is the same job."""
        return batch.launch(self, user, [asked])[0]

    def row(self, user: Person, asked: Intent) -> dict[str, Any]:
        """A new job's row; what is long stays in its folder."""
        return {
            "id": asked.id,
            "team": user.team,
            "owner": user.name,
            "name": request.check_name(asked.name),
            "kind": asked.kind,
            "parent": asked.parent,
            "state": "QUEUED",
            "spec": msgspec.to_builtins(asked.spec),
            "backend": self.backend.name,
            "handle": {"digest": asked.digest},
        }
