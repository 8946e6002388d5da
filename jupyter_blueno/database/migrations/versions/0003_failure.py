"""Jobs say in parts why they failed. Frozen: never edited after release."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE job ADD COLUMN failure JSONB")
