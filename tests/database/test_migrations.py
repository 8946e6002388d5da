"""The migrations make exactly the tables that the code talks about."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from jupyter_blueno.api.context import Context
from jupyter_blueno.database.hubs import metadata  # with the tables of both


def test_migrated_schema_equals_tables(context: Context) -> None:
    with context.database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
