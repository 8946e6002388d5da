"""Run by alembic with the connection that `engine.migrate` hands over."""

from alembic import context

from jupyter_blueno.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
