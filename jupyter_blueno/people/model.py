"""What is known of people and teams."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

LONGEST_TEXT = 255  # characters of a name


class Notebook(Struct, frozen=True):
    """A notebook server that runs, or (`pending`: spawn or stop) is on its way."""

    profile: str | None
    started_at: datetime | None
    last_activity: datetime | None
    pending: str | None = None


class Person(Struct, frozen=True):
    """Somebody whom the hub knows. `left` is set while somebody is leaving, and after."""

    name: str
    admin: bool
    teams: list[str]
    created_at: datetime | None = None
    last_activity: datetime | None = None
    notebook: Notebook | None = None
    left: bool = False


class Invitation(Struct, frozen=True):
    """A link that lets people in, without what makes it one.

    `person` is the only one who may use it, `team` the group that they come into;
    `uses` are those who did, of at most `times`. `state` is ``open``, ``used``,
    ``expired`` or ``revoked``.
    """

    id: str
    made_by: str
    made_at: datetime
    times: int
    uses: list[str]
    state: Literal["open", "used", "expired", "revoked"]
    team: str | None = None
    person: str | None = None
    admin: bool = False
    expires_at: datetime | None = None


class NewInvitation(Struct, frozen=True):
    """The link itself is told once; where the hub does not know its own address, `url` is a path."""

    invitation: Invitation
    url: str


class Departure(Struct, frozen=True):
    """Somebody leaves: what was decided, and how far it is.

    `heir` takes over their jobs, schedules and datasets; with `cancel` their
    jobs end and their schedules stop. Their folder becomes `archive` below
    ``home/.left`` of the volume. `server` says whether their notebook still runs,
    `account` whether the hub still knows them.
    """

    person: str
    by: str
    teams: list[str]
    begun_at: datetime
    archive: str
    heir: str | None = None
    cancel: bool = False
    server: bool = False
    account: bool = True
    done_at: datetime | None = None


class Belongings(Struct, frozen=True):
    """What somebody has in a team: ids of jobs that are not over and of schedules that fire; counts."""

    team: str
    live_jobs: list[str]
    schedules: list[str]
    jobs: int
    datasets: int
    private_datasets: int


class Leaving(Struct, frozen=True):
    """What letting somebody go means, or (`departure`) how far it is.

    `steps` say in words what will be done, or was; `waits` what is waited for now,
    `lost` what nobody could reach afterwards. `decide` is set while jobs run or schedules fire
    for which nobody was named and which were not to end.
    """

    person: str
    teams: list[str]
    belongings: list[Belongings]
    steps: list[str]
    lost: list[str]
    decide: bool = False
    waits: str | None = None
    departure: Departure | None = None
    done: bool = False
