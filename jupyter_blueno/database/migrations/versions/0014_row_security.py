"""A transaction sees the rows of one team. Frozen: never edited after release."""

from alembic import op

revision = "0014"
down_revision = "0013"

OF_TEAMS = ("dataset", "job", "schedule", "sweep", "flow", "model_version", "secret", "audit")
# Many rows at once: the ids of a team's datasets are listed once for each statement, and indexes use the list.
DATASETS = "dataset_id = ANY (ARRAY(SELECT dataset.id FROM dataset))"
OF_DATASETS = {
    "version": DATASETS,
    "sample": DATASETS,
    "annotation": DATASETS,
    "result_column": DATASETS,
    "result_value": "column_id = ANY (ARRAY(SELECT result_column.id FROM result_column))",
    "job_input": DATASETS,
}
OF_OTHERS = {
    "job_file": "SELECT FROM job WHERE job.id = job_file.job_id",
    "firing": "SELECT FROM schedule WHERE schedule.id = firing.schedule_id",
    "trial": "SELECT FROM sweep WHERE sweep.id = trial.sweep_id",
    "flow_part": "SELECT FROM flow WHERE flow.id = flow_part.flow_id",
}
SAID = "(SELECT current_setting('blueno.team', true))"  # once for each statement, not for each row


def upgrade() -> None:
    # Under a policy an index on what a function gives is not used, unless the function keeps secrets.
    op.execute("ALTER TABLE job ADD notebook text GENERATED ALWAYS AS (spec['origin'] ->> 'notebook') STORED")
    op.execute("DROP INDEX job_notebook")
    op.execute(
        "CREATE INDEX job_notebook ON job (team, notebook, created_at DESC, id DESC) "
        "WHERE deleted_at IS NULL AND parent IS NULL"
    )
    for table in OF_TEAMS:
        _guard(table, f"team = {SAID} OR {SAID} = '*'")
    for table, rule in OF_DATASETS.items():
        _guard(table, rule)
    for table, other in OF_OTHERS.items():
        _guard(table, f"{SAID} = '*' OR EXISTS ({other})")


def _guard(table: str, rule: str) -> None:
    op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')  # for the owner, too
    op.execute(f'CREATE POLICY of_team ON "{table}" USING ({rule})')
