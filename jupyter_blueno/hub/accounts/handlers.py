"""What the hub answers Blueno's service: people and teams, invitations, departures.

The service has the scope `SCOPE` and no other: by the hub's own API it would
need rights to make administrators and to read everybody's tokens.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import url_path_join
from sqlalchemy.orm import selectinload
from tornado import web
from tornado.httputil import url_concat

from jupyter_blueno.hub.accounts import SCOPE, store
from jupyter_blueno.hub.people import is_team
from jupyter_blueno.jobs.backends.kubernetes.objects import value_of
from jupyter_blueno.people.model import Departure, NewInvitation, Notebook, Person

MOST = 1000  # uses of an invitation
LONGEST = 365.0  # days of an invitation
RESTARTS: set[asyncio.Future[None]] = set()
CLOSING = asyncio.Lock()  # one account after the other


class Refused(Exception):
    """What was asked cannot be done; it becomes one of `jupyter_blueno.errors` in the service."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class PeopleHandler(APIHandler):
    """Answers the service alone, in JSON."""

    async def prepare(self) -> None:
        await super().prepare()
        if SCOPE not in getattr(self, "expanded_scopes", ()):
            raise web.HTTPError(403, "This is for Blueno's service.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, Refused):
            self.set_status(error.status)
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"status": error.status, "code": error.code, "message": str(error)}))
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        if not isinstance(error, Refused):
            super().log_exception(kind, error, trace)

    def tell(self, answer: Any) -> None:
        self.finish(msgspec.json.encode(answer))

    def known(self, name: str) -> orm.User:
        found = orm.User.find(self.db, name)
        if found is None:
            raise Refused(404, "person_not_found", f"The hub knows nobody called '{name[:80]}'.")
        return found

    def described(self, user: orm.User, left: bool) -> Person:
        """What is told of a person."""
        return Person(
            name=user.name,
            admin=user.admin,
            teams=sorted(one.name for one in user.groups if is_team(one.name)),
            created_at=_aware(user.created),
            last_activity=_aware(user.last_activity),
            notebook=self.notebook(user),
            left=left,
        )

    def notebook(self, user: orm.User) -> Notebook | None:
        spawner = self.users[user].spawners.get("") if user in self.users else None
        if spawner is None or not (spawner.active or spawner.pending):
            return None
        options = spawner.user_options or {}
        return Notebook(
            profile=options.get("profile"),
            started_at=_aware(spawner.orm_spawner.started),
            last_activity=_aware(spawner.orm_spawner.last_activity),
            pending=spawner.pending or None,
        )

    def check_teams(self, team: str) -> None:
        """Raise unless people can be put into this team."""
        if self.authenticator.manage_groups:
            raise Refused(
                409,
                "teams_elsewhere",
                "Who is in which team is decided where people sign in (manage_groups), not here.",
            )
        if not is_team(team):
            raise Refused(
                400,
                "invalid_team",
                f"'{team[:80]}' cannot be a team: at most 63 of a-z 0-9 - _ . with a letter or digit first.",
            )


class AllPeople(PeopleHandler):
    def get(self) -> None:
        left = {row.person for row in store.departures(self.db)}
        everybody = self.db.query(orm.User).options(selectinload(orm.User.groups)).order_by(orm.User.name)
        self.tell([self.described(one, one.name in left) for one in everybody])


class OnePerson(PeopleHandler):
    def get(self, name: str) -> None:
        self.tell(self.described(self.known(name), store.departure(self.db, name) is not None))


class Membership(PeopleHandler):
    def put(self, team: str, name: str) -> None:
        self.check_teams(team)
        user = self.known(name)
        if store.departure(self.db, name) is not None:
            raise Refused(409, "person_left", f"{name} has left; nobody of that name comes into a team.")
        group = orm.Group.find(self.db, team)
        if group is None:
            group = orm.Group(name=team)
            self.db.add(group)
        new = user not in group.users
        if new:
            group.users.append(user)
        self.db.commit()
        self.tell({"done": new})

    def delete(self, team: str, name: str) -> None:
        self.check_teams(team)
        user = self.known(name)
        group = orm.Group.find(self.db, team)
        there = group is not None and user in group.users
        if there:
            group.users.remove(user)
            self.db.commit()
        self.tell({"done": there})


