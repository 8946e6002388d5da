"""Who may sign in: those whom the hub's authenticator lets in, those who were invited, nobody who left."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.traitlets import EntryPointType
from tornado import web
from traitlets import HasTraits

from jupyter_blueno.hub.accounts import store

COOKIE = "blueno-invitation"  # the token, while somebody proves elsewhere who they are
SETUP = "BLUENO_SETUP_TOKEN"  # of the first administrator's link
_SIGNING_IN: ContextVar[Any] = ContextVar("signing_in")  # the handler of the sign-in that is under way


class Admission:
    """What is added to an authenticator: see `admitting`."""

    sets_passwords: bool  # whether an account has a password of this hub

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        under_way = _SIGNING_IN.set(handler)
        try:
            model = await super().get_authenticated_user(handler, data)  # type: ignore[misc]
        finally:
            _SIGNING_IN.reset(under_way)
        if (
            model
            and model.get("admin") is False
            and store.came_by_invitation(handler.db, model["name"], True)
        ):
            model["admin"] = None  # as the hub knows them: no group of the provider's made them one
        return model

    async def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        handler = _SIGNING_IN.get(None)
        if handler is not None and store.departure(handler.db, username) is not None:
            raise web.HTTPError(
                403,
                f"The account {username} was closed. If that is a mistake, ask an administrator of this hub.",
            )
        return await _answer(super().check_blocked_users(username, authentication))  # type: ignore[misc]

    async def check_allowed(self, username: str, authentication: Any = None) -> bool:
        handler = _SIGNING_IN.get(None)
        if handler is not None and self._invited(handler, username):
            return True
        return await _answer(super().check_allowed(username, authentication))  # type: ignore[misc]

    def _invited(self, handler: Any, username: str) -> bool:
        """Whether somebody came by an invitation, or comes by one now: then that is a use of it."""
        if store.came_by_invitation(handler.db, username):
            return True
        token = (handler.get_secure_cookie(COOKIE, max_age_days=1) or b"").decode()
        found = store.admits(handler.db, token, username) if token else None
        if found is None:
            return False
        store.use(handler.db, found, username)
        handler.db.commit()
        return True

    def get_handlers(self, app: Any) -> list[Any]:
        from jupyter_blueno.hub.accounts import handlers, pages

        store.create(app.db)
        if token := os.environ.get(SETUP):
            store.add(app.db, token, team=None, person=None, admin=True, times=1, made_by="the installation")
        found = super().get_handlers(app)  # type: ignore[misc]
        return [*found, *pages.ROUTES, *handlers.ROUTES]

    def check_allow_config(self) -> None:
        """Whoever is invited is allowed: nothing has to be configured."""


async def _answer(answer: Any) -> bool:
    return bool(await answer if hasattr(answer, "__await__") else answer)


def admitting(given: Any) -> type[Authenticator]:
    """An authenticator to which invitations and departures are added.

    Parameters
    ----------
    given : str or type
        As ``JupyterHub.authenticator_class`` takes it, or ``passwords``: people
        have a password of this hub.
    """
    sets_passwords = given == "passwords"
    if sets_passwords:
        from jupyter_blueno.hub.accounts.passwords import Passwords

        given = Passwords
    base = _Chosen(authenticator=given).authenticator
    return type(
        base.__name__, (Admission, base), {"__module__": base.__module__, "sets_passwords": sets_passwords}
    )


class _Chosen(HasTraits):
    authenticator = EntryPointType(klass=Authenticator, entry_point_group="jupyterhub.authenticators")
