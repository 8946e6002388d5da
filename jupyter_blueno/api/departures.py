"""Operations by which somebody leaves a hub.

Each step was done or was not, and asking again goes on: whoever is leaving is
written down in the hub first, with all that was decided.
"""

from __future__ import annotations

from msgspec import Struct, structs

from jupyter_blueno.api.context import Context, Hub
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.api.people import PersonRef, Text, administered
from jupyter_blueno.catalog.model import User
from jupyter_blueno.errors import BluenoError, Conflict
from jupyter_blueno.people.model import Belongings, Departure, Leaving, Person


class DepartureList(Struct, frozen=True):
    departures: list[Departure]


class LetGo(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose things become `hand_over_to`'s, or whether their jobs end; what was decided once stays so."""

    name: Text
    hand_over_to: Text | None = None
    cancel_jobs: bool = False


class PlanDeparture(LetGo, frozen=True, forbid_unknown_fields=True):
    """What would be if somebody were let go so."""


@operation("GET", "/departures", resource="people", action="read")
def list_departures(context: Context, ask: Nothing) -> DepartureList:
    """List those who left, and those who are leaving; the newest first."""
    if not context.platform.beside_a_hub:
        return DepartureList([])
    return DepartureList(administered(context).directory.departures())


@operation("GET", "/people/{name}/departure", resource="people", action="read")
def get_leaving(context: Context, ask: PlanDeparture) -> Leaving:
    """Say what letting somebody go would do, or how far it is. Nothing is changed."""
    hub = administered(context)
    begun = _begun(hub, ask.name)
    return _leaving(hub, ask, begun, None if begun else hub.directory.person(ask.name))


@operation("PUT", "/people/{name}/departure", resource="people", action="write")
def let_go(context: Context, ask: LetGo) -> Leaving:
    """Let somebody go, or go on with that; ask until it is `done`.

    At once they cannot sign in, their tokens and sessions end, and they are in no
    team; then their notebook stops, their jobs and schedules are handed over or
    end, their folder is moved, and the hub forgets their account.
    """
    hub = administered(context)
    begun = _begun(hub, ask.name)
    if begun is None:
        plan = _leaving(hub, ask, None, hub.directory.person(ask.name))
        if plan.decide:
            raise Conflict(
                f"Jobs or schedules of {ask.name} run: name somebody who takes them over, or have them end.",
                code="decide_first",
            )
        _check_heir(hub, ask, plan)
        begun = hub.directory.depart(ask.name, context.user.name, ask.hand_over_to, ask.cancel_jobs)
    return advance(hub, begun)


@operation("DELETE", "/people/{name}/departure", resource="people", action="write")
def readmit(context: Context, ask: PersonRef) -> Done:
    """Let somebody who left be invited again, under their name; their folder stays where it is."""
    return Done(administered(context).directory.readmit(ask.name))


def advance(hub: Hub, begun: Departure) -> Leaving:
    """Do what can be done now."""
    if begun.done_at is None:
        if begun.server:
            begun = hub.directory.depart(begun.person, begun.by, begun.heir, begun.cancel)  # asks again
        waits = f"the notebook of {begun.person} is stopping" if begun.server else None
        waits = _settle(hub, begun) or waits
        waits = waits or hub.homes.archive(begun.person, begun.archive)
        if waits is None:
            begun = hub.directory.close(begun.person)
    else:
        waits = None
    ask = LetGo(begun.person, begun.heir, begun.cancel)
    return structs.replace(_leaving(hub, ask, begun, None), waits=waits)


def _settle(hub: Hub, begun: Departure) -> str | None:
    """Hand over what somebody has, or end it; what is waited for."""
    from jupyter_blueno.people import store
    from jupyter_blueno.schedules import store as schedules

    running = 0
    for team in _teams(hub, begun.person, begun.teams):
        platform = hub.platform(team)
        with platform.database.begin() as connection:
            if begun.heir is not None:
                store.hand_over(connection, team, begun.person, begun.heir)
                continue
            found = store.belongings(connection, team, begun.person)
        for one in found.schedules:
            with platform.database.begin() as connection:
                schedules.update(connection, one, paused=True)
        for job in found.live_jobs:
            platform.jobs.cancel(User(begun.person, team), job)
        running += len(found.live_jobs)
    return f"{running} jobs of {begun.person} are ending" if running else None


def _leaving(hub: Hub, ask: LetGo, begun: Departure | None, person: Person | None) -> Leaving:
    """What is done, in words."""
    from jupyter_blueno.people import store

    known = begun.teams if begun else person.teams if person else []
    found: list[Belongings] = []
    for team in _teams(hub, ask.name, known):
        with hub.platform(team).database.begin() as connection:
            found.append(store.belongings(connection, team, ask.name))
    found = [one for one in found if one.jobs or one.datasets or one.schedules]
    live = sum(len(one.live_jobs) for one in found)
    firing = sum(len(one.schedules) for one in found)
    private = sum(one.private_datasets for one in found)
    heir, cancel = (begun.heir, begun.cancel) if begun else (ask.hand_over_to, ask.cancel_jobs)
    steps = [
        f"{ask.name} cannot sign in any more; tokens and sessions end, teams: {', '.join(known) or 'none'}."
    ]
    if begun.server if begun else person and person.notebook:
        steps.append("Their notebook stops.")
    if heir:
        steps.append(f"{_counted(found)} become {heir}'s.")
    elif cancel and (live or firing):
        steps.append(f"{live} jobs are cancelled, {firing} schedules paused.")
    steps.append("Their folder moves to home/.left of the volume; what is in team folders stays.")
    steps.append("The account is forgotten; nobody gets the name again.")
    secrets = [one.name for team in known for one in hub.platform(team).vault.listed(team)]
    if secrets:
        steps.append(f"They could read {', '.join(secrets)}: set such secrets anew.")
    lost = [f"{private} private datasets, which nobody else sees"] if private and not heir else []
    return Leaving(
        ask.name,
        sorted(known),
        found,
        steps,
        lost,
        decide=bool(live or firing) and not (heir or cancel),
        departure=begun,
        done=bool(begun and begun.done_at),
    )


def _counted(found: list[Belongings]) -> str:
    jobs, datasets = sum(one.jobs for one in found), sum(one.datasets for one in found)
    return f"{jobs} jobs, {sum(len(one.schedules) for one in found)} schedules and {datasets} datasets"


def _check_heir(hub: Hub, ask: LetGo, plan: Leaving) -> None:
    if ask.hand_over_to is None:
        return
    heir = hub.directory.person(ask.hand_over_to)
    theirs = set(heir.teams or [hub.default_team])
    missing = [one.team for one in plan.belongings if one.team not in theirs]
    if missing:
        raise Conflict(
            f"{heir.name} is not in {', '.join(missing)}, where {ask.name} has jobs or datasets. Put them "
            "into it first, or choose somebody who is.",
            code="heir_not_in_team",
        )


def _teams(hub: Hub, person: str, known: list[str]) -> list[str]:
    """The teams to look at: those of the person, and those in which something is theirs."""
    from jupyter_blueno.people import store

    with hub.everybody.begin() as connection:
        return sorted({*known, *store.teams_of(connection, person)})


def _begun(hub: Hub, name: str) -> Departure | None:
    return next((one for one in hub.directory.departures() if one.person == name), None)


def go_on(hub: Hub) -> list[str]:
    """Go on with those who are leaving; what went wrong, in words."""
    trouble = []
    for one in hub.directory.departures():
        if one.done_at is None:
            try:
                advance(hub, one)
            except BluenoError as error:
                trouble.append(f"{one.person}: {error.message}")
    return trouble
