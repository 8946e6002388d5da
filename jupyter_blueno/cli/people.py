"""``blueno whoami``, ``people``, ``team``, ``invite``, ``offboard`` and ``acts``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from jupyter_blueno.cli.output import as_json, print_json, say

if TYPE_CHECKING:
    from jupyter_blueno.people.model import Invitation, Leaving

PAUSE = 1.0  # seconds between questions whether somebody is gone


@click.command()
@as_json
def whoami(as_json: bool) -> None:
    """Say who you are here: name, team, teams, what runs for you, and what you and your team hold."""
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.people import get_me
    from jupyter_blueno.client import look, session
    from jupyter_blueno.jobs.quotas.words import holds

    me = session.call(get_me, Nothing())
    if as_json:
        print_json(me)
        return
    rows = [["person", me.name + (" (administrator)" if me.admin else "")], ["team", me.team]]
    if len(me.teams) > 1:
        rows.append(["teams", ", ".join(me.teams)])
    rows.append(
        ["hub", os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "yes") if me.hub else "none: this machine"]
    )
    if me.notebook is not None:
        profile = me.notebook.profile or "default"
        rows.append(["notebook", f"{profile}, started {look.age(me.notebook.started_at)}"])
    if me.of_person is not None and me.of_team is not None:
        rows += [["you hold", holds(me.of_person)], [f"{me.team} holds", holds(me.of_team)]]
    click.echo(look.table(rows, ["", ""]))


@click.command()
@click.option("--stop", metavar="NAME", multiple=True, help="Stop somebody's notebook; jobs go on.")
@as_json
def people(stop: tuple[str, ...], as_json: bool) -> None:
    """List the people of the hub, their teams and notebooks. For administrators."""
    from jupyter_blueno.api import people as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import look, session

    for name in stop:
        if not session.call(api.stop_notebook, api.PersonRef(name)).done:
            say(f"No notebook of {name} runs.")
    if stop:
        return
    found = session.call(api.list_people, Nothing()).people
    if as_json:
        print_json(found)
        return
    rows = []
    for one in found:
        notebook = one.notebook
        state = ""
        if notebook is not None:
            state = f"{notebook.profile or 'default'}, active {look.age(notebook.last_activity)}"
        role = "left" if one.left else "administrator" if one.admin else ""
        rows.append([one.name, ", ".join(one.teams), role, state])
    click.echo(look.table(rows, ["person", "teams", "", "notebook"]))


@click.command()
@click.argument("team")
@click.option("--add", metavar="NAME", multiple=True, help="Put somebody into it.")
@click.option("--remove", metavar="NAME", multiple=True, help="Take somebody out of it.")
def team(team: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """List who is in a team, put people into it or take them out. For administrators.

    A notebook that runs keeps its team until it is started again.
    """
    from jupyter_blueno.api import people as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import session

    for name in add:
        if not session.call(api.add_to_team, api.Membership(team, name)).done:
            say(f"{name} is in {team} already.")
    for name in remove:
        if not session.call(api.remove_from_team, api.Membership(team, name)).done:
            say(f"{name} is not in {team}.")
    members = [one.name for one in session.call(api.list_people, Nothing()).people if team in one.teams]
    if members:
        click.echo("\n".join(members))
    else:
        say(f"Nobody is in {team}. `blueno invite --team {team}` makes a link for those who come.")


@click.command()
@click.argument("person", required=False)
@click.option("--team", help="The team that they come into; it is made if there is none.")
@click.option("--times", default=1, metavar="N", show_default=True, help="How many people may use the link.")
@click.option("--days", default=7.0, metavar="N", show_default=True, help="How long it is good.")
@click.option("--admin", is_flag=True, help="Who opens it becomes an administrator.")
@click.option("--list", "listed", is_flag=True, help="List the invitations that were made.")
@click.option("--revoke", metavar="ID", multiple=True, help="Take one back.")
@as_json
def invite(
    person: str | None,
    team: str | None,
    times: int,
    days: float,
    admin: bool,
    listed: bool,
    revoke: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a link that lets people in. For administrators.

    \b
    blueno invite --team radiology --times 5
    blueno invite alice            only alice; who has an account chooses a new password
    """
    from jupyter_blueno.api import people as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import session

    for one in revoke:
        if not session.call(api.revoke_invitation, api.InvitationRef(one)).done:
            say(f"{one} was taken back before.")
    if listed or revoke:
        if listed:
            _list(session.call(api.list_invitations, Nothing()).invitations, as_json)
        return
    made = session.call(api.invite, api.Invite(team, person, times, days, admin))
    if as_json:
        print_json(made)
        return
    click.echo(made.url)
    if made.url.startswith("/"):
        say("Put the hub's address before it, as https://hub.example.org.")
    who = person or (f"{times} people" if times > 1 else "one person")
    say(f"Good for {who} and {days:g} days. It is shown only now.")
    say(f"To take it back: blueno invite --revoke {made.invitation.id}")


