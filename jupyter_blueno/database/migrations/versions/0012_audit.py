"""Who did what. Frozen: never edited after release."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE audit (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            team text NOT NULL,
            person text NOT NULL,
            job_id text,
            operation text NOT NULL,
            about text NOT NULL,
            code text
        )
        """
    )
    op.execute("CREATE INDEX audit_at ON audit (at)")
    op.execute("CREATE INDEX audit_person ON audit (person, id)")
