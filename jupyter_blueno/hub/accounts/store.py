"""Invitations and departures, in the hub's database."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from jupyter_blueno.people.model import Departure, Invitation

METADATA = sa.MetaData()
INVITATION = sa.Table(
    "blueno_invitation",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("token", sa.String(64), nullable=False, unique=True),  # its SHA-256
    sa.Column("team", sa.String(255)),
    sa.Column("person", sa.String(255)),
    sa.Column("admin", sa.Boolean, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("made_by", sa.String(255), nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),  # UTC, as all of the hub's
    sa.Column("expires_at", sa.DateTime),
    sa.Column("revoked_at", sa.DateTime),
)
USE = sa.Table(
    "blueno_invitation_use",
    METADATA,
    sa.Column("invitation", sa.ForeignKey(INVITATION.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("person", sa.String(255), primary_key=True, index=True),
    sa.Column("at", sa.DateTime, nullable=False),
)
DEPARTURE = sa.Table(
    "blueno_departure",
    METADATA,
    sa.Column("person", sa.String(255), primary_key=True),
    sa.Column("by", sa.String(255), nullable=False),
    sa.Column("teams", sa.JSON, nullable=False),
    sa.Column("heir", sa.String(255)),
    sa.Column("cancel", sa.Boolean, nullable=False),
    sa.Column("archive", sa.String(255), nullable=False),
    sa.Column("begun_at", sa.DateTime, nullable=False),
    sa.Column("done_at", sa.DateTime),
)
KEPT = timedelta(days=90)  # so long what is over is listed


def create(db: Any) -> None:
    """Make the tables, unless they are there."""
    METADATA.create_all(db.connection())
    db.commit()


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def add(db: Any, token: str | None = None, **values: Any) -> tuple[str, str]:
    """Write an invitation down; returns its id and its token, which is kept nowhere.

    With a `token` that was given before, nothing is changed: an operator's is
    told again with each start of the hub.
    """
    token = token or secrets.token_urlsafe(24)
    digest = _digest(token)
    if _by_token(db, digest) is None:
        row = {"id": secrets.token_hex(8), "token": digest, "made_at": now(), **values}
        db.execute(sa.insert(INVITATION).values(row))
        db.commit()
    return _by_token(db, digest).id, token


def find(db: Any, token: str) -> Invitation | None:
    """The invitation of a token, whatever its state."""
    row = _by_token(db, _digest(token))
    return None if row is None else _invitation(db, row)


def get(db: Any, invitation: str) -> Invitation | None:
    row = db.execute(sa.select(INVITATION).where(INVITATION.c.id == invitation)).first()
    return None if row is None else _invitation(db, row)


def listed(db: Any) -> list[Invitation]:
    """The newest first; what has been over for long is left out."""
    rows = db.execute(
        sa.select(INVITATION)
        .where(sa.or_(INVITATION.c.expires_at.is_(None), INVITATION.c.expires_at > now() - KEPT))
        .order_by(INVITATION.c.made_at.desc())
    )
    return [_invitation(db, row) for row in rows.fetchall()]


def admits(db: Any, token: str, person: str) -> Invitation | None:
    """The invitation, if this person may come in by it, or did."""
    found = find(db, token)
    if found is None or (found.person is not None and found.person != person):
        return None
    return found if found.state == "open" or (person in found.uses and found.state == "used") else None


def use(db: Any, invitation: Invitation, person: str) -> None:
    """Count a use, once for each person; whoever calls commits."""
    if person not in invitation.uses:
        row = {"invitation": invitation.id, "person": person, "at": now()}
        db.execute(sa.insert(USE).values(row))


def came_by_invitation(db: Any, person: str, as_admin: bool = False) -> bool:
    """Whether somebody was let in, or was so by an administrator's link."""
    found = sa.select(USE.c.at).join(INVITATION).where(USE.c.person == person)
    if as_admin:
        found = found.where(INVITATION.c.admin)
    return db.execute(found).first() is not None


def revoke(db: Any, invitation: str) -> bool:
    known = sa.and_(INVITATION.c.id == invitation, INVITATION.c.revoked_at.is_(None))
    done = db.execute(sa.update(INVITATION).where(known).values(revoked_at=now()))
    db.commit()
    return bool(done.rowcount)


def departure(db: Any, person: str) -> Any:
    """The row of somebody who left, or is leaving."""
    return db.execute(sa.select(DEPARTURE).where(DEPARTURE.c.person == person)).first()


def departures(db: Any) -> list[Any]:
    return list(db.execute(sa.select(DEPARTURE).order_by(DEPARTURE.c.begun_at.desc())))


def depart(db: Any, person: str, **values: Any) -> None:
    """Write a departure down, and forget how they came; whoever calls commits."""
    db.execute(sa.insert(DEPARTURE).values(person=person, begun_at=now(), **values))
    db.execute(sa.delete(USE).where(USE.c.person == person))
    db.execute(
        sa.update(INVITATION)
        .where(INVITATION.c.person == person, INVITATION.c.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def departed(db: Any, person: str) -> None:
    """Note that nothing is left to do."""
    gone = sa.and_(DEPARTURE.c.person == person, DEPARTURE.c.done_at.is_(None))
    db.execute(sa.update(DEPARTURE).where(gone).values(done_at=now()))
    db.commit()


def readmit(db: Any, person: str) -> bool:
    done = db.execute(sa.delete(DEPARTURE).where(DEPARTURE.c.person == person))
    db.commit()
    return bool(done.rowcount)


def departure_of(row: Any, server: bool, account: bool) -> Departure:
    return Departure(
        person=row.person,
        by=row.by,
        teams=row.teams,
        begun_at=_aware(row.begun_at),
        archive=row.archive,
        heir=row.heir,
        cancel=row.cancel,
        server=server,
        account=account,
        done_at=_aware(row.done_at),
    )


def _by_token(db: Any, digest: str) -> Any:
    return db.execute(sa.select(INVITATION).where(INVITATION.c.token == digest)).first()


def _invitation(db: Any, row: Any) -> Invitation:
    used = sa.select(USE.c.person).where(USE.c.invitation == row.id).order_by(USE.c.at)
    uses = list(db.execute(used).scalars())
    state = "open"
    if row.revoked_at is not None:
        state = "revoked"
    elif len(uses) >= row.times:
        state = "used"
    elif row.expires_at is not None and row.expires_at <= now():
        state = "expired"
    return Invitation(
        id=row.id,
        made_by=row.made_by,
        made_at=_aware(row.made_at),
        times=row.times,
        uses=uses,
        state=state,  # type: ignore[arg-type]
        team=row.team,
        person=row.person,
        admin=row.admin,
        expires_at=_aware(row.expires_at),
    )


def _aware(at: Any) -> Any:
    return None if at is None else at.replace(tzinfo=UTC)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
