"""Values of samples that jobs computed. Frozen: never edited after release."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE result_column (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            dataset_id bigint NOT NULL REFERENCES dataset ON DELETE CASCADE,
            name text NOT NULL,
            type text NOT NULL,
            owner text NOT NULL,
            job_id text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT result_column_name UNIQUE (dataset_id, name)
        )
    """)
    op.execute("""
        CREATE TABLE result_value (
            column_id bigint NOT NULL REFERENCES result_column ON DELETE CASCADE,
            ordinal integer NOT NULL,
            number double precision,
            text text,
            PRIMARY KEY (column_id, ordinal)
        )
    """)
    for kind in ("number", "text"):
        op.execute(
            f"CREATE INDEX result_{kind} ON result_value (column_id, {kind}, ordinal) WHERE {kind} IS NOT NULL"
        )
