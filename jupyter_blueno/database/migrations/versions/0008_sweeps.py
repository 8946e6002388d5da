"""Sweeps and their trials. Frozen: never edited after release."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE sweep (
            id TEXT PRIMARY KEY,
            team TEXT NOT NULL,
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            digest TEXT NOT NULL,
            plan JSON NOT NULL,
            jobs TEXT[] NOT NULL,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE TABLE trial (
            sweep_id TEXT NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            job_id TEXT NOT NULL,
            parameters JSON NOT NULL,
            state TEXT NOT NULL DEFAULT 'open',
            value DOUBLE PRECISION,
            curve JSONB NOT NULL DEFAULT '[]'::jsonb,
            reason TEXT,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            revision BIGINT NOT NULL DEFAULT nextval('revision'),
            PRIMARY KEY (sweep_id, number)
        )
        """
    )
