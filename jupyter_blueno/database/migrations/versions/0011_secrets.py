"""Names of secrets. Frozen: never edited after release."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE secret (
            team text NOT NULL,
            name text NOT NULL,
            owner text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (team, name)
        )
        """
    )
