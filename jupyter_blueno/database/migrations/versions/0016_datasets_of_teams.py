"""What datasets a team has is looked up, however many others have. Frozen: never edited after release."""

from alembic import op

revision = "0016"
down_revision = "0015"

OF_DATASETS = ("version", "sample", "annotation", "result_column", "job_input")
SAID = "(SELECT current_setting('blueno.team', true))"
# Two lists, of which the second is not gone through unless all are meant: with an OR no index would be used.
DATASETS = (
    f"dataset_id = ANY (ARRAY(SELECT dataset.id FROM dataset WHERE dataset.team = {SAID} "
    f"UNION ALL SELECT dataset.id FROM dataset WHERE {SAID} = '*'))"
)


def upgrade() -> None:
    op.execute("CREATE INDEX dataset_team ON dataset (team, id)")
    for table in OF_DATASETS:
        op.execute(f'ALTER POLICY of_team ON "{table}" USING ({DATASETS})')
