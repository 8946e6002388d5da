"""Jobs tell the newest values of what they measure. Frozen: never edited after release."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE job ADD COLUMN metrics JSONB")
