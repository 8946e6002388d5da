"""The pages of the hub that an invitation opens, and on which a password is changed."""

from __future__ import annotations

import re
from typing import Any

from jupyterhub import orm, roles
from jupyterhub.handlers import BaseHandler
from tornado import web
from tornado.httputil import url_concat

from jupyter_blueno.hub.accounts import store
from jupyter_blueno.hub.accounts.admission import COOKIE
from jupyter_blueno.people.model import Invitation

NAMES = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class InvitationPage(BaseHandler):
    """``/hub/invite?code=TOKEN``: an account, or signing in elsewhere, and then the team.

    A parameter called `code` is left out of the hub's log.
    """

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")  # the address is the secret
        self.set_header("Cache-Control", "no-store")

    def append_query_parameters(self, url: str, exclude: list[str] | None = None) -> str:
        return url  # the token does not go on to the next page

    def _is_good(self, found: Invitation, user: Any) -> bool:
        """Whether it still lets somebody in, or did let in who asks."""
        return found.state == "open" or bool(user and store.admits(self.db, self._token, user.name))

    async def get(self) -> None:
        token = self._token
        found = store.find(self.db, token)
        user = self.current_user
        if found is None or not self._is_good(found, user):
            await self._refuse(found)
        elif user and self._kept_token == token:
            await self._join(found, user)  # they said so before they signed in
        else:
            await self._show(found)

    async def post(self) -> None:
        token = self._token
        found = store.find(self.db, token)
        user = self.current_user
        if found is None or not self._is_good(found, user):
            await self._refuse(found)
        elif user:
            await self._join(found, user)
        elif self.authenticator.sets_passwords and not self.get_body_argument("known", ""):
            await self._sign_up(token, found)
        else:
            # Signing in takes several requests; the last of them has to know.
            self._set_cookie(COOKIE, token, encrypted=True, expires_days=1, httponly=True)
            where = self.authenticator.login_url(self.hub.base_url)
            self.redirect(url_concat(where, {"next": self.request.path}))

    async def _show(self, found: Invitation, **more: Any) -> None:
        values = {
            "invitation": found,
            "username": found.person or "",
            "passwords": self.authenticator.sets_passwords,
            "service": self.authenticator.login_service or "your account",
            "problem": None,
        }
        self.finish(await self.render_template("blueno-invitation.html", **{**values, **more}))

    async def _refuse(self, found: Invitation | None) -> None:
        self.set_status(404 if found is None else 410)
        self.clear_cookie(COOKIE)
        self.finish(await self.render_template("blueno-over.html", invitation=found))

    async def _join(self, found: Invitation, user: Any) -> None:
        """Somebody who is signed in comes into the team."""
        if store.admits(self.db, self._token, user.name) is None:
            await self._show(
                found, problem=f"This invitation is for {found.person}, and you are signed in as {user.name}."
            )
            return
        new = found.admin and not user.admin
        if new or (found.team and found.team not in {one.name for one in user.groups}):
            store.use(self.db, found, user.name)
            self._put_into(found.team, user.orm_user)
            if new:
                user.admin = True
            self.db.commit()
            roles.assign_default_roles(self.db, entity=user.orm_user)
        self.clear_cookie(COOKIE)
        self.log.info("%s came by the invitation %s", user.name, found.id)
        self.redirect(self.get_next_url(user))

    async def _sign_up(self, token: str, found: Invitation) -> None:
        given = self.get_body_argument("username", "").strip()
        name = found.person or self.authenticator.normalize_username(given)
        password = self.get_body_argument("password", "", strip=False)
        problem = self.authenticator.refusal(password, self.get_body_argument("again", "", strip=False))
        problem = problem or self._taken(found, name)
        account = None if problem else await self.authenticator.account(name, password)
        # From here to the commit nothing else happens in the hub: of two who click at once, one is too late.
        problem = problem or self._taken(found, name)
        if account is None or problem:
            self.set_status(409)
            await self._show(found, username=name, problem=problem)
            return
        fresh = store.admits(self.db, token, name)
        if fresh is None:
            await self._refuse(store.find(self.db, token))
            return
        store.use(self.db, fresh, name)
        person = orm.User.find(self.db, name)
        if person is None:
            person = orm.User(name=name)
            self.db.add(person)
        if known := self.authenticator.get_user(name):  # who forgot the password is invited by name
            known.password = account.password
            person.cookie_id = orm.new_token()
        else:
            self.db.add(account)
        person.admin = person.admin or found.admin
        self._put_into(found.team, person)
        self.db.commit()
        roles.assign_default_roles(self.db, entity=person)
        user = self.user_from_username(name)
        await _maybe(self.authenticator.add_user(user))
        self.set_login_cookie(user)
        self.log.info("%s has an account, by the invitation %s", name, found.id)
        self.redirect(self.get_next_url(user))

    def _taken(self, found: Invitation, name: str) -> str | None:
        """Why a new account cannot have this name."""
        chosen = found.person is None  # by who comes; else an administrator did
        if not self.authenticator.validate_username(name) or (chosen and not NAMES.fullmatch(name)):
            return "A name has letters, digits and - _ . only, and begins with a letter or digit."
        if store.departure(self.db, name) is not None:
            return f"The name {name} was that of somebody who left; choose another."
        # Whoever the configuration names, an administrator perhaps, is known before they have a password.
        known = orm.User.find(self.db, name) is not None and not found.admin
        if found.person != name and (known or self.authenticator.get_user(name) is not None):
            return f"The name {name} is taken. If it is you, sign in; else choose another."
        return None

    def _put_into(self, team: str | None, person: orm.User) -> None:
        if team is None:
            return
        group = orm.Group.find(self.db, team)
        if group is None:
            group = orm.Group(name=team)
            self.db.add(group)
        if person not in group.users:
            group.users.append(person)

    @property
    def _token(self) -> str:
        """Of the address, or of who went to sign in."""
        return str(self.get_query_argument("code", "")) or self._kept_token

    @property
    def _kept_token(self) -> str:
        return (self.get_secure_cookie(COOKIE, max_age_days=1) or b"").decode()


class PasswordPage(BaseHandler):
    """``/hub/password``: another password for who knows the present one."""

    @web.authenticated
    async def get(self) -> None:
        await self._show()

    @web.authenticated
    async def post(self) -> None:
        user = self.current_user
        now, password, again = (
            self.get_body_argument(one, "", strip=False) for one in ("now", "password", "again")
        )
        if self.authenticator.is_blocked(user.name):
            await self._show(problem="That was wrong too often. Wait two minutes.")
        elif not await self.authenticator.knows(user.name, now):
            self.authenticator.add_login_attempt(user.name)
            await self._show(problem="That is not your present password.")
        elif problem := self.authenticator.refusal(password, again):
            await self._show(problem=problem)
        else:
            account = await self.authenticator.account(user.name, password)
            self.authenticator.get_user(user.name).password = account.password
            user.cookie_id = orm.new_token()  # whoever is signed in elsewhere has to do it again
            self.db.commit()
            self.set_login_cookie(user)
            await self._show(done=True)

    async def _show(self, problem: str | None = None, done: bool = False) -> None:
        if problem:
            self.set_status(409)
        self.finish(await self.render_template("blueno-password.html", problem=problem, done=done))


async def _maybe(answer: Any) -> Any:
    return await answer if hasattr(answer, "__await__") else answer


ROUTES = [(r"/invite", InvitationPage)]
OF_PASSWORDS = [(r"/password", PasswordPage)]
