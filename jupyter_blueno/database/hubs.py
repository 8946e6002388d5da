"""Tables that only the service of a hub has rows in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Identity, Index, Integer, Table, Text, func

from jupyter_blueno.database.tables import metadata

# Notebook servers in the cluster, and what they hold of their team's quota.
notebook = Table(
    "notebook",
    metadata,
    Column("team", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("cpu", Double, nullable=False),
    Column("memory", Double, nullable=False),
    Column("gpu", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("seen_at", DateTime(timezone=True)),  # when its pod was seen first; NULL: it is on its way
    Column("busy", Double),  # the part of its GPUs' time that was used lately
    Column("busy_at", DateTime(timezone=True)),
    Column("used_at", DateTime(timezone=True)),  # when its GPUs were used last
)

# What people did, and jobs in their name, as a hub's service saw it.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("team", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("job_id", Text),
    Column("operation", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("code", Text),  # of the error, if it was refused
    Index("audit_at", "at"),
    Index("audit_person", "person", "id"),
)
