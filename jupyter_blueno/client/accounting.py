"""`blueno.usage`: what a team's jobs took."""

from __future__ import annotations

from html import escape

from jupyter_blueno.api import accounting as api
from jupyter_blueno.client import look, session
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.accounting import TeamUsage
from jupyter_blueno.jobs.lifecycle import amount
from jupyter_blueno.jobs.quotas.model import Holder
from jupyter_blueno.jobs.quotas.storage import largest
from jupyter_blueno.jobs.quotas.words import shared


def usage(days: float = 30) -> Usage:
    """What the team's jobs took of GPUs and cores, by person, and who holds what of their quota now.

    Parameters
    ----------
    days : float
        How far back: up to 3660.

    Returns
    -------
    Usage
    """
    if not 0 < days <= 3660:
        raise InvalidInput(f"days is {days!r}; give a number of days up to 3660.", code="bad_days")
    return Usage(session.call(api.get_team_usage, api.UsageSince(days)), days)


class Usage:
    """A table of people; `info` has the same as plain values."""

    def __init__(self, info: TeamUsage, days: float) -> None:
        self.info = info
        self.days = days

    def __repr__(self) -> str:
        if not self.info.people and not self.info.holders:
            return "\n".join([f"No job ran in the last {self.days:g} days.", *self._stored()])
        return f"{look.table(self._rows(), HEAD, right=[1, 2, 3, 4, 5])}\n{self._held()}"

    def _repr_html_(self) -> str:
        if not self.info.people and not self.info.holders:
            return escape(repr(self))
        head = "".join(f"<th>{escape(word)}</th>" for word in HEAD)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(word)}</td>" for word in row) + "</tr>" for row in self._rows()
        )
        return f"<table><tr>{head}</tr>{rows}</table><pre>{escape(self._held())}</pre>"

    def _rows(self) -> list[list[str]]:
        return [
            [
                one.owner,
                f"{one.jobs:,}",
                f"{one.gpu_hours:.1f}",
                f"{one.core_hours:.1f}",
                str(one.running),
                str(one.gpus),
            ]
            for one in self.info.people
        ]

    def _held(self) -> str:
        lines = [
            f"{who}: {said}"
            for who, one in (
                (f"Held by {self.info.team}", self.info.of_team),
                ("By you", self.info.of_person),
            )
            if (said := shared(one))
        ]
        if self.info.waiting:
            lines.append(f"{self.info.waiting:,} job{'s' * (self.info.waiting > 1)} not let in yet.")
        for one in self.info.holders:
            if one.gpu:
                gpus = f"{one.gpu} GPU{'s' * (one.gpu > 1)}"
                lines.append(f"{one.owner}: {gpus}, {holder(one)}, begun {look.age(one.since)}{busy(one)}")
        return "\n".join([*(lines or ["Nobody holds a GPU."]), *self._stored()])

    def _stored(self) -> list[str]:
        """What is kept on the volume."""
        storage = self.info.storage
        if storage is None:
            return []
        return [
            f"Kept on the volume, as seen {look.age(storage.at)}:",
            *(
                f"  {who}: {amount(one.bytes)}"
                + ("" if one.most is None else f" of {amount(int(one.most))}")
                + (f" ({said})" if (said := largest(one)) else "")
                for who, one in [
                    (f"team {storage.team.owner}", storage.team),
                    *((one.owner, one) for one in storage.people),
                ]
            ),
        ]


def holder(one: Holder) -> str:
    return one.name if one.kind == "job" else f"notebook{f' ({one.name})' if one.name else ''}"


def busy(one: Holder) -> str:
    """How much of its GPUs' time is used, if that is known."""
    return "" if one.busy is None else f", {one.busy:.0%} busy"


HEAD = ["person", "jobs", "GPU-hours", "core-hours", "running", "GPUs now"]
