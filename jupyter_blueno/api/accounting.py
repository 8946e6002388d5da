"""The operation that says what a team's jobs took."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, structs

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.errors import BluenoError, Conflict
from jupyter_blueno.jobs.accounting import TeamUsage
from jupyter_blueno.jobs.quotas.model import Holder
from jupyter_blueno.jobs.quotas.storage import Storage


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

    holders = [with_use(one) for one in found.holders]
    return structs.replace(found, holders=holders, storage=_storage(context))


def _storage(context: Context) -> Storage | None:
    """What is kept on the volume by the team and those who are in it."""
    platform, user = context.platform, context.user
    if platform.storage is None:
        return None
    hub = platform.hub
    try:
        everybody = hub.directory.people()
    except BluenoError:  # it says what the person themselves keeps
        return platform.storage.told(user.name, [user.name])
    people = [one.name for one in everybody if user.team in (one.teams or [hub.default_team])]
    return platform.storage.told(user.name, people)


def check_storage(context: Context, *, home: bool = True) -> None:
    """Refuse what adds to a volume on which the team, or (`home`) the person, keeps more than they may.

    Raises
    ------
    Conflict
        ``storage_full``
    """
    store = context.platform.storage
    if store is None:
        return
    refusal = store.refusal(context.user.name) if home else store.team_refusal()
    if refusal is not None:
        raise Conflict(refusal, code="storage_full")
