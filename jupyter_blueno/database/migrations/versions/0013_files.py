"""Files that jobs wrote. Frozen: never edited after release."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE job_file (
            job_id text NOT NULL REFERENCES job (id) ON DELETE CASCADE,
            path text NOT NULL,
            PRIMARY KEY (job_id, path)
        )
        """
    )
    op.execute("CREATE INDEX job_file_path ON job_file USING hash (path)")
