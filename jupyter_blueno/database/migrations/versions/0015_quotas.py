"""What jobs and notebooks hold of a quota. Frozen: never edited after release."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE job ADD COLUMN held jsonb")
    op.execute(
        """
        CREATE TABLE notebook (
            team text NOT NULL,
            owner text NOT NULL,
            server text NOT NULL,
            profile text NOT NULL,
            cpu double precision NOT NULL,
            memory double precision NOT NULL,
            gpu integer NOT NULL,
            since timestamptz NOT NULL DEFAULT now(),
            seen_at timestamptz,
            busy double precision,
            busy_at timestamptz,
            used_at timestamptz,
            PRIMARY KEY (team, owner, server)
        )
        """
    )
    op.execute("ALTER TABLE notebook ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notebook FORCE ROW LEVEL SECURITY")
    said = "(SELECT current_setting('blueno.team', true))"
    op.execute(f"CREATE POLICY of_team ON notebook USING (team = {said} OR {said} = '*')")
