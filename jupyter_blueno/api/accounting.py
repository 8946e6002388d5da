"""The operation that says what a team's jobs took."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.jobs.accounting import TeamUsage


class UsageSince(Struct, frozen=True, forbid_unknown_fields=True):
    """How far back, in days."""

    days: Annotated[float, Meta(gt=0, le=3660)] = 30


@operation("GET", "/usage", resource="jobs", action="read")
def get_team_usage(context: Context, ask: UsageSince) -> TeamUsage:
    """Say what the team's jobs took of GPUs and cores, by person, and who holds GPUs now."""
    from jupyter_blueno.jobs import accounting

    context.platform.jobs.catch_up()
    with context.database.begin() as connection:
        return accounting.usage(connection, context.user.team, ask.days)
