"""What teams and people may hold at most, and what they hold."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct, field

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Resources

NO_END = float("inf")


class Amounts(NamedTuple):
    """Cores, bytes, GPUs."""

    cpu: float = 0.0
    memory: float = 0.0
    gpu: float = 0.0

    def less(self, other: Amounts) -> Amounts:
        return Amounts(*(max(0.0, mine - theirs) for mine, theirs in zip(self, other, strict=True)))

    def plus(self, other: Amounts) -> Amounts:
        return Amounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def times(self, count: int) -> Amounts:
        return Amounts(*(count * mine for mine in self))

    def least(self, other: Amounts) -> Amounts:
        return Amounts(*map(min, self, other))

    def beyond(self, there: Amounts) -> list[str]:
        """Which of them are more than there is; the rarest first."""
        # A sum of tenths of cores is not quite what it seems.
        return [name for name in RAREST if getattr(self, name) > getattr(there, name) + 1e-6]


RAREST = ("gpu", "memory", "cpu")
ANY = Amounts(NO_END, NO_END, NO_END)


class Most(Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be held at a time; None is as much as there is. `memory` in bytes, or as ``64Gi``.

    `storage` is what may be kept on a hub's volume: looked at now and then, so it is no hard bound.
    """

    cpu: float | str | None = None
    memory: float | str | None = None
    gpu: int | None = None
    storage: float | str | None = None

    @property
    def amounts(self) -> Amounts:
        from jupyter_blueno.jobs.backends.kubernetes.shapes import quantity

        said = (self.cpu, self.memory, self.gpu)
        return Amounts(*(NO_END if one is None else quantity(str(one)) for one in said))

    @property
    def bytes(self) -> float | None:
        """Of storage."""
        from jupyter_blueno.jobs.backends.kubernetes.shapes import quantity

        return None if self.storage is None else quantity(str(self.storage))

    def under(self, other: Most) -> Most:
        """The same, where it says something; else what the other one says."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(other, **given)


class TeamQuota(Struct, frozen=True, forbid_unknown_fields=True):
    """What a team may hold, and each person in it; jobs and notebooks together."""

    team: Most = field(default_factory=Most)
    person: Most = field(default_factory=Most)

    def most(self) -> Amounts:
        """What one job or notebook could have at most."""
        return self.team.amounts.least(self.person.amounts)


class Quotas(Struct, frozen=True, forbid_unknown_fields=True):
    """Of every team and person, and of those teams that have other ones."""

    team: Most = field(default_factory=Most)
    person: Most = field(default_factory=Most)
    teams: dict[str, TeamQuota] = {}

    def of(self, team: str) -> TeamQuota:
        own = self.teams.get(team, TeamQuota())
        return TeamQuota(own.team.under(self.team), own.person.under(self.person))

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        nothing = Most()
        all_of_them = [
            self.team,
            self.person,
            *(p for one in self.teams.values() for p in (one.team, one.person)),
        ]
        return any(one != nothing for one in all_of_them)


def read(path: str) -> Quotas | None:
    """The quotas in a JSON file; None if no file is named, or it has none.

    Raises
    ------
    InvalidInput
    """
    if not path:
        return None
    try:
        found = msgspec.json.decode(Path(path).read_bytes(), type=Quotas)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidInput(
            f"The quotas in '{path}' cannot be used: {error}. Correct them.", code="bad_setting"
        ) from error
    return found if found.any else None


class Holder(Struct, frozen=True):
    """A job or notebook server that holds something.

    `name` is the job's, or the notebook's profile; `id` the job's, or the name of the server. `until` is
    when a job's time limit ends it. `busy` is the part of its GPUs' time that was used lately, from 0 to 1.
    """

    kind: Literal["job", "notebook"]
    owner: str
    name: str
    id: str
    cpu: float
    memory: float
    gpu: int
    since: datetime
    until: datetime | None = None
    busy: float | None = None

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.cpu, self.memory, self.gpu)


class Waiting(Struct, frozen=True):
    """A job that is not let in yet."""

    id: str
    owner: str
    name: str
    priority: int
    since: float  # seconds since 1970
    needs: Amounts


class Share(Struct, frozen=True):
    """Of cores, bytes and GPUs: what may be held (None: as much as there is), and what is."""

    cpu: float | None
    memory: float | None
    gpu: float | None
    cpu_held: float
    memory_held: float
    gpu_held: float


def share(most: Amounts, held: Amounts) -> Share:
    cpu, memory, gpu = (None if one == NO_END else one for one in most)
    return Share(cpu, memory, gpu, *held)


def total(of: list[Holder], owner: str | None = None) -> Amounts:
    """What they hold together, or one of them."""
    found = Amounts()
    for one in of:
        if owner is None or one.owner == owner:
            found = found.plus(one.amounts)
    return found


def plain(resources: Resources) -> Amounts:
    """What a job asks for where nothing is known of defaults: a core if it does not say."""
    return Amounts(resources.cpu or 1.0, resources.memory or 0.0, resources.gpu).times(resources.workers)
