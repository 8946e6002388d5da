"""The operation that says what a team's jobs took."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, structs

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.jobs.accounting import TeamUsage
from jupyter_blueno.jobs.quotas.model import Holder


class UsageSince(Struct, frozen=True, forbid_unknown_fields=True):
    """How far back, in days."""

    days: Annotated[float, Meta(gt=0, le=3660)] = 30


@operation("GET", "/usage", resource="jobs", action="read")
def get_team_usage(context: Context, ask: UsageSince) -> TeamUsage:
    """Say what the team's jobs took of GPUs and cores, by person, and who holds what of their quota now."""
    from jupyter_blueno.jobs import accounting

    jobs, user = context.platform.jobs, context.user
    jobs.catch_up()
    quota = jobs.gate.quota if jobs.gate else None
    with context.database.begin() as connection:
        found = accounting.usage(connection, user.team, ask.days, user.name, quota)

    def with_use(one: Holder) -> Holder:
        if one.kind == "notebook" or not one.gpu:
            return one
        return accounting.with_use(one, jobs.record(user, one.id))

    return structs.replace(found, holders=[with_use(one) for one in found.holders])
