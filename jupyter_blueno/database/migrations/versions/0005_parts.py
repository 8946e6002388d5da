"""Jobs that are parts of others, and lists without them. Frozen: never edited after release."""

from alembic import op

revision = "0005"
down_revision = "0004"

_PAGE = "created_at DESC, id DESC"
_LISTED = "WHERE deleted_at IS NULL AND parent IS NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE job ADD COLUMN parent text")
    for name in ("job_recent", "job_state", "job_notebook"):
        op.execute(f"DROP INDEX {name}")
    op.execute(f"CREATE INDEX job_recent ON job (team, {_PAGE}) INCLUDE (name) {_LISTED}")
    op.execute(f"CREATE INDEX job_state ON job (team, state, {_PAGE}) {_LISTED}")
    notebook = "(spec['origin'] ->> 'notebook')"
    op.execute(f"CREATE INDEX job_notebook ON job (team, {notebook}, {_PAGE}) {_LISTED}")
    op.execute(
        f"CREATE INDEX job_parent ON job (parent, {_PAGE}) WHERE deleted_at IS NULL AND parent IS NOT NULL"
    )
