"""Flows and their steps. Frozen: never edited after release."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE flow (
            id text PRIMARY KEY,
            team text NOT NULL,
            owner text NOT NULL,
            digest text NOT NULL,
            resumes text,
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE TABLE flow_part (
            flow_id text NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
            position integer NOT NULL,
            number integer NOT NULL,
            step text NOT NULL,
            kind text NOT NULL,
            label text NOT NULL,
            needs text[] NOT NULL,
            takes text[] NOT NULL,
            mapped boolean NOT NULL,
            cache boolean NOT NULL,
            parameters jsonb NOT NULL DEFAULT '{}'::jsonb,
            work text NOT NULL,
            key text,
            earlier text,
            job_id text,
            reused boolean NOT NULL DEFAULT false,
            reason text,
            PRIMARY KEY (flow_id, position, number)
        )
        """
    )
    op.execute("CREATE INDEX flow_part_key ON flow_part (key) WHERE key IS NOT NULL AND NOT reused")
