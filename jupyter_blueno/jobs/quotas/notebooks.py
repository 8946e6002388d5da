"""What notebook servers hold: counted before they start, free when the hub tells of their end.

What the hub did not tell, because it died, comes out when it is compared with the pods that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from msgspec import Struct

from jupyter_blueno.database.engine import Database
from jupyter_blueno.jobs.quotas import ledger
from jupyter_blueno.jobs.quotas.gate import Gate
from jupyter_blueno.jobs.quotas.model import Amounts

SOON = 120.0  # seconds in which a notebook that was let in has a pod, if its hub lives


class Seen(Struct, frozen=True):
    """A notebook server that there is."""

    team: str
    owner: str
    server: str
    profile: str
    amounts: Amounts
    since: datetime


def admit(
    connection: sa.Connection,
    gate: Gate | None,
    team: str,
    owner: str,
    server: str,
    profile: str,
    needs: Amounts,
) -> str | None:
    """Write down what a notebook server holds from now on; or why it may not be started, in words."""
    if gate is not None:
        return gate.admit_notebook(connection, owner, server, profile, needs)
    ledger.put_notebook(connection, team, owner, server, profile=profile, **needs._asdict())
    return None


def settle(database: Database, there: Sequence[Seen]) -> None:
    """Bring what is written down to what there is."""
    now = datetime.now(UTC)
    found = {(one.team, one.owner, one.server): one for one in there}
    with database.begin() as connection:
        known = {(row.team, row.owner, row.server): row for row in ledger.notebooks(connection)}
        for key, row in known.items():
            fresh = row.seen_at is None and (now - row.since).total_seconds() < SOON
            if key in found:
                holds = found[key].amounts
                if row.seen_at is None or (row.cpu, row.memory, row.gpu) != holds:
                    ledger.seen(connection, *key, holds)
            elif not fresh:
                ledger.forget(connection, *key)
        for key, one in found.items():
            if key not in known:
                ledger.put_notebook(
                    connection, *key, profile=one.profile, since=one.since, seen_at=now,
                    **one.amounts._asdict(),
                )  # fmt: skip
