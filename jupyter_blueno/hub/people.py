"""Who asks, by the tokens of the hub."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from jupyterhub.services.auth import HubAuth

from jupyter_blueno.catalog.model import User
from jupyter_blueno.errors import NotAllowed

# The name of a group becomes the name of a folder.
_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class People:
    """Knows people by their tokens; a team is a group of the hub.

    Parameters
    ----------
    auth : HubAuth
        With the service's own name and token, and for how long a token that was
        good is believed to be so.
    default_team : str
        The team of those who are in no group.
    """

    def __init__(self, auth: HubAuth, default_team: str) -> None:
        self.auth = auth
        self.default_team = default_team
        self.scopes = auth.access_scopes

    async def who(self, token: str) -> dict[str, Any] | None:
        """What the hub says of a token's owner; None if the token may not be used here."""
        model: dict[str, Any] | None = await self.auth.user_for_token(token, sync=False)
        if model is None or model.get("kind") != "user" or not self.auth.check_scopes(self.scopes, model):
            return None
        return model

    def member(self, model: dict[str, Any], team: str | None) -> User:
        """The person as a member of the team that is meant, or of the first one.

        Raises
        ------
        NotAllowed
            ``not_in_team``
        """
        teams = tuple(sorted(filter(is_team, model.get("groups", [])))) or (self.default_team,)
        if team is not None and team not in teams:
            raise NotAllowed(
                f"You are not in the team '{team[:80]}'; yours: {', '.join(teams)}. An administrator of the "
                "hub can add you.",
                code="not_in_team",
            )
        return User(model["name"], team or teams[0], teams, bool(model.get("admin")))


def is_team(group: str) -> bool:
    """Whether a group can be a team: at most 63 of ``a-z0-9-_.``, with a letter or digit first."""
    return 0 < len(group) <= 63 and group[0] not in ".-_" and set(group) <= _SIGNS


def make_team_folder(folder: Path) -> None:
    """Make a folder in which everything belongs to the team, whoever puts it there."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # somebody else made it
        folder.chmod(0o2775)
