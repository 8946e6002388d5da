"""Who is let in next, and who has to wait for what: rules on their own, without I/O.

The higher priority comes first. Among equals it is the turn of the person who
holds the least, measured by what of the team's quota they hold the largest part
of (dominant resource fairness); of a person's jobs it is the oldest.

Who does not fit is passed by smaller ones for `PATIENCE` seconds after it was
submitted; then what becomes free of what it lacks is kept for it. A job that its
own person's quota holds back keeps nothing from others.
"""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_blueno.jobs.quotas.model import Amounts, Holder, TeamQuota, Waiting, total

PATIENCE = 60.0  # seconds


class Blocked:
    """Why a job has to wait: what its person or its team lacks, or for whom room is kept."""

    def __init__(self, person: list[str], team: list[str], behind: Waiting | None = None) -> None:
        self.person, self.team, self.behind = person, team, behind


def admit(
    quota: TeamQuota, holders: Sequence[Holder], waiting: Sequence[Waiting], now: float
) -> tuple[list[Waiting], dict[str, Blocked]]:
    """Who may start now, in order, and why the others may not.

    Parameters
    ----------
    quota : TeamQuota
    holders : sequence of Holder
        All of the team.
    waiting : sequence of Waiting
        In any order.
    now : float
        Seconds since 1970.
    """
    return _Round(quota, list(holders), now).run(waiting)


class _Round:
    def __init__(self, quota: TeamQuota, holders: list[Holder], now: float) -> None:
        self.now = now
        self.most, self.each = quota.team.amounts, quota.person.amounts
        self.held = total(holders)
        self.of: dict[str, Amounts] = {}
        for one in holders:
            self.of[one.owner] = self.of.get(one.owner, Amounts()).plus(one.amounts)
        self.kept: dict[str, dict[str, Waiting]] = {}  # owner ("": everybody) → what → for whom
        self.let_in: list[Waiting] = []
        self.blocked: dict[str, Blocked] = {}

    def run(self, waiting: Sequence[Waiting]) -> tuple[list[Waiting], dict[str, Blocked]]:
        for priority in sorted({one.priority for one in waiting}, reverse=True):
            lines: dict[str, list[Waiting]] = {}
            for one in sorted(waiting, key=lambda one: (-one.since, one.id)):
                if one.priority == priority:
                    lines.setdefault(one.owner, []).append(one)
            while lines:
                owner = min(lines, key=lambda name: (self._part(name), lines[name][-1].since, name))
                self._look_at(lines[owner].pop())
                if not lines[owner]:
                    del lines[owner]
        return self.let_in, self.blocked

    def _part(self, owner: str) -> float:
        """The largest part of something that a person holds, of what the team may."""
        held = self.of.get(owner, Amounts())
        return max(
            (mine / most if most else 0.0 for mine, most in zip(held, self.most, strict=True)), default=0.0
        )

    def _look_at(self, one: Waiting) -> None:
        own = self.of.get(one.owner, Amounts())
        person = one.needs.beyond(self.each.less(own))
        team = one.needs.beyond(self.most.less(self.held))
        behind = self._behind(one)
        if not person and not team and behind is None:
            self.held = self.held.plus(one.needs)
            self.of[one.owner] = own.plus(one.needs)
            self.let_in.append(one)
            return
        self.blocked[one.id] = Blocked(person, team, behind)
        if behind is None and self.now - one.since >= PATIENCE:
            kept = self.kept.setdefault(one.owner if person else "", {})
            for name in person or team:
                kept.setdefault(name, one)

    def _behind(self, one: Waiting) -> Waiting | None:
        """For whom something is kept that this one would take."""
        for kept in (self.kept.get(""), self.kept.get(one.owner)):
            for name, other in (kept or {}).items():
                if getattr(one.needs, name) > 0:
                    return other
        return None