def _list(found: list[Invitation], as_json: bool) -> None:
    from jupyter_blueno.client import look

    if as_json:
        print_json(found)
    elif found:
        rows = [
            [
                one.id,
                one.team or "",
                one.person or ("an administrator" if one.admin else ""),
                f"{len(one.uses)} of {one.times}",
                one.state,
                one.made_by,
                look.age(one.made_at),
            ]
            for one in found
        ]
        click.echo(look.table(rows, ["invitation", "team", "for", "used", "", "by", ""]))
    else:
        say("No invitations. `blueno invite --team TEAM` makes a link.")


@click.command()
@click.argument("person")
@click.option("--hand-over-to", metavar="NAME", help="Who takes over jobs, schedules and datasets.")
@click.option("--cancel-jobs", is_flag=True, help="Cancel their jobs, pause their schedules.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--readmit", is_flag=True, help="Let somebody who left be invited again.")
def offboard(
    person: str, hand_over_to: str | None, cancel_jobs: bool, dry_run: bool, yes: bool, readmit: bool
) -> None:
    """Let somebody go: no sign-in, notebook or team; their work is handed over or ends. For administrators.

    Nothing is deleted: their folder is moved, and what is the team's stays. If this is interrupted, the
    service goes on by itself; the same command shows how far it is.
    """
    from jupyter_blueno.api import departures as api
    from jupyter_blueno.api.people import PersonRef
    from jupyter_blueno.client import session

    if readmit:
        if not session.call(api.readmit, PersonRef(person)).done:
            raise click.ClickException(f"Nobody called {person} left.")
        say(f"{person} can be invited again: blueno invite {person}")
        return
    ask = {"name": person, "hand_over_to": hand_over_to, "cancel_jobs": cancel_jobs}
    plan = session.call(api.get_leaving, api.PlanDeparture(**ask))  # type: ignore[arg-type]
    _tell(plan)
    if plan.done or dry_run:
        return
    if plan.decide:
        raise click.ClickException("Say --hand-over-to NAME or --cancel-jobs: something of theirs runs.")
    if plan.departure is None and not yes:
        click.confirm("Do that?", abort=True)
    said = None
    while not (now := session.call(api.let_go, api.LetGo(**ask))).done:  # type: ignore[arg-type]
        if now.waits != said:
            said = now.waits
            say(f"Waiting: {said}.")
        time.sleep(PAUSE)
    assert now.departure is not None
    say(f"{person} is gone. Their folder: home/.left/{now.departure.archive} of the volume.")


def _tell(plan: Leaving) -> None:
    if plan.departure is not None:
        state = "left" if plan.done else "is leaving"
        say(f"{plan.person} {state}; {plan.departure.by} decided it, {plan.departure.begun_at:%Y-%m-%d}.")
    for step in plan.steps:
        click.echo(f"  {step}")
    for one in plan.lost:
        click.echo(f"  Lost: {one}. --hand-over-to NAME keeps them.")
    for team in plan.belongings:
        if team.live_jobs:
            click.echo(f"  Runs in {team.team}: {', '.join(one[:8] for one in team.live_jobs[:10])}")


@click.command()
@click.option("--person", help="Of one person.")
@click.option("--operation", help="Of one kind, as submit_job.")
@click.option("--limit", default=50, show_default=True, help="How many, the newest first.")
@as_json
def acts(person: str | None, operation: str | None, limit: int, as_json: bool) -> None:
    """Show who did what: administrators see everybody's acts, others their own."""
    from jupyter_blueno.api.audit import ActPage, list_acts
    from jupyter_blueno.client import look, session

    found = session.call(list_acts, ActPage(person, operation, None, limit)).acts
    if as_json:
        print_json(found)
    elif found:
        rows = [
            [look.age(one.at), one.person, one.team, one.operation, one.about[:60], one.code or ""]
            for one in found
        ]
        click.echo(look.table(rows, ["", "person", "team", "did", "with", "refused"]))
    else:
        say("Nothing was done yet, or there is no hub: acts are written down beside a hub.")
