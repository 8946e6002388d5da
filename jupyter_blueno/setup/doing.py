"""Tells of a plan, and does it."""

from __future__ import annotations

import time
from collections.abc import Callable

from jupyter_blueno.setup.model import Plan, Price, State, Step

MARKS = {"absent": "to do", "coming": "being made"}


def told(plan: Plan, found: list[tuple[Step, State]] | None = None) -> list[str]:
    """What a plan is, as lines: where, what, how long, and what it costs."""
    lines = [f"Where: {plan.where}", "What:"]
    for number, (step, state) in enumerate(found or states(plan), 1):
        takes = f" ({step.takes})" if step.takes and state == "absent" else ""
        lines.append(f"  {number}. {step.what}{takes}: {MARKS.get(state, step.there)}")
    lines += costs(plan.prices)
    lines += [f"Note: {one}" for one in plan.notes]
    return lines


def costs(prices: tuple[Price, ...]) -> list[str]:
    """What it costs in a month."""
    if not prices:
        return []
    width = max(len(one.what) for one in prices)
    lines = ["Cost per month, in US dollars:"]
    for one in prices:
        more = f" + {one.busy:,.0f} when busy" if one.busy else ""
        lines.append(f"  {one.what:<{width}}  {one.idle:>7,.0f}{more}")
    idle, busy = sum(one.idle for one in prices), sum(one.busy for one in prices)
    lines.append(f"  {'idle':<{width}}  {idle:>7,.0f}; all the month at its most: {idle + busy:,.0f}")
    sources = dict.fromkeys(one.source for one in prices if one.source)
    lines.append(f"  These are estimates, without taxes, traffic and discounts ({'; '.join(sources)}).")
    return lines


def states(plan: Plan) -> list[tuple[Step, State]]:
    """What is there of a plan. What stands on something that is not there is not asked for."""
    found: list[tuple[Step, State]] = []
    grounded = True
    for step in plan.steps:
        state = step.state() if grounded else "absent"
        if step.ground and state != "there":
            grounded = False
        found.append((step, state))
    return found


def done(plan: Plan, say: Callable[[str], None], dry: bool = False) -> None:
    """Do a plan, a step after the other; what is there is left as it is, unless it is `renewed`."""
    for number, (step, state) in enumerate(states(plan) if dry else [(one, None) for one in plan.steps], 1):
        begun = time.monotonic()
        say(f"[{number}/{len(plan.steps)}] {step.what}")
        now = state or step.state()
        if now == "absent" or step.renewed:
            step.make()
        if step.wait is not None:  # also where it is there: kubectl here may not know the cluster
            step.wait()
        if now == "there" and not step.renewed:
            say(f"    {step.there}")
        elif not dry and time.monotonic() - begun > 5:
            say(f"    {time.monotonic() - begun:.0f} s")
