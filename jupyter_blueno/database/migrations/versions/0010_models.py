"""Versions of models. Frozen: never edited after release."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE model_version (
            team text NOT NULL,
            name text NOT NULL,
            version integer NOT NULL,
            job_id text,
            about jsonb NOT NULL DEFAULT '{}'::jsonb,
            deleted_at timestamptz,
            revision bigint NOT NULL DEFAULT nextval('revision'),
            PRIMARY KEY (team, name, version)
        )
        """
    )
    op.execute("CREATE INDEX model_version_job ON model_version (job_id) WHERE job_id IS NOT NULL")
    op.execute("CREATE INDEX model_version_revision ON model_version (revision)")
