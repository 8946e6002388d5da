"""Sweeps of this platform: begun, told of, gone on with."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.errors import Conflict, InvalidInput, NotFound
from jupyter_blueno.jobs.model import TERMINAL, Change, Job, JobSpec, Person
from jupyter_blueno.jobs.sending import kept, request, snapshot
from jupyter_blueno.sweeps import making, rules, space, store, work
from jupyter_blueno.sweeps.model import BeginSweep, ChangeStop, Plan, Sweep, Trial, Verdict

if TYPE_CHECKING:
    import sqlalchemy as sa

    from jupyter_blueno.jobs.manager import JobManager


class SweepManager:
    """Everything that can be asked about sweeps. Thread-safe."""

    def __init__(self, jobs: JobManager) -> None:
        self.jobs = jobs
        self.config = jobs.config
        self.database = jobs.database

    def begin(self, user: Person, ask: BeginSweep) -> Sweep:
        """Write down a sweep that is laid out, and start the job that conducts; again, it is the same sweep.

        Raises
        ------
        InvalidInput
            If a trial needs what can never be had.
        Conflict
            If the id belongs to another request.
        """
        self.jobs.check(user, ask.resources)
        conductor = ask.conductor
        self._keep(user, conductor.id, request.check_name(conductor.name), ask.kind, ask.plan, ask.digest)
        self.jobs.launch(user, conductor)
        return self.get(user, conductor.id)

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
        self.jobs.staging.take_over(*folders, name, record.spec)
        plan = msgspec.convert(old.plan, Plan)
        self._keep(user, job_id, name, record.spec.kind, plan, f"again {old.id}")
        self._conduct(user, job_id, job_id, name, record.spec, 0)
        return self.jobs.get(user, job_id)

    def _keep(self, user: Person, sweep_id: str, name: str, kind: str, plan: Plan, digest: str) -> None:
        """Write down the sweep whose work is kept."""
        with self.database.begin() as connection:
            values: dict[str, Any] = {"id": sweep_id, "team": user.team, "owner": user.name, "name": name}
            values |= {"kind": kind, "digest": digest, "jobs": [sweep_id]}
            store.insert(connection, {**values, "plan": msgspec.to_builtins(plan)})
            known = store.row(connection, sweep_id)
        if known is None or known.digest != digest or (known.team, known.owner) != (user.team, user.name):
            raise Conflict("Another sweep has this id already; make a new one.", code="job_id_taken")

    def resume(self, user: Person, ref: str, job_id: str, change: ChangeStop) -> Sweep:
        """Go on with a sweep that is over, by a new job; `job_id` makes a repeated request the same job.

        Raises
        ------
        Conflict
            If it is still under way, or nothing is left to try.
        """
        request.check_id(job_id)
        old = self._owned(user, ref)
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
        self._conduct(user, row.id, job_id, row.name, record.spec, len(trials))
        return self.get(user, job_id)

    def change(self, user: Person, ref: str, change: ChangeStop) -> Sweep:
        """Change how many trials there are to be, in all or at once, also while it runs."""
        found = self._owned(user, ref)
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

    # -- what a conductor asks ------------------------------------------------

    def begin_trial(
        self, user: Person, ref: str, parent: str, number: int, parameters: dict[str, Any]
    ) -> Trial:
        """Submit the job of a trial, for the conductor `parent`; the same number again is the same trial."""
        row = self._owned(user, ref)
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
        row = self._owned(user, ref)
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
        work.forget(self.config, self.jobs.staging.objects, row.id)

    # -- steps ------------------------------------------------------------------

    def _row(self, user: Person, ref: str) -> sa.Row[Any]:
        job_id = self.jobs.find(user, ref)
        with self.database.begin() as connection:
            found = store.of_job(connection, user.team, job_id)
        if found is None:
            raise NotFound(f"The job '{ref[:80]}' is not a sweep.", code="sweep_not_found")
        return found

    def _owned(self, user: Person, ref: str) -> sa.Row[Any]:
        """The same, if it is the person's own."""
        self.jobs.owned(user, ref)
        return self._row(user, ref)

    def _record(self, sweep_id: str) -> snapshot.SpecFile:
        found = snapshot.asked(work.folder_of(self.config, sweep_id))
        if found is None:
            raise NotFound("What that sweep runs is no longer on disk.", code="job_code_missing")
        return found

    def _conductor(self, user: Person, row: sa.Row[Any]) -> Job:
        return self.jobs.get(user, row.jobs[-1])

    def _conduct(
        self, user: Person, sweep_id: str, job_id: str, name: str, spec: JobSpec, first: int
    ) -> None:
        laid = making.conductor(self.jobs.staging, user, sweep_id, job_id, name, spec, first)
        laid.launched(lambda intents: self.jobs.launch(user, intents[0]))


def _changed(plan: Plan, change: ChangeStop) -> Plan:
    stop = plan.stop
    if change.trials is not None:
        stop = msgspec.structs.replace(stop, trials=change.trials)
    at_once = plan.at_once if change.at_once is None else change.at_once
    plan = msgspec.structs.replace(plan, stop=stop, at_once=at_once)
    rules.check(plan)
    return plan
