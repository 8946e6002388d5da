"""PostgreSQL: tables, migrations, and the embedded server of a laptop."""
