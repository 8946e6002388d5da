"""The gate before the backend: a job starts when what its team and person hold of their quotas leaves room.

It is decided in one transaction of the database, by one at a time for each team:
what is let in is written into the rows, and what is started follows from the rows. So
of several services any may decide and any may start, and who is killed in between
leaves a job that is let in and not started, which whoever looks next starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import CONDUCTORS, Claim
from jupyter_blueno.jobs.quotas import ledger, model, rules, words
from jupyter_blueno.jobs.quotas.model import Amounts, Holder, Quotas, TeamQuota, Waiting
from jupyter_blueno.jobs.sending.outlook import Room

PERIOD = 0.5  # seconds between looks at what became free
ADOPT_PERIOD = 15.0  # and at jobs that were handed over by somebody who knew no quota
FRESH = 1.0  # seconds for which is told what was seen before

Needs = Callable[[Claim], Amounts]


class Gate:
    """The one of a team; thread-safe.

    Parameters
    ----------
    config : Config
    database : Database
    team : str
    quota : TeamQuota
    needs : callable
        What a job takes where it runs, with the defaults that hold there.
    """

    def __init__(self, config: Config, database: Database, team: str, quota: TeamQuota, needs: Needs) -> None:
        self.config, self.database, self.team, self.quota = config, database, team, quota
        self._needs = needs
        self._turned = self._adopted = 0.0
        self._blocked: dict[str, rules.Blocked] = {}
        self._seen: tuple[float, list[Holder]] = (0.0, [])

    @classmethod
    def of(cls, config: Config, database: Database, team: str, needs: Needs) -> Gate | None:
        """The team's; None where nothing has a bound."""
        quotas: Quotas | None = model.read(config.quotas)
        if quotas is None or quotas.of(team) == TeamQuota():
            return None
        return cls(config, database, team, quotas.of(team), needs)

    def needs(self, claim: Claim) -> Amounts:
        """What a job holds. Sweeps and flows wait for others, which must find room: they hold nothing."""
        return Amounts() if claim.kind in CONDUCTORS else self._needs(claim)

    def check(self, claim: Claim) -> None:
        """Refuse what can never be let in.

        Raises
        ------
        InvalidInput
            ``beyond_quota``
        """
        refusal = words.never(self.team, self.quota, self.needs(claim))
        if refusal is not None:
            raise refusal

    # -- letting in ---------------------------------------------------------------

    def turn(self, now_and_then: bool = False) -> list[str]:
        """Let in who may start now; their ids. With `now_and_then` unless it was just done."""
        moment = time.monotonic()
        if now_and_then and moment - self._turned < PERIOD:
            return []
        self._turned = moment
        if moment - self._adopted >= ADOPT_PERIOD:
            self._adopted = moment
            self._adopt()
        with self.database.begin() as connection:
            if not ledger.try_lock(connection, self.team):
                return []  # somebody is at it
            lines = ledger.waiting(connection, self.team)
            if not lines:
                self._blocked = {}
                return []
            holders = ledger.holders(connection, self.team)
            waiting = [self._waiting(row) for row in lines]
            found, self._blocked = rules.admit(self.quota, holders, waiting, time.time())
            taken = ledger.let_in(connection, {one.id: one.needs for one in found})
        self._seen = (0.0, [])
        return taken

    def _waiting(self, row: Any) -> Waiting:
        claim = store.claim_of(row)
        resources = claim.resources
        return Waiting(row.id, row.owner, row.name, resources.priority, claim.submitted, self.needs(claim))

    def _adopt(self) -> None:
        """Count what was started before there was a quota."""
        with self.database.begin() as connection:
            rows = ledger.without(connection, self.team)
            handed = [row for row in rows if row.state != "QUEUED" or was_handed_over(self.config, row.id)]
            if handed:
                ledger.lock(connection, self.team)
                ledger.let_in(connection, {row.id: self.needs(store.claim_of(row)) for row in handed})

    def outside(self, connection: sa.Connection) -> set[str]:
        """Ids of the jobs that are not let in yet."""
        return ledger.outside(connection, self.team)

    def admit_notebook(
        self, connection: sa.Connection, owner: str, server: str, profile: str, needs: Amounts
    ) -> str | None:
        """Write down what a notebook server holds from now on; or why it may not be started, in words."""
        ledger.lock(connection, self.team)
        holders = [
            one
            for one in ledger.holders(connection, self.team)
            if (one.kind, one.owner, one.id) != ("notebook", owner, server)
        ]
        never = words.never(self.team, self.quota, needs)
        if never is not None:
            return never.message
        asked = Waiting("", owner, "", 0, time.time(), needs)
        found, blocked = rules.admit(self.quota, holders, [asked], time.time())
        if not found:
            return words.why(self.team, owner, self.quota, holders, blocked[""])
        ledger.put_notebook(connection, self.team, owner, server, profile=profile, **needs._asdict())
        return None

    # -- saying -------------------------------------------------------------------

    def why(self, claim: Claim) -> str:
        """Why a job waits that is not let in yet; or one that is only thought of would."""
        holders = self.holders()
        blocked = self._blocked.get(claim.id)
        if blocked is None:  # another service decided, or nobody did yet
            one = Waiting(claim.id, claim.owner, claim.name, 0, time.time(), self.needs(claim))
            _, left = rules.admit(self.quota, holders, [one], time.time())
            blocked = left.get(claim.id)
        if blocked is None:
            return "It is about to start."
        return words.why(self.team, claim.owner, self.quota, holders, blocked) + END

    def would(self, claim: Claim) -> str | None:
        """Why one that is only thought of would wait; None: the quota has room."""
        said = self.why(claim)
        return said if said.endswith(END) else None

    def holders(self) -> list[Holder]:
        """Who holds something, or did a moment ago."""
        then, known = self._seen
        if time.monotonic() - then >= FRESH:
            with self.database.begin() as connection:
                known = ledger.holders(connection, self.team)
            self._seen = (time.monotonic(), known)
        return known

    def room(self, room: Room, owner: str) -> Room:
        """What there is, as far as the quota lets a person have it."""
        holders = self.holders()
        team, person = self.quota.team.amounts, self.quota.person.amounts
        free = team.less(model.total(holders)).least(person.less(model.total(holders, owner)))
        there = team.least(person)
        return msgspec.structs.replace(
            room,
            cpu=min(room.cpu, there.cpu),
            cpu_free=min(room.cpu_free, free.cpu),
            memory=min(room.memory, there.memory),
            memory_free=min(room.memory_free, free.memory),
            gpus=int(min(room.gpus, there.gpu)),
            gpus_free=int(min(room.gpus_free, free.gpu)),
        )


END = " It starts when there is room."


def was_handed_over(config: Config, job_id: str) -> bool:
    """Whether a backend was told to start it."""
    folder = JobFolder.of(config, job_id)
    return any(folder.has(name) for name in ("environ", "submitted.json", "status.json"))


def teams(connection: sa.Connection) -> set[str]:
    """Those that hold something."""
    return ledger.teams(connection)


def state(connection: sa.Connection, team: str, quota: TeamQuota) -> tuple[str, str]:
    """What of a team's quota is used up, in words; and what it holds of it."""
    most, held = quota.team.amounts, model.total(ledger.holders(connection, team))
    names = {"gpu": "GPUs", "memory": "memory", "cpu": "cores"}
    full = [names[one] for one in model.RAREST if getattr(held, one) >= getattr(most, one) > 0]
    return " and ".join(full), words.shared(model.share(most, held))
