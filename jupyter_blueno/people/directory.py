"""Who knows the people: the hub, as the service asks it."""

from __future__ import annotations

from typing import Protocol

from jupyter_blueno.people.model import Departure, Invitation, NewInvitation, Person


class Directory(Protocol):
    """What a hub answers its service; thread-safe. Names that nobody has are refused in words."""

    def people(self) -> list[Person]:
        """All, by name."""

    def person(self, name: str) -> Person:
        """One of them."""

    def add(self, team: str, person: str) -> bool:
        """Put somebody into a team, which is made if there is none; False: they are in it."""

    def remove(self, team: str, person: str) -> bool:
        """Take somebody out of a team; False: they are not in it."""

    def stop(self, person: str) -> bool:
        """Stop somebody's notebook; False: none runs."""

    def restart(self, person: str, profile: str) -> bool:
        """Begin to stop somebody's notebook; it then starts again with another profile."""

    def invite(
        self, by: str, team: str | None, person: str | None, admin: bool, times: int, days: float
    ) -> NewInvitation:
        """Make a link that lets people in."""

    def invitations(self) -> list[Invitation]:
        """All that were made, the newest first."""

    def revoke(self, invitation: str) -> bool:
        """Nobody comes in by it any more; False: it was over."""

    def departures(self) -> list[Departure]:
        """Those who left, and those who are leaving; the newest first."""

    def depart(self, person: str, by: str, heir: str | None, cancel: bool) -> Departure:
        """Shut somebody out, and begin to stop their notebook; what was decided before stays so."""

    def close(self, person: str) -> Departure:
        """Forget somebody's account: everything else is done."""

    def readmit(self, person: str) -> bool:
        """Let somebody be invited again under the name that they had; False: nobody of it left."""


class Homes(Protocol):
    """Who can move people's folders on the volume."""

    def archive(self, person: str, name: str) -> str | None:
        """Move somebody's folder to ``home/.left/NAME``, unless it is there; what is waited for."""
