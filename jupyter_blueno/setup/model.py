"""What is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

State = Literal["absent", "coming", "there"]


@dataclass(frozen=True)
class Step:
    """One thing that has to be there.

    `state` looks whether it is; `make` makes it, and `wait` returns when it
    can be used from here (also where somebody else made it). All three may be
    called again after whatever happened.
    """

    what: str
    make: Callable[[], None]
    state: Callable[[], State] = lambda: "absent"
    wait: Callable[[], None] | None = None
    takes: str = ""  # how long, as people say it
    renewed: bool = False  # made again where it is there: it is brought up to date
    there: str = "is there"  # what is said when nothing has to be done
    ground: bool = False  # without it nothing can be asked about what comes after


@dataclass(frozen=True)
class Price:
    """What something costs in US dollars a month; `busy` beyond what it costs anyway."""

    what: str
    idle: float
    busy: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be done, where, and what it costs."""

    where: str
    steps: tuple[Step, ...]
    prices: tuple[Price, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def joined(self, other: Plan) -> Plan:
        """This one first, then the other."""
        return Plan(
            self.where, self.steps + other.steps, self.prices + other.prices, self.notes + other.notes
        )


@dataclass(frozen=True)
class Server:
    """The chart's own NFS server, with a disk of `size`, or a `folder` of the node.

    Empty: an address that is free, the class that is the default one.
    """

    size: str
    address: str = ""
    nodes: tuple[str, ...] = ()
    disk: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Storage:
    """Where everybody's files are to be; one of them."""

    nfs: str = ""  # server:/path
    storage_class: str = ""
    host_path: str = ""
    claim: str = ""
    server: Server | None = None
    fresh: bool = False  # an NFS export that was made for this, and is root's

    def given(self) -> bool:
        return bool(self.nfs or self.storage_class or self.host_path or self.claim or self.server)


def listed(words: Iterable[str]) -> str:
    """``a, b and c``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
