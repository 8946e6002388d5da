"""Firing: what is due is claimed in a row first, then started under an id that follows from it.

Any number of processes may look at once. A firing's key is its own in its
schedule, so the row is written by one of them; and whoever finds a row of which
nothing came yet, because its writer died, starts that very job.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.catalog.model import User
from jupyter_blueno.errors import BluenoError, Conflict, NotFound, Unavailable
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import kept, request, snapshot
from jupyter_blueno.schedules import rules, store

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.jobs.manager import JobManager

DUE = "BLUENO_DUE"  # in a job's environment: when it was due
FRESH = "BLUENO_FRESH_NOTEBOOK"  # and the file that the notebook is read from as the job begins
_NAMES = uuid.UUID("6a0f7f6e-93d5-4d0b-9a44-0b1a6d1c7a55")

# Given owner, folder, id and name of the job, and variables for its environment.
Starter = Callable[[User, JobFolder, str, str, Mapping[str, str]], None]

log = logging.getLogger("jupyter_blueno")


def folder_of(config: Config, schedule_id: str, digest: str) -> JobFolder:
    """Where a schedule keeps what it runs."""
    return JobFolder.below(config, "schedules", schedule_id, digest[:16])


def key_of(due: datetime) -> str:
    return due.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def job_id_of(schedule_id: str, key: str) -> str:
    return uuid.uuid5(_NAMES, f"{schedule_id}/{key}").hex


class Firer:
    """Looks what is due, and starts it. Holds nothing; safe from any thread and process.

    Parameters
    ----------
    jobs : JobManager
    now : callable
        The clock: an aware datetime.
    starters : mapping
        Kind of work that is more than a job → what starts it; see `Starter`.
    """

    def __init__(
        self, jobs: JobManager, now: Callable[[], datetime], starters: Mapping[str, Starter] | None = None
    ) -> None:
        self.jobs = jobs
        self.starters = starters or {}
        self.database = jobs.database
        self.team = jobs.monitor.team  # whose schedules it fires; None is all
        self.now = now
        self._before: datetime | None = None

    def look(self) -> None:
        """Start what is due now, and what an earlier look could not."""
        now = self.now()
        if self._before is None or now < self._before - rules.ON_TIME:
            self._mend(now)
        self._before = now
        with self.database.begin() as connection:
            due = store.due(connection, now, self.team)
            fresh = store.with_new_versions(connection, self.team)
        for schedule_id in due:
            self._claim_times(schedule_id, now)
        for schedule_id, number in fresh:
            self._claim_version(schedule_id, number, now)
        with self.database.begin() as connection:
            waiting = store.waiting(connection, self.team)
        for schedule_id, key in waiting:
            self.complete(schedule_id, key)

    def _mend(self, now: datetime) -> None:
        """The clock was set back, or tables of time zones changed: what is next may be sooner."""
        with self.database.begin() as connection:
            for row in store.timed(connection, self.team):
                soonest = rules.Cron(row.cron, row.zone).after(now)
                if row.next_due is None or row.next_due > soonest:
                    store.update(connection, row.id, next_due=soonest)

    def _claim_times(self, schedule_id: str, now: datetime) -> None:
        with self.database.begin() as connection:
            row = store.row(connection, schedule_id, lock=True)
            if row is None or row.deleted_at or row.paused or row.next_due is None or row.next_due > now:
                return
            cron = rules.Cron(row.cron, row.zone)
            owed = rules.owed(cron, row.next_due, now, row.catch_up, row.catch_up_limit)
            passed = owed.missed
            for due in owed.made_up:
                _claim(connection, schedule_id, key_of(due), due, "catch_up", passed)
                passed = 0
            for due in owed.on_time:
                _claim(connection, schedule_id, key_of(due), due, "time", passed)
                passed = 0
            last = owed.newest_missed
            if passed and last is not None:
                reason = f"{times(passed)} passed while nothing fired schedules."
                _claim(connection, schedule_id, key_of(last), last, "time", passed, "skipped", reason)
            store.forget_old(connection, schedule_id)
            store.update(connection, schedule_id, next_due=cron.after(now))

    def _claim_version(self, schedule_id: str, number: int, now: datetime) -> None:
        with self.database.begin() as connection:
            row = store.row(connection, schedule_id, lock=True)
            if row is None or row.deleted_at or row.paused or (row.dataset_version or 0) >= number:
                return
            missed = number - (row.dataset_version or 0) - 1
            numbers = [number]
            if row.catch_up == "all":
                numbers = list(range(max(1, number - min(missed, row.catch_up_limit)), number + 1))
            for place, one in enumerate(numbers):
                moment = now + timedelta(microseconds=place)
                cause = "dataset" if one == number else "catch_up"
                _claim(connection, schedule_id, f"v{one}", moment, cause, missed if one == number else 0)
            store.update(connection, schedule_id, dataset_version=number)

    def complete(self, schedule_id: str, key: str) -> None:
        """Start the job of a claimed firing, or say why not; leave it waiting if that cannot be now."""
        with self.database.begin() as connection:
            firing = store.locked_waiting(connection, schedule_id, key)
            row = store.row(connection, schedule_id)
            if firing is None or row is None:
                return
            held = self._held(connection, row, firing)
            if held is not None:
                state, reason = held
                if state != firing.state or reason != firing.reason:
                    store.settle(connection, schedule_id, key, state, reason)
                return
            try:
                self._submit(row, firing)
            except Unavailable as error:
                if error.message != firing.reason:
                    store.settle(connection, schedule_id, key, "waiting", error.message)
            except BluenoError as error:
                log.warning("Schedule %s could not start its job: %s", row.name, error.message)
                store.settle(connection, schedule_id, key, "failed", error.message)
            else:
                store.settle(connection, schedule_id, key, "started", None)

    def _held(self, connection: sa.Connection, row: Any, firing: Any) -> tuple[str, str] | None:
        """Why a firing does not start now: it is skipped, or waits."""
        if row.deleted_at is not None:
            return "skipped", "The schedule was deleted."
        begun = store.has_job(connection, firing.job_id)  # whoever started it died before saying so
        if begun or firing.cause == "hand" or row.overlap == "allow":
            return None
        running = store.running(connection, row.id)
        ahead = store.count_waiting(connection, row.id, firing.due)
        if running is None and not ahead:
            return None
        zone = rules.zone_of(row.zone)
        which = (
            f"The run of {running.astimezone(zone):%Y-%m-%d %H:%M} is not over" if running else "Others wait"
        )
        if row.overlap == "skip" and firing.cause != "catch_up":
            return "skipped", f"{which}."
        if firing.cause != "catch_up" and ahead >= row.catch_up_limit:
            return "skipped", f"{which}, and {ahead} wait already."
        return "waiting", f"It waits: {which[0].lower()}{which[1:]}."

    def _submit(self, row: Any, firing: Any) -> None:
        owner = User(row.owner, row.team)
        folder = folder_of(self.jobs.config, row.id, row.digest)
        record = snapshot.asked(folder)
        if record is None:
            raise NotFound(
                "What the schedule runs is no longer on disk. Delete it and schedule the work again.",
                code="schedule_code_missing",
            )
        due = firing.due.astimezone(rules.zone_of(row.zone)).isoformat(timespec="seconds")
        spec = _with(record.spec, DUE, due)
        starter = self.starters.get(spec.kind)
        if starter is not None:
            starter(owner, folder, firing.job_id, record.name, {DUE: due})
            return
        try:
            if row.notebook is None:
                kept.submit(self.jobs, owner, folder, firing.job_id, record.name, spec)
            elif self.jobs.staging.looks:
                spec = _reread(spec, row.notebook)
                self.jobs.submit(owner, firing.job_id, record.name, spec)
            else:  # the job reads it, which may
                spec = _with(spec, FRESH, row.notebook)
                kept.submit(self.jobs, owner, folder, firing.job_id, record.name, spec)
        except Conflict as error:
            # Whoever died over this read another text of the notebook; that job is the one.
            if error.code != "job_id_taken":
                raise
            self.jobs.get(owner, firing.job_id)


def _claim(
    connection: sa.Connection,
    schedule_id: str,
    key: str,
    due: datetime,
    cause: str,
    missed: int,
    state: str = "waiting",
    reason: str | None = None,
) -> None:
    values = {"schedule_id": schedule_id, "key": key, "due": due, "cause": cause, "missed": missed}
    store.claim(
        connection, {**values, "state": state, "reason": reason, "job_id": job_id_of(schedule_id, key)}
    )


def claim_by_hand(connection: sa.Connection, schedule_id: str, key: str, now: datetime) -> None:
    """Write down that somebody wants a run now; the same `key` again is the same run."""
    _claim(connection, schedule_id, key, now, "hand", 0)


def _with(spec: JobSpec, name: str, value: str) -> JobSpec:
    return msgspec.structs.replace(spec, environment={**spec.environment, name: value})


def _reread(spec: JobSpec, notebook: str) -> JobSpec:
    """The same work with the notebook as the file is now, checked."""
    try:
        source = Path(notebook).read_text("utf-8")
        json.loads(source)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no notebook"
        raise NotFound(
            f"{notebook} cannot be read ({why}). Put it back, or schedule another notebook.",
            code="notebook_not_found",
        ) from None
    fresh = msgspec.structs.replace(spec, source=source)
    request.check_spec(fresh)
    return fresh


def times(count: int) -> str:
    """``3 times``; where not all were counted, ``1000 times or more``."""
    more = " or more" if count >= rules.COUNTED else ""
    return f"{count} time{'' if count == 1 else 's'}{more}"
