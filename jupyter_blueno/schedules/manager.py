"""Schedules of this platform: made, changed, found, fired."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno.catalog import store as catalog
from jupyter_blueno.catalog.checks import check_text
from jupyter_blueno.catalog.model import User
from jupyter_blueno.errors import AlreadyExists, Conflict, InvalidInput, NotAllowed, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.sending import request
from jupyter_blueno.schedules import making, rules, standby, store
from jupyter_blueno.schedules.firing import Firer, Starter, claim_by_hand, folder_of
from jupyter_blueno.schedules.model import Firing, KeepSchedule, Schedule, Standby, Timing, Upcoming

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.jobs.manager import JobManager


def _clock() -> datetime:
    return datetime.now(UTC)


class ScheduleManager:
    """Everything that can be asked about schedules. Thread-safe.

    Parameters
    ----------
    config : Config
    database : Database
    jobs : JobManager
    clock : callable
        The time: an aware datetime.
    starters : mapping
        See `Firer`.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        jobs: JobManager,
        clock: Callable[[], datetime] = _clock,
        starters: Mapping[str, Starter] | None = None,
    ) -> None:
        self.config = config
        self.database = database
        self.jobs = jobs
        self.clock = clock
        self.firer = Firer(jobs, clock, starters)

    # -- making and changing ---------------------------------------------------

    def keep(self, user: User, ask: KeepSchedule) -> Schedule:
        """Write down a schedule whose work is kept.

        Raises
        ------
        InvalidInput
            If it needs what can never be had.
        AlreadyExists
            If there is a schedule of this name, and it is not the one that this one replaces.
        """
        self.jobs.check(user, ask.resources)
        name = request.check_name(ask.name)
        values = self._timing(user, ask.timing)
        values |= {"kind": ask.kind, "digest": ask.digest, "notebook": ask.notebook}
        values |= {"origin": msgspec.to_builtins(ask.origin)}
        with self.database.begin() as connection:
            known = store.row(connection, ask.id)
            twin = store.named(connection, user.team, name)
        if known is not None:  # the answer was lost, and it is asked again
            return self._again(user, known, ask.digest)
        if (twin.id if twin is not None else None) != ask.replaces:
            raise AlreadyExists(
                f"There is a schedule '{name[:60]}' already. Choose another name, or delete that one.",
                code="schedule_exists",
            )
        if twin is not None:
            self._check_owner(user, twin)
        with self.database.begin() as connection:
            if twin is not None:
                store.update(connection, twin.id, **values, paused=False)
            else:
                row = {"id": ask.id, "team": user.team, "owner": user.name, "name": name, **values}
                if not store.insert(connection, row):
                    raise Conflict("Another request made that schedule just now.", code="schedule_exists")
        if twin is not None and twin.digest != ask.digest:
            self._drop(folder_of(self.config, twin.id, twin.digest))
        return self._told(user, twin.id if twin is not None else ask.id)

    def _again(self, user: User, known: Any, digest: str) -> Schedule:
        if known.team != user.team or known.digest != digest or known.deleted_at is not None:
            raise Conflict("Another schedule has this id already; make a new one.", code="schedule_id_taken")
        return self.get(user, known.id)

    def change(
        self, user: User, ref: str, *, timing: Timing | None, paused: bool | None, name: str | None
    ) -> Schedule:
        """Change when it starts, its name, or whether it stands still. Times in a pause are not missed."""
        row = self._owned(user, ref)
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = request.check_name(name)
        if timing is not None:
            values |= self._timing(user, timing)
        elif paused is False and row.paused:
            values |= self._from_now(row)
        if paused is not None:
            values["paused"] = paused
        with self.database.begin() as connection:
            twin = store.named(connection, user.team, values.get("name", row.name))
            if twin is not None and twin.id != row.id:
                raise AlreadyExists(
                    f"There is a schedule '{twin.name[:60]}' already. Choose another name.",
                    code="schedule_exists",
                )
            store.update(connection, row.id, **values)
        return self._told(user, row.id)

    def delete(self, user: User, ref: str) -> bool:
        """End a schedule; jobs that it started stay."""
        row = self._owned(user, ref)
        with self.database.begin() as connection:
            store.update(connection, row.id, deleted_at=self.clock())
        self._drop(folder_of(self.config, row.id, row.digest))
        with contextlib.suppress(OSError):
            (self.config.home_path / "schedules" / row.id).rmdir()
        self._tell()
        return True

    def run_now(self, user: User, ref: str, key: str) -> Firing:
        """Start what it runs, whatever the time; the same `key` again is the same run."""
        request.check_id(key)
        row = self._owned(user, ref)
        with self.database.begin() as connection:
            claim_by_hand(connection, row.id, key, self.clock())
        self.firer.complete(row.id, key)
        with self.database.begin() as connection:
            found = store.one_firing(connection, row.id, key)
        if found is None:
            raise NotFound("The schedule was deleted just now.", code="schedule_not_found")
        return found

    # -- asking ----------------------------------------------------------------

    def get(self, user: User, ref: str) -> Schedule:
        """A schedule by its name, its id, or the beginning of its id."""
        row = self._row(user, ref)
        with self.database.begin() as connection:
            return store.listed(connection, user.team, self.clock(), store.is_one(row.id))[0]

    def list_schedules(self, user: User) -> list[Schedule]:
        """All schedules of the team, by name."""
        with self.database.begin() as connection:
            return store.listed(connection, user.team, self.clock())

    def changed(self, user: User, since: int) -> tuple[list[Schedule], list[str]]:
        """Schedules that changed after a revision, and the ids of those deleted after it."""
        with self.database.autocommit() as connection:
            return store.changed(connection, user.team, since, self.clock())

    def firings(self, user: User, ref: str, limit: int) -> list[Firing]:
        """What came of its times, the newest first."""
        row = self._row(user, ref)
        with self.database.begin() as connection:
            return store.firings(connection, row.id, min(max(limit, 1), store.KEPT))

    def upcoming(self, cron: str, zone: str, count: int) -> Upcoming:
        """What a cron line means; what is wrong with it is part of the answer."""
        try:
            read = rules.Cron(cron, zone)
            return Upcoming(read.words, read.upcoming(self.clock(), min(max(count, 1), 100)))
        except InvalidInput as error:
            return Upcoming(problem=error.message)

    def standby(self, here: bool) -> Standby:
        """Who starts jobs now, and what would not be started; `here` is whether this process does."""
        return standby.outlook(self.config, here)

    # -- firing ----------------------------------------------------------------

    def look(self) -> datetime | None:
        """Start what is due; return when the next one is, as far as times tell."""
        self.firer.look()
        return self._tell()

    def _tell(self) -> datetime | None:
        with self.database.begin() as connection:
            due, watch = store.outlook(connection, self.jobs.monitor.team)
        standby.tell(self.config, due, watch)
        return due

    def _told(self, user: User, schedule_id: str) -> Schedule:
        self._tell()
        return self.get(user, schedule_id)

    # -- steps -----------------------------------------------------------------

    def _timing(self, user: User, timing: Timing) -> dict[str, Any]:
        """Columns of a row, from now on."""
        cron = rules.check(timing)
        found = None
        if timing.dataset is not None:
            found = catalog.find_dataset(self.database, user, timing.dataset)
        values = {
            "cron": None if cron is None else cron.line,
            "zone": timing.zone,
            "dataset_id": None if found is None else found.id,
            "catch_up": timing.catch_up,
            "overlap": timing.overlap,
            "catch_up_limit": timing.limit,
            "next_due": None if cron is None else cron.after(self.clock()),
        }
        return values | {"dataset_version": self._version(values["dataset_id"])}

    def _from_now(self, row: Any) -> dict[str, Any]:
        due = None if row.cron is None else rules.Cron(row.cron, row.zone).after(self.clock())
        return {"next_due": due, "dataset_version": self._version(row.dataset_id)}

    def _version(self, dataset_id: Any) -> int | None:
        if dataset_id is None:
            return None
        with self.database.begin() as connection:
            return store.newest_version(connection, dataset_id)

    def _drop(self, folder: JobFolder) -> None:
        making.drop(self.jobs.staging, folder)

    def _row(self, user: User, ref: str) -> Any:
        check_text(ref, "A schedule's name")
        with self.database.begin() as connection:
            found = store.named(connection, user.team, ref) or store.by_id(connection, user.team, ref)
        if found is None:
            raise NotFound(
                f"There is no schedule '{ref[:80]}'; 'blueno schedule list' lists those there are.",
                code="schedule_not_found",
            )
        return found

    def _owned(self, user: User, ref: str) -> Any:
        row = self._row(user, ref)
        self._check_owner(user, row)
        return row

    @staticmethod
    def _check_owner(user: User, row: Any) -> None:
        if row.owner != user.name:
            raise NotAllowed(f"The schedule belongs to {row.owner}.", code="schedule_not_yours")
