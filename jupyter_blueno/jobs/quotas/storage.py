"""What people and teams keep on a hub's volume, and whether that is more than they may.

A look at the whole volume (`hub/sizes.py`) leaves what it found in one file beside the teams'
data folders, where the service reads it and no notebook writes. So it costs no request anything, and
is as old as that look.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from jupyter_blueno.jobs.lifecycle import amount
from jupyter_blueno.jobs.quotas.model import TeamQuota

FOUND = ".storage.json"  # beside the teams' folders
MADE_ROOM = ".made-room"  # a folder beside it: an empty file for each home in which room was made
LARGEST = 5  # parts of a folder that are told


class Size(Struct, frozen=True):
    """What a folder takes of the disk, in bytes; how many files; and its largest parts, by name."""

    bytes: int
    files: int
    parts: dict[str, int] = {}


class Found(Struct, frozen=True):
    """What a look at the volume found: folders by their names, as ``home/{folder}`` lies there."""

    at: datetime
    home: dict[str, Size] = {}
    shared: dict[str, Size] = {}
    teams: dict[str, Size] = {}


class Kept(Struct, frozen=True):
    """What is kept for somebody, and what may be (None: as much as fits).

    `parts` are the largest folders in it: of a person only to themselves.
    """

    owner: str
    bytes: int
    files: int
    most: float | None
    parts: dict[str, int] = {}


class Storage(Struct, frozen=True):
    """What a team and its people keep, as it was seen `at` that time."""

    at: datetime
    team: Kept
    people: list[Kept]


class Store:
    """Of one team; `beside` is the folder of all teams, `folder_of` says how a person's home is called."""

    def __init__(self, beside: Path, team: str, quota: TeamQuota, folder_of: Callable[[str], str]) -> None:
        self.beside, self.team, self.quota, self._folder_of = beside, team, quota, folder_of

    def found(self) -> Found | None:
        """What was seen last; None if nobody has looked."""
        try:
            return msgspec.json.decode((self.beside / FOUND).read_bytes(), type=Found)
        except (OSError, msgspec.DecodeError):
            return None

    def told(self, person: str, people: list[str]) -> Storage | None:
        """What is told to this person."""
        found = self.found()
        if found is None:
            return None
        everybody = [
            self._kept(one, found.home.get(self._folder_of(one)), one == person) for one in sorted(people)
        ]
        return Storage(found.at, self._of_team(found), [one for one in everybody if one is not None])

    def refusal(self, person: str) -> str | None:
        """Why this person, or their team, may not add anything; None: they may."""
        return self.home_refusal(person) or self.team_refusal()

    def home_refusal(self, person: str) -> str | None:
        """Why a person's folder is too full to work in it."""
        found, folder = self.found(), self._folder_of(person)
        home = None if found is None else self._kept(person, found.home.get(folder), True)
        if found is None or home is None or home.most is None or home.bytes <= home.most:
            return None
        if self._made_room(folder) > found.at.timestamp():
            return None  # they are believed until somebody looks again
        return (
            f"Your folder holds {amount(home.bytes)}, and one person may keep {amount(int(home.most))}."
            f"{_largest(home)} Delete what you do not need; where a notebook does not start, choose a "
            "profile to make room."
        )

    def team_refusal(self) -> str | None:
        """Why nothing more comes into the team's folders."""
        found = self.found()
        team = None if found is None else self._of_team(found)
        if found is None or team is None or team.most is None or team.bytes <= team.most:
            return None
        return (
            f"The team {self.team} holds {amount(team.bytes)} on the volume, and may keep "
            f"{amount(int(team.most))}.{_largest(team)} Delete jobs, datasets or files in the team's shared "
            f"folder; the next look counts them (the last was at {found.at:%H:%M} UTC)."
        )

    def makes_room(self, person: str) -> None:
        """Remember that this person began to delete things."""
        with contextlib.suppress(OSError):  # a full volume
            folder = self.beside / MADE_ROOM
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / self._folder_of(person)).touch()

    def _made_room(self, folder: str) -> float:
        try:
            return os.stat(self.beside / MADE_ROOM / folder).st_mtime
        except OSError:
            return 0.0

    def _kept(self, person: str, size: Size | None, own: bool) -> Kept | None:
        if size is None:
            return None
        return Kept(person, size.bytes, size.files, self.quota.person.bytes, size.parts if own else {})

    def _of_team(self, found: Found) -> Kept:
        shared = found.shared.get(self.team, Size(0, 0))
        own = found.teams.get(self.team, Size(0, 0))
        parts = {"shared": shared.bytes, **own.parts}
        size, files = shared.bytes + own.bytes, shared.files + own.files
        return Kept(self.team, size, files, self.quota.team.bytes, parts)


def largest(kept: Kept) -> str:
    """Where most of it is: ``checkpoints 40 GB, .cache 6 GB``; or nothing."""
    parts = sorted(kept.parts.items(), key=lambda one: (-one[1], one[0]))[:3]
    return ", ".join(f"{name} {amount(size)}" for name, size in parts if size)


def _largest(kept: Kept) -> str:
    said = largest(kept)
    return f" The largest: {said}." if said else ""