class Server(PeopleHandler):
    async def delete(self, name: str) -> None:
        self.known(name)
        self.tell({"done": await stop(self, name)})

    def put(self, name: str) -> None:
        """Begin to stop somebody's notebook, which starts again with another profile."""
        self.known(name)
        user, profile = self.find_user(name), self.get_json_body()["profile"]
        spawner = user.spawners.get("")
        if spawner is None or not spawner.ready:
            raise Refused(409, "no_notebook", "Your notebook is not running, so it cannot be started again.")
        restarting = asyncio.ensure_future(restart(self, user, profile))
        RESTARTS.add(restarting)  # or nobody would hold it
        restarting.add_done_callback(RESTARTS.discard)
        self.tell({"done": True})


class Invitations(PeopleHandler):
    def get(self) -> None:
        self.tell(store.listed(self.db))

    def post(self) -> None:
        asked = self.get_json_body()
        team, person, days = asked["team"], asked["person"], asked["days"]
        if team is not None:
            self.check_teams(team)
        if person is not None:
            normal = self.authenticator.normalize_username(person)
            if normal != person or not self.authenticator.validate_username(person):
                raise Refused(
                    400, "invalid_name", f"'{person[:80]}' cannot be a name here; '{normal[:80]}' perhaps."
                )
            if store.departure(self.db, person) is not None:
                raise Refused(
                    409,
                    "person_left",
                    f"{person} has left, and what is theirs is not for somebody else of that name. If the "
                    f"same person comes back: blueno offboard --readmit {person}",
                )
        if not (1 <= asked["times"] <= (1 if person else MOST) and 0 < days <= LONGEST):
            raise Refused(
                400,
                "invalid_invitation",
                f"An invitation is for 1 to {MOST} people (1 if it names one), at most {LONGEST:.0f} days.",
            )
        made, token = store.add(
            self.db,
            team=team,
            person=person,
            admin=asked["admin"],
            times=asked["times"],
            made_by=asked["by"],
            expires_at=store.now() + timedelta(days=days),
        )
        found = store.get(self.db, made)
        assert found is not None
        path = url_concat(url_path_join(self.hub.base_url, "invite"), {"code": token})
        origin = self.settings.get("public_url")
        url = f"{origin.scheme}://{origin.netloc}{path}" if origin else path
        self.set_status(201)
        self.tell(NewInvitation(found, url))


class OneInvitation(PeopleHandler):
    def delete(self, invitation: str) -> None:
        if store.get(self.db, invitation) is None:
            raise Refused(404, "invitation_not_found", "There is no such invitation.")
        self.tell({"done": store.revoke(self.db, invitation)})


class DepartureHandler(PeopleHandler):
    def departure(self, row: Any) -> Departure:
        user = orm.User.find(self.db, row.person)
        server = user is not None and self.notebook(user) is not None
        return store.departure_of(row, server, user is not None)


class Departures(DepartureHandler):
    def get(self) -> None:
        self.tell([self.departure(row) for row in store.departures(self.db)])


