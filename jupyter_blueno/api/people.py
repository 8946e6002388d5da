"""Operations on the people and teams of a hub."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_blueno.api.context import Context, Hub
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.errors import NotAllowed
from jupyter_blueno.jobs.quotas.model import Share, TeamQuota, share, total
from jupyter_blueno.people.model import LONGEST_TEXT, Invitation, NewInvitation, Notebook, Person

Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT, pattern=r"^[^/\x00-\x1f]+$")]


class Me(Struct, frozen=True):
    """Who asks; `hub` says whether there is one, `notebook` is their server there.

    `of_team` is what their team holds of what it may, `of_person` what they do; None where nothing has a
    bound and there is no hub.
    """

    name: str
    team: str
    teams: list[str]
    admin: bool
    hub: bool
    notebook: Notebook | None = None
    of_team: Share | None = None
    of_person: Share | None = None


class PersonList(Struct, frozen=True):
    people: list[Person]


class PersonRef(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text


class Membership(Struct, frozen=True, forbid_unknown_fields=True):
    """A person, and the team they come into or leave."""

    team: Text
    name: Text


class InvitationList(Struct, frozen=True):
    invitations: list[Invitation]


class Invite(Struct, frozen=True, forbid_unknown_fields=True):
    """A link for `times` people, or for the one called `person`, good for some days.

    They come into `team`, which is made if there is none; without one, into that of those who
    are in no group. Where people have passwords of the hub, one for somebody who has an
    account lets them choose a new password.
    """

    team: Text | None = None
    person: Text | None = None
    times: Annotated[int, Meta(ge=1, le=1000)] = 1
    days: Annotated[float, Meta(gt=0, le=365)] = 7
    admin: bool = False


class InvitationRef(Struct, frozen=True, forbid_unknown_fields=True):
    id: Text


def administered(context: Context) -> Hub:
    """The hub, for its administrators.

    Raises
    ------
    NotAllowed
        ``not_an_admin``
    NotFound
        ``no_hub``
    """
    hub = context.platform.hub
    if not context.user.admin:
        raise NotAllowed(
            "This is for administrators of the hub; you are none. Ask one of them.", code="not_an_admin"
        )
    return hub


@operation("GET", "/me", resource="status", action="read")
def get_me(context: Context, ask: Nothing) -> Me:
    """Say who asks: their name, team and teams, whether they are an administrator, and their quota."""
    user, platform = context.user, context.platform
    teams = list(user.teams or (user.team,))
    if not platform.beside_a_hub:
        shares = _shares(context) if platform.config.quotas else (None, None)
        return Me(user.name, user.team, teams, user.admin, False, None, *shares)
    notebook = platform.hub.directory.person(user.name).notebook
    return Me(user.name, user.team, teams, user.admin, True, notebook, *_shares(context))


def _shares(context: Context) -> tuple[Share, Share]:
    """What the team of whoever asks holds of what it may, and what they do."""
    from jupyter_blueno.jobs.quotas import ledger

    gate, user = context.platform.jobs.gate, context.user
    quota = gate.quota if gate else TeamQuota()
    with context.database.begin() as connection:
        holders = ledger.holders(connection, user.team)
    return (
        share(quota.team.amounts, total(holders)),
        share(quota.person.amounts, total(holders, user.name)),
    )


@operation("GET", "/people", resource="people", action="read")
def list_people(context: Context, ask: Nothing) -> PersonList:
    """List the people of the hub by name, with their teams and their notebook servers."""
    if not context.platform.beside_a_hub:
        return PersonList([Person(context.user.name, False, [context.user.team])])
    return PersonList(administered(context).directory.people())


@operation("PUT", "/teams/{team}/people/{name}", resource="people", action="write")
def add_to_team(context: Context, ask: Membership) -> Done:
    """Put somebody into a team; a notebook that runs gets it when it is started again."""
    return Done(administered(context).directory.add(ask.team, ask.name))


@operation("DELETE", "/teams/{team}/people/{name}", resource="people", action="write")
def remove_from_team(context: Context, ask: Membership) -> Done:
    """Take somebody out of a team; what they own in it stays the team's."""
    return Done(administered(context).directory.remove(ask.team, ask.name))


@operation("DELETE", "/people/{name}/server", resource="people", action="write")
def stop_notebook(context: Context, ask: PersonRef) -> Done:
    """Stop somebody's notebook server; their jobs go on."""
    return Done(administered(context).directory.stop(ask.name))


@operation("GET", "/invitations", resource="people", action="read")
def list_invitations(context: Context, ask: Nothing) -> InvitationList:
    """List invitations, the newest first; nobody is told their links again."""
    if not context.platform.beside_a_hub:
        return InvitationList([])
    return InvitationList(administered(context).directory.invitations())


@operation("POST", "/invitations", resource="people", action="write", status=201)
def invite(context: Context, ask: Invite) -> NewInvitation:
    """Make a link that lets people in."""
    return administered(context).directory.invite(
        context.user.name, ask.team, ask.person, ask.admin, ask.times, ask.days
    )


@operation("DELETE", "/invitations/{id}", resource="people", action="write")
def revoke_invitation(context: Context, ask: InvitationRef) -> Done:
    """Take an invitation back; who came by it stays."""
    return Done(administered(context).directory.revoke(ask.id))
