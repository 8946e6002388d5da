"""The folders that a notebook's pod mounts: made before its first one, by a container that runs before it.

A container more in a pod is a second or two of the node's looks, at each start:
the later pods of a person do without it.
"""

from __future__ import annotations

import shlex
from typing import Any

# A folder that was not there when a pod came up has been made by the node, and is
# root's: it is empty, and who may write to what it lies in may remove it.
ONE = "[ ! -d {0} ] || [ -O {0} ] || rmdir {0} || :; [ -d {0} ] || mkdir -p -m {1} {0}"


class Folders:
    """Knows of whom this hub has seen a server with all its folders."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, str]] = set()

    def are_there(self, spawner: Any, team: str) -> bool:
        """Whether a person's folders were there when their last server of this team came up."""
        return (spawner.user.id, team) in self._seen

    def ended(self, spawner: Any, team: str) -> None:
        """Hear that a server is over, or did not come up."""
        one = spawner.user.id, team
        if spawner.pending == "spawn":
            self._seen.discard(one)
        else:
            self._seen.add(one)


def script(home: str, shared: list[str]) -> str:
    """Make the folders of a person and a team, for a shell."""
    made = [(one, "2775") for one in shared] + [(home, "700")]
    return "; ".join(["umask 0002", *(ONE.format(shlex.quote(one), mode) for one, mode in made)])
