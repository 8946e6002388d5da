"""Pages of the job list come from indexes alone. Frozen: never edited after release."""

from alembic import op

revision = "0004"
down_revision = "0003"

_PAGE = "created_at DESC, id DESC"
_LISTED = "WHERE deleted_at IS NULL"


def upgrade() -> None:
    op.execute("DROP INDEX job_recent")
    op.execute(f"CREATE INDEX job_recent ON job (team, {_PAGE}) INCLUDE (name) {_LISTED}")
    op.execute(f"CREATE INDEX job_state ON job (team, state, {_PAGE}) {_LISTED}")
    notebook = "(spec['origin'] ->> 'notebook')"
    op.execute(f"CREATE INDEX job_notebook ON job (team, {notebook}, {_PAGE}) {_LISTED}")
