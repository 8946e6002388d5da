"""Sweeps of this platform: begun, told of, gone on with."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.catalog.checks import check_json_items
from jupyter_blueno.errors import Conflict, InvalidInput, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import TERMINAL, Change, Code, Job, JobSpec, Person, Resources
from jupyter_blueno.jobs.sending import kept, preview, request, snapshot
from jupyter_blueno.jobs.sending.outlook import Preview
from jupyter_blueno.sweeps import rules, space, store, work
from jupyter_blueno.sweeps.model import ChangeStop, Outline, Plan, StartSweep, Sweep, Trial, Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa

    from jupyter_blueno.jobs.manager import JobManager

CONDUCTOR = "jupyter_blueno.conductors.sweep"
RETRIES = 5  # of a conductor that is killed: it goes on where it was


class Request(msgspec.Struct, frozen=True):
    """What a conductor is told: its job's `source`."""

    sweep_id: str
    owner: str
    team: str
    first: int = 0  # the number of the first trial that it makes


class SweepManager:
    """Everything that can be asked about sweeps. Thread-safe."""

    def __init__(self, jobs: JobManager) -> None:
        self.jobs = jobs
        self.config = jobs.config
        self.database = jobs.database

    def start(self, user: Person, ask: StartSweep) -> Sweep:
        """Keep the work, and start the job that conducts; the same request again is the same sweep.

        Raises
        ------
        InvalidInput
            If the plan makes no sense, or the work does not take the values; nothing was begun.
        Conflict
            If the id belongs to another request.
        """
        request.check_id(ask.id)
        name, spec = self._checked(ask.name, ask.work, ask.plan)
        kept.take(self.jobs, work.folder_of(self.config, ask.id), name, spec)
        digest = hashlib.sha256(msgspec.json.encode(ask, order="sorted")).hexdigest()
        self._begin(user, ask.id, name, spec, ask.plan, digest)
        return self.get(user, ask.id)

    def start_from_job(self, user: Person, ref: str, change: Change, plan: Plan) -> Sweep:
        """Start a sweep of what a job ran, with its snapshot; the same request again is the same sweep.

        Raises
        ------
        InvalidInput
            As `start`.
        """
        sweep_id = change.id or os.urandom(16).hex()
        request.check_id(sweep_id)
        old, name, spec = self._of_job(user, ref, change, plan)
        kept.take_over(old, work.folder_of(self.config, sweep_id), name, spec)
        digest = hashlib.sha256(msgspec.json.encode((name, spec, plan), order="sorted")).hexdigest()
        self._begin(user, sweep_id, name, spec, plan, digest)
        return self.get(user, sweep_id)

    def outline(self, user: Person, name: str, spec: JobSpec, plan: Plan) -> Outline:
        """What `start` would do; nothing is kept.

        Raises
        ------
        InvalidInput
            As `start`.
        """
        name, spec = self._checked(name, spec, plan)
        return self._outlined(plan, preview.of(self.jobs, user, name, work.first(spec, plan.space)))

    def outline_of_job(self, user: Person, ref: str, change: Change, plan: Plan) -> Outline:
        """What `start_from_job` would do; nothing is kept."""
        old, name, spec = self._of_job(user, ref, change, plan)
        return self._outlined(plan, preview.of(self.jobs, user, name, work.first(spec, plan.space), old))

    def again(self, user: Person, ref: str, change: Change) -> Job:
        """Run a sweep again from the beginning, with the same snapshot.

        Raises
        ------
        InvalidInput
            If it is to be another one.
        """
        old = self._row(user, ref)
        if change.values or change.resources or change.command_line or change.resume:
            raise InvalidInput(
                "A sweep runs again as it was. Go on with it (resume), or start one with other values.",
                code="sweep_plan",
            )
        job_id = change.id or os.urandom(16).hex()
        request.check_id(job_id)
        record = self._record(old.id)
        name = request.check_name(change.name or old.name)
        folders = work.folder_of(self.config, old.id), work.folder_of(self.config, job_id)
        kept.take_over(*folders, name, record.spec)
        plan = msgspec.convert(old.plan, Plan)
        self._begin(user, job_id, name, record.spec, plan, f"again {old.id}")
        return self.jobs.get(user, job_id)

    def _begin(self, user: Person, sweep_id: str, name: str, spec: JobSpec, plan: Plan, digest: str) -> None:
        """Write down the sweep whose work is kept, and start the job that conducts."""
        with self.database.begin() as connection:
            values: dict[str, Any] = {"id": sweep_id, "team": user.team, "owner": user.name, "name": name}
            values |= {"kind": spec.kind, "digest": digest, "jobs": [sweep_id]}
            store.insert(connection, {**values, "plan": msgspec.to_builtins(plan)})
            known = store.row(connection, sweep_id)
        if known is None or known.digest != digest or (known.team, known.owner) != (user.team, user.name):
            raise Conflict("Another sweep has this id already; make a new one.", code="job_id_taken")
        self._conduct(user, sweep_id, known, spec, 0)

    def resume(self, user: Person, ref: str, job_id: str, change: ChangeStop) -> Sweep:
        """Go on with a sweep that is over, by a new job; `job_id` makes a repeated request the same job.

        Raises
        ------
        Conflict
            If it is still under way, or nothing is left to try.
        """
        request.check_id(job_id)
        old = self._row(user, ref)
        record = self._record(old.id)
        with self.database.begin() as connection:
            row = store.locked(connection, old.id)
            plan = msgspec.convert(row.plan, Plan)
            trials, _ = store.trials(connection, row.id, plan)
            if job_id not in row.jobs:
                if self._conductor(user, row).state not in TERMINAL:
                    raise Conflict(
                        "The sweep is still under way; change its number of trials.", code="sweep_active"
                    )
                plan = rules.gone_on(_changed(plan, change), trials)
                over = rules.end(plan, trials, 0, len(trials))
                if over is not None:
                    raise Conflict(f"{over.sentence} Say how many more there are to be.", code="sweep_over")
                store.update(connection, row.id, plan, [*row.jobs, job_id])
        self._conduct(user, job_id, row, record.spec, len(trials))
        return self.get(user, job_id)

    def change(self, user: Person, ref: str, change: ChangeStop) -> Sweep:
        """Change how many trials there are to be, in all or at once, also while it runs."""
        found = self._row(user, ref)
        with self.database.begin() as connection:
            row = store.locked(connection, found.id)
            store.update(connection, row.id, _changed(msgspec.convert(row.plan, Plan), change), row.jobs)
        return self.get(user, found.jobs[-1])

    def get(self, user: Person, ref: str) -> Sweep:
        """A sweep by the id, the beginning of the id or the name of a job that conducted it."""
        row = self._row(user, ref)
        plan = msgspec.convert(row.plan, Plan)
        with self.database.begin() as connection:
            trials, _ = store.trials(connection, row.id, plan)
        job = self._conductor(user, row)
        return Sweep(
            row.id,
            row.jobs,
            row.name,
            row.owner,
            row.kind,
            plan,
            row.created_at,
            job.state,
            job.reason,
            dict(Counter(one.state for one in trials)),
            space.size(plan.space),
            rules.best_of(plan, trials),
        )

    def trials(self, user: Person, ref: str, since: int) -> tuple[list[Trial], int]:
        """Trials that changed after a revision, by number, and the newest revision."""
        row = self._row(user, ref)
        self.jobs.catch_up()
        with self.database.begin() as connection:
            trials, revision = store.trials(connection, row.id, msgspec.convert(row.plan, Plan), since)
        return trials, revision

    def code(self, user: Person, ref: str) -> Code:
        """What each trial runs."""
        return snapshot.read(work.folder_of(self.config, self._row(user, ref).id))

    # -- what a conductor asks ------------------------------------------------

    def begin_trial(
        self, user: Person, ref: str, parent: str, number: int, parameters: dict[str, Any]
    ) -> Trial:
        """Submit the job of a trial, for the conductor `parent`; the same number again is the same trial."""
        row = self._row(user, ref)
        record = self._record(row.id)
        if number < 0 or number >= rules.MOST_TRIALS:
            raise InvalidInput(f"A trial's number is 0 to {rules.MOST_TRIALS - 1:,}.", code="sweep_plan")
        job_id = work.job_id_of(row.id, number)
        plan = msgspec.convert(row.plan, Plan)
        with self.database.begin() as connection:  # first: a trial whose job is missing is begun again
            parameters = store.begin_trial(connection, row.id, number, job_id, parameters)
            trial = store.one_trial(connection, row.id, plan, number)
        if trial is None or trial.job_state is None:
            spec = work.trial(record.spec, row.id, number, parent, parameters)
            name = work.name_of(row.name, number, parameters)
            kept.submit(self.jobs, user, work.folder_of(self.config, row.id), job_id, name, spec)
            with self.database.begin() as connection:
                trial = store.one_trial(connection, row.id, plan, number)
        assert trial is not None
        return trial

    def settle(
        self,
        user: Person,
        ref: str,
        number: int,
        verdict: Verdict,
        value: float | None,
        curve: list[tuple[float, float]],
        reason: str | None,
    ) -> Trial:
        """Say how a trial ended; of one that is pruned, cancelled or failed the job is ended, too."""
        row = self._row(user, ref)
        plan = msgspec.convert(row.plan, Plan)
        with self.database.begin() as connection:
            store.settle(connection, row.id, number, verdict, value=value, curve=curve, reason=reason)
            trial = store.one_trial(connection, row.id, plan, number)
        if trial is None:
            raise NotFound(f"The sweep has no trial {number}.", code="trial_not_found")
        if trial.state in ("pruned", "cancelled") and trial.job_state not in (*TERMINAL, None):
            self.jobs.cancel(user, trial.job_id)
        return trial

    def job_deleted(self, user: Person, job_id: str) -> None:
        """Remove the sweep that a job conducted, if that was its last one."""
        with self.database.begin() as connection:
            row = store.of_job(connection, user.team, job_id)
            if row is None:
                return
            left = store.listed(connection, row.jobs)
            if left:
                store.update(connection, row.id, msgspec.convert(row.plan, Plan), left)
                return
            store.delete(connection, row.id)
        work.forget(self.config, self.jobs.objects, row.id)

    # -- steps ------------------------------------------------------------------

    def _checked(self, name: str, spec: JobSpec, plan: Plan) -> tuple[str, JobSpec]:
        """Name and work of a sweep that may begin."""
        name = request.check_name(name)
        rules.check(plan)
        check_json_items([msgspec.to_builtins(plan)], "The sweep's plan")
        spec = kept.settled(self.jobs, spec)
        work.check(spec, plan.space)
        return name, spec

    def _of_job(self, user: Person, ref: str, change: Change, plan: Plan) -> tuple[JobFolder, str, JobSpec]:
        """The same of what a job ran, and where that is kept."""
        old, record = self.jobs.kept(user, ref)
        name, spec = kept.changed(self.jobs, record, msgspec.structs.replace(change, parent=None))
        return old, *self._checked(name, spec, plan)

    def _outlined(self, plan: Plan, trial: Preview) -> Outline:
        return Outline(rules.most_trials(plan), space.size(plan.space), plan, trial)

    def _row(self, user: Person, ref: str) -> sa.Row[Any]:
        job_id = self.jobs.find(user, ref)
        with self.database.begin() as connection:
            found = store.of_job(connection, user.team, job_id)
        if found is None:
            raise NotFound(f"The job '{ref[:80]}' is not a sweep.", code="sweep_not_found")
        return found

    def _record(self, sweep_id: str) -> snapshot.SpecFile:
        found = snapshot.asked(work.folder_of(self.config, sweep_id))
        if found is None:
            raise NotFound("What that sweep runs is no longer on disk.", code="job_code_missing")
        return found

    def _conductor(self, user: Person, row: sa.Row[Any]) -> Job:
        return self.jobs.get(user, row.jobs[-1])

    def _conduct(self, user: Person, job_id: str, row: sa.Row[Any], spec: JobSpec, first: int) -> None:
        asked = Request(row.id, user.name, user.team, first)
        conductor = JobSpec(
            kind="sweep",
            command=[sys.executable, "-P", "-m", CONDUCTOR],
            source=msgspec.json.encode(asked).decode(),
            folder=spec.folder,
            resources=Resources(retries=RETRIES),
            origin=spec.origin,
        )
        self.jobs.submit(user, job_id, row.name, conductor)


def _changed(plan: Plan, change: ChangeStop) -> Plan:
    stop = plan.stop
    if change.trials is not None:
        stop = msgspec.structs.replace(stop, trials=change.trials)
    at_once = plan.at_once if change.at_once is None else change.at_once
    plan = msgspec.structs.replace(plan, stop=stop, at_once=at_once)
    rules.check(plan)
    return plan
