"""Quotas in words: who holds what, and what somebody waits for."""

from __future__ import annotations

import time
from collections.abc import Sequence

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.lifecycle import amount
from jupyter_blueno.jobs.quotas.model import RAREST, Amounts, Holder, Share, TeamQuota, total
from jupyter_blueno.jobs.quotas.rules import Blocked

NAMED = 3  # holders


def sized(name: str, value: float) -> str:
    """``2 GPUs``, ``8 GB of memory``, ``1.5 cores``."""
    if name == "memory":
        return f"{amount(int(value))} of memory"
    word = "GPU" if name == "gpu" else "core"
    return f"{value:,.4g} {word}{'' if value == 1 else 's'}"


def of_all(name: str, held: float, most: float) -> str:
    """``3 of its 4 GPUs``."""
    number = amount(int(held)) if name == "memory" else f"{held:,.4g}"
    return f"{number} of its {sized(name, most)}"


def held_by(holders: Sequence[Holder], name: str, now: float | None = None) -> str:
    """Who holds it: the longest first, as many as can be read."""
    moment = time.time() if now is None else now
    those = [one for one in holders if getattr(one, name) > 0]
    those.sort(key=lambda one: (-getattr(one, name), one.since))
    said = [_one(one, name, moment) for one in those[:NAMED]]
    if len(those) > NAMED:
        said.append(f"{len(those) - NAMED:,} more")
    return ", ".join(said)


def _one(one: Holder, name: str, now: float) -> str:
    what = f"job '{one.name}'" if one.kind == "job" else "notebook"
    for_ = _about(now - one.since.timestamp())
    more = f", {_about(one.until.timestamp() - now)} more at most" if one.until else ""
    return f"{one.owner}'s {what} ({sized(name, getattr(one, name))}, for {for_}{more})"


def _about(seconds: float) -> str:
    """Rounded, so that it does not change at every look."""
    if seconds < 120:
        return f"{max(1, round(seconds / 60))} min"
    if seconds < 7200:
        return f"{round(seconds / 60)} min"
    if seconds < 2 * 86400:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def why(team: str, owner: str, quota: TeamQuota, holders: Sequence[Holder], blocked: Blocked) -> str:
    """Why something has to wait, or is refused for now."""
    if blocked.person:
        name = blocked.person[0]
        own = [one for one in holders if one.owner == owner]
        held = getattr(total(own), name)
        most = getattr(quota.person.amounts, name)
        return f"{owner} holds {_of_one(name, held, most)}: {held_by(own, name) or 'nothing'}."
    if blocked.team:
        name = blocked.team[0]
        held = getattr(total(list(holders)), name)
        most = getattr(quota.team.amounts, name)
        return f"The team {team} holds {of_all(name, held, most)}: {held_by(holders, name) or 'nothing'}."
    if blocked.behind is not None:
        one = blocked.behind
        needs = _all_of(one.needs)
        return (
            f"What becomes free is kept for {one.owner}'s job '{one.name}', which has waited longer and "
            f"needs {needs}."
        )
    return "It is about to start."


def _of_one(name: str, held: float, most: float) -> str:
    number = amount(int(held)) if name == "memory" else f"{held:,.4g}"
    return f"{number} of the {sized(name, most)} that one person may hold in this team"


def _all_of(needs: Amounts) -> str:
    said = [sized(name, getattr(needs, name)) for name in ("gpu", "cpu", "memory") if getattr(needs, name)]
    return ", ".join(said)


def never(team: str, quota: TeamQuota, needs: Amounts) -> InvalidInput | None:
    """The refusal of what the quota can never give; None if it can."""
    for who, most in (
        (f"The team {team} may hold", quota.team.amounts),
        (f"One person in the team {team} may hold", quota.person.amounts),
    ):
        beyond = needs.beyond(most)
        if beyond:
            name = beyond[0]
            there = getattr(most, name)
            asked = sized(name, getattr(needs, name))
            said = sized(name, there) if there else f"no {'GPU' if name == 'gpu' else name}"
            return InvalidInput(
                f"{who} {said} at most, and this asks for {asked}. Ask for less, or an administrator for a "
                "larger quota.",
                code="beyond_quota",
            )
    return None


def shared(of: Share) -> str:
    """``2 of 4 GPUs, 6 of 32 cores``; only what has a bound."""
    said = []
    for name in RAREST:
        most, held = getattr(of, name), getattr(of, f"{name}_held")
        if most is not None:
            number = amount(int(held)) if name == "memory" else f"{held:,.4g}"
            said.append(f"{number} of {sized(name, most)}")
    return ", ".join(said)


def holds(of: Share) -> str:
    """The same, and what is held of the others: ``1 of 2 GPUs, 6 cores``, or ``nothing``."""
    bounded = shared(of)
    held = [
        sized(name, getattr(of, f"{name}_held"))
        for name in RAREST
        if getattr(of, name) is None and getattr(of, f"{name}_held")
    ]
    return ", ".join([bounded] * bool(bounded) + held) or "nothing"