class OneDeparture(DepartureHandler):
    def get(self, name: str) -> None:
        row = store.departure(self.db, name)
        if row is None:
            raise Refused(404, "departure_not_found", f"Nobody called '{name[:80]}' left.")
        self.tell(self.departure(row))

    async def put(self, name: str) -> None:
        """Shut somebody out, at once; their notebook then stops in a while."""
        asked = self.get_json_body()
        if store.departure(self.db, name) is None:
            self._begin(self.known(name), asked)
        if orm.User.find(self.db, name) is not None:
            await stop(self, name)
        self.tell(self.departure(store.departure(self.db, name)))

    def _begin(self, user: orm.User, asked: dict[str, Any]) -> None:
        if user.name == asked["by"]:
            raise Refused(409, "oneself", "Nobody can let themselves go; another administrator can.")
        if asked["heir"] is not None:
            heir = self.known(asked["heir"])
            if heir is user or store.departure(self.db, heir.name) is not None:
                raise Refused(409, "no_heir", f"{heir.name} leaves, too; choose another.")
        store.depart(
            self.db,
            user.name,
            by=asked["by"],
            teams=sorted(one.name for one in user.groups),
            heir=asked["heir"],
            cancel=asked["cancel"],
            archive=f"{value_of(user.name)}-{datetime.now(UTC):%Y-%m-%dT%H%M%S}",
        )
        user.admin = False
        for group in list(user.groups):
            group.users.remove(user)
        for token in list(user.api_tokens):
            self.db.delete(token)
        user.cookie_id = orm.new_token()  # no session is good any more
        if self.authenticator.sets_passwords and (account := self.authenticator.get_user(user.name)):
            self.db.delete(account)
        self.db.commit()

    async def patch(self, name: str) -> None:
        """Forget the account of somebody who has left, once their notebook is gone."""
        if store.departure(self.db, name) is None:
            raise Refused(404, "departure_not_found", f"Nobody called '{name[:80]}' left.")
        async with CLOSING:  # two replicas may ask at once
            await self._forget(name)
        self.tell(self.departure(store.departure(self.db, name)))

    async def _forget(self, name: str) -> None:
        user = self.find_user(name)
        if user is not None:
            if await stop(self, name) and user.spawner.active:
                raise Refused(409, "still_stopping", f"The notebook of {name} is being stopped; try again.")
            answer = self.authenticator.delete_user(user)
            if hasattr(answer, "__await__"):
                await answer
            await user.delete_spawners()
            self.users.delete(user)
        store.departed(self.db, name)

    def delete(self, name: str) -> None:
        row = store.departure(self.db, name)
        if row is not None and row.done_at is None:
            raise Refused(409, "still_leaving", f"{name} is still leaving; wait until that is done.")
        self.tell({"done": store.readmit(self.db, name)})


async def stop(handler: APIHandler, name: str) -> bool:
    """Stop somebody's notebook; False: none runs. It may still be stopping when this returns."""
    user = handler.find_user(name)
    spawner = user.spawners.get("") if user is not None else None
    if spawner is None or not (spawner.active or spawner.pending):
        return False
    if spawner.pending is None:  # one that is starting is stopped when it is asked for again
        stopping = asyncio.ensure_future(handler.stop_single_user(user, ""))
        await asyncio.wait([stopping], timeout=5)
    return True


async def restart(handler: APIHandler, user: Any, profile: str) -> None:
    """Stop somebody's notebook, and start it with this profile; why it does not start is told on its page."""
    await handler.stop_single_user(user, "")
    while (spawner := user.spawners.get("")) is not None and spawner.pending == "stop":  # slowly
        await asyncio.sleep(0.2)
    try:
        await handler.spawn_single_user(user, "", options={"profile": profile})
    except Exception as error:
        handler.log.warning("The notebook of %s did not start again: %s", user.name, error)


def _aware(at: Any) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


NAME = r"([^/]+)"
ROUTES = [
    (r"/api/blueno/people", AllPeople),
    (rf"/api/blueno/people/{NAME}", OnePerson),
    (rf"/api/blueno/people/{NAME}/server", Server),
    (rf"/api/blueno/teams/{NAME}/people/{NAME}", Membership),
    (r"/api/blueno/invitations", Invitations),
    (rf"/api/blueno/invitations/{NAME}", OneInvitation),
    (r"/api/blueno/departures", Departures),
    (rf"/api/blueno/departures/{NAME}", OneDeparture),
]
