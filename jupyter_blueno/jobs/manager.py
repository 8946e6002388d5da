"""Jobs of this platform: submitted, watched, found again."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.catalog.checks import check_text
from jupyter_blueno.errors import BluenoError, Conflict, DatabaseUnavailable, NotAllowed, NotFound
from jupyter_blueno.jobs import backends, parts, store, workbench
from jupyter_blueno.jobs.backends.base import NotYet
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import PAUSED
from jupyter_blueno.jobs.model import (
    TERMINAL,
    Change,
    Code,
    Form,
    Job,
    JobPage,
    JobSpec,
    Person,
    Workbench,
)
from jupyter_blueno.jobs.monitor import Monitor, claim_of
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.jobs.sending import (
    amounts,
    batch,
    environments,
    interpreters,
    kept,
    parameters,
    plan,
    request,
    runnable,
    snapshot,
)
from jupyter_blueno.jobs.sending.objects import Objects

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
    `given`: see `Monitor`.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        backend: Backend | None = None,
        after_end: Callable[[], None] | None = None,
        team: str | None = None,
        given: Callable[[str], dict[str, str]] | None = None,
    ) -> None:
        self.config = config
        self.database = database
        self.backend = backend or backends.of(config)
        self.monitor = Monitor(config, database, self.backend, after_end, team, given)
        self.recorder = snapshot.Recorder(config)
        self.objects = Objects(config.home_path / "objects")

    def start_monitor(self) -> None:
        """Adopt the jobs that are not over, and follow them from a thread."""
        self.monitor.start()
        self.recorder.later(self.objects.sweep)
        self.recorder.later(lambda: environments.sweep(self.config.home_path))

    def close(self) -> None:
        """Stop following; the jobs go on."""
        self.monitor.stop()
        self.recorder.close()
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
        digest = request.digest(name, spec)
        with self.database.autocommit() as connection:
            known = store.row(connection, job_id)
        if known is not None:
            return self.same(user, known, digest)
        runnable.check(self, spec)
        self.lay_out(job_id, name, spec, digest)
        return self.launch(user, job_id, name, spec, digest)

    def submit_many(self, user: Person, asked: Sequence[tuple[str, str, JobSpec]]) -> list[Job]:
        """Start jobs of which each is an id, a name and what to run; see `batch.submit_many`."""
        return batch.submit_many(self, user, asked)

    def lay_out(self, job_id: str, name: str, spec: JobSpec, digest: str, durable: bool = True) -> None:
        """Make the folder of a job that was checked; without `durable` it may be lost with the power."""
        content = plan.of(self.config, job_id, spec)
        folder = JobFolder.of(self.config, job_id)
        with snapshot.kept_or_said(), snapshot.folder_for(folder, digest) as fresh:
            if fresh is not None:
                snapshot.write_down(JobFolder(fresh), name, digest, spec, content, durable)
                base = content["build"]["base"] if content["build"] else interpreters.place(spec.python)
                snapshot.take(spec, JobFolder(fresh), content["cwd"], base, self.objects)

    def rerun(self, user: Person, ref: str, change: Change | None = None) -> Job:
        """Run the same snapshot again, as a new job; `change` gives it other values.

        Raises
        ------
        InvalidInput
            If the work does not take them.
        """
        change = change or Change()
        old, record = self.kept(user, ref)
        job_id = change.id or os.urandom(16).hex()
        request.check_id(job_id)
        name, spec = kept.changed(self, record, change)
        if change.resume:
            spec = snapshot.resumed(spec, old)
        return kept.submit(self, user, old, job_id, name, spec)

    def form(self, user: Person, ref: str) -> Form:
        """What may be changed of a job to run it again."""
        _, record = self.kept(user, ref)
        return parameters.form_of(record.name, record.spec)

    def workbench(self, user: Person, ref: str) -> Workbench:
        """A notebook that takes up where the job was."""
        folder, record = self.kept(user, ref)
        python = plan.python_of(self.config, record.spec)
        return workbench.of(self.get(user, ref), folder.path, record.spec, python)

    def kept(self, user: Person, ref: str) -> tuple[JobFolder, snapshot.SpecFile]:
        """A job's folder, and what it was asked to run."""
        folder = JobFolder.of(self.config, self.find(user, ref))
        record = snapshot.asked(folder)
        if record is None:
            raise NotFound("What that job ran is no longer on disk.", code="job_code_missing")
        return folder, record

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
            desired, reason = ("pause", PAUSED) if stand else ("run", None)
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
            moved = waits and self.backend.prioritise(job_id, priority)
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
        self.objects.drop(kept)
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
        for text in (ask.search, ask.notebook, ask.before, *ask.state):
            check_text(text or "", "What is looked for")
        self.catch_up()
        with self.database.begin() as connection:
            jobs, following = store.page(connection, user.team, ask)
        return self.monitor.explained(jobs), following

    def changed(self, user: Person, since: int) -> tuple[list[Job], list[str]]:
        """Jobs that changed after a revision, and the ids of those deleted after it."""
        with self.database.begin() as connection:
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
        if row.team != user.team or row.handle.get("digest") != digest or row.deleted_at is not None:
            raise Conflict("Another job has this id already; make a new one.", code="job_id_taken")
        return self.get(user, row.id)

    def launch(self, user: Person, job_id: str, name: str, spec: JobSpec, digest: str) -> Job:
        """Start the job whose folder is laid out."""
        # Intent first. If we die before it is in the queue, the monitor puts it there.
        try:
            with self.database.begin() if spec.parent else self.database.autocommit() as connection:
                job = store.insert(connection, self.row(user, job_id, name, spec, digest))
        except DatabaseUnavailable:
            raise  # the row may have been kept all the same: the same request again finds row and folder
        except BluenoError:
            shutil.rmtree(JobFolder.of(self.config, job_id).path, ignore_errors=True)
            raise
        if job is None:  # a twin of this request was faster, or another one took the id
            with self.database.begin() as connection:
                known = store.row(connection, job_id)
            return self.same(user, known, digest)
        folder = JobFolder.of(self.config, job_id)
        environment = self.monitor.environment(job_id, spec.kind, spec.resources)
        try:
            with contextlib.suppress(NotYet):
                self.backend.start(job_id, folder, claim_of(job), environment)
        except BluenoError:
            with self.database.begin() as connection:
                forgotten = store.forget(connection, job_id)
            if forgotten:
                shutil.rmtree(folder.path, ignore_errors=True)
            raise
        # Only now: it would take the processor from the job that is starting.
        self.monitor.look()
        self.remember([folder], spec)
        return job

    def row(self, user: Person, job_id: str, name: str, spec: JobSpec, digest: str) -> dict[str, Any]:
        """A new job's row; what is long stays in its folder."""
        short = request.without_secrets(msgspec.structs.replace(spec, source=None, payload=None))
        short = msgspec.structs.replace(short, arguments=[], search=[], files=[], selection=None)
        return {
            "id": job_id,
            "team": user.team,
            "owner": user.name,
            "name": name,
            "kind": spec.kind,
            "parent": spec.parent,
            "state": "QUEUED",
            "spec": msgspec.to_builtins(short),
            "backend": self.backend.name,
            "handle": {"digest": digest},
        }

    def remember(self, folders: list[JobFolder], spec: JobSpec) -> None:
        """Have packages and commit written down for jobs of one environment and folder."""
        python = None if environments.is_built(spec) else interpreters.place(spec.python)
        self.recorder.record(folders, python, request.working_folder(self.config, spec))
