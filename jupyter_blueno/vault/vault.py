"""The secrets of a platform: set, listed by name, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.vault import store
from jupyter_blueno.vault.model import MOST, Secret, check_name, check_value

if TYPE_CHECKING:
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.vault.keepers import Keeper


class Vault:
    """Secrets by team and name. Thread-safe.

    Parameters
    ----------
    database : Database
        Which there are.
    keeper : Keeper
        What they are.
    """

    def __init__(self, database: Database, keeper: Keeper) -> None:
        self.database = database
        self.keeper = keeper

    def put(self, team: str, owner: str, name: str, value: str) -> Secret:
        """Set a secret, in place of one of this name.

        Raises
        ------
        InvalidInput
        TooLarge
            If the value is, or if the team has a hundred already.
        Unavailable
            If it cannot be kept now; the one before is still good.
        """
        check_name(name)
        check_value(value)
        with self.database.begin() as connection:
            there = {one.name for one in store.listed(connection, team)}
        if name not in there and len(there) >= MOST:
            raise TooLarge(
                f"The team has {MOST} secrets, and no more are kept. Delete one that is not needed.",
                code="too_many_secrets",
            )
        self.keeper.put(name, value)  # before it is told that there is one
        with self.database.begin() as connection:
            return store.put(connection, team, name, owner)

    def delete(self, team: str, name: str) -> bool:
        """Forget a secret; False if there was none."""
        check_name(name)
        self.keeper.delete(name)
        with self.database.begin() as connection:
            return store.delete(connection, team, name)

    def listed(self, team: str) -> list[Secret]:
        """The team's, by name."""
        with self.database.begin() as connection:
            return store.listed(connection, team)


def check_there(database: Database, team: str, names: Sequence[str]) -> None:
    """Refuse names of secrets that the team does not have.

    Raises
    ------
    InvalidInput
        ``secret_not_found``: which, and what to do.
    """
    if not names:
        return
    for name in names:
        check_name(name)
    with database.begin() as connection:
        lacking = store.missing(connection, team, names)
    if lacking:
        raise InvalidInput(
            f"The team has no secret {lacking[0]!r}. Set it first: blueno secrets --set {lacking[0]}, or in "
            "the panel under Secrets.",
            code="secret_not_found",
        )
