"""The order in which changes become visible.

A number from a sequence is taken before its transaction commits, so a later
number may be seen before an earlier one, and whoever asks "what is newer than
the newest I saw" would lose the earlier. Hence a writer takes its number under
a lock that it holds until it commits: revisions then appear in order.
"""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_blueno.database import tables

REVISION_LOCK = 0x72657673  # "revs"

# Whoever holds the lock to write is waited for first; the sequence is read after that, whatever the snapshot.
_CURRENT = sa.text(
    "WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:key) AS one) "
    "SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM revision WHERE held.one IS NOT NULL) "
    "FROM held"
).bindparams(key=REVISION_LOCK)

# One statement; a volatile subquery is neither pulled up nor left out, so the lock comes first.
_HELD = sa.select(sa.func.pg_advisory_xact_lock(REVISION_LOCK)).offset(0).subquery()
_NEXT = sa.select(tables.revision.next_value()).select_from(_HELD)
# The same as a value within a statement: taken once, when the first row that gets it is about to be written.
NEXT = _NEXT.scalar_subquery()


def next_revision(connection: sa.Connection) -> int:
    """The next revision, for a row that this transaction changes.

    Take it last, with all rows already locked or written: every other writer
    waits until this transaction ends.
    """
    return int(connection.scalar(_NEXT) or 0)


def current_revision(connection: sa.Connection) -> int:
    """The newest revision, when all up to it are committed and visible to the next statement."""
    return int(connection.scalar(_CURRENT) or 0)
