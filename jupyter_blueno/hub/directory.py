"""The hub, as the service asks it: `accounts.handlers` answers."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, TypeVar

import msgspec

from jupyter_blueno.api.operation import Done
from jupyter_blueno.errors import BluenoError, Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from jupyter_blueno.people.model import Departure, Invitation, NewInvitation, Person

Answer = TypeVar("Answer")

ERRORS: dict[int, type[BluenoError]] = {400: InvalidInput, 403: NotAllowed, 404: NotFound, 409: Conflict}
PATIENCE = 30.0  # seconds


class HubDirectory:
    """Thread-safe.

    Parameters
    ----------
    url : str
        The hub's API.
    token : str
        The service's own.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token

    def people(self) -> list[Person]:
        return self._ask("GET", ["people"], list[Person])

    def person(self, name: str) -> Person:
        return self._ask("GET", ["people", name], Person)

    def add(self, team: str, person: str) -> bool:
        return self._ask("PUT", ["teams", team, "people", person], Done).done

    def remove(self, team: str, person: str) -> bool:
        return self._ask("DELETE", ["teams", team, "people", person], Done).done

    def stop(self, person: str) -> bool:
        return self._ask("DELETE", ["people", person, "server"], Done).done

    def restart(self, person: str, profile: str) -> bool:
        return self._ask("PUT", ["people", person, "server"], Done, {"profile": profile}).done

    def invite(
        self, by: str, team: str | None, person: str | None, admin: bool, times: int, days: float
    ) -> NewInvitation:
        asked = {"by": by, "team": team, "person": person, "admin": admin, "times": times, "days": days}
        return self._ask("POST", ["invitations"], NewInvitation, asked)

    def invitations(self) -> list[Invitation]:
        return self._ask("GET", ["invitations"], list[Invitation])

    def revoke(self, invitation: str) -> bool:
        return self._ask("DELETE", ["invitations", invitation], Done).done

    def departures(self) -> list[Departure]:
        return self._ask("GET", ["departures"], list[Departure])

    def depart(self, person: str, by: str, heir: str | None, cancel: bool) -> Departure:
        asked = {"by": by, "heir": heir, "cancel": cancel}
        return self._ask("PUT", ["departures", person], Departure, asked)

    def close(self, person: str) -> Departure:
        return self._ask("PATCH", ["departures", person], Departure)

    def readmit(self, person: str) -> bool:
        return self._ask("DELETE", ["departures", person], Done).done

    def _ask(self, method: str, parts: list[str], shape: type[Answer], body: Any = None) -> Answer:
        path = "/".join(urllib.parse.quote(one, safe="") for one in parts)
        request = urllib.request.Request(
            f"{self.url}/blueno/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return msgspec.json.decode(response.read(), type=shape)
        except urllib.error.HTTPError as error:
            raise _error_of(error) from None
        except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
            raise Unavailable(
                f"The hub does not answer ({error}). Try again in a moment.", code="hub_unreachable"
            ) from error


def _error_of(error: urllib.error.HTTPError) -> BluenoError:
    """The error that `accounts.handlers` refused with; of the hub itself it has no code."""
    try:
        said = json.loads(error.read())
        return ERRORS[error.code](said["message"], code=said["code"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(
            f"The hub refused ({error.code}); is it configured by this version of Blueno?", code="hub_refused"
        )
