"""What the service's own connection sees: the rows of the team that it said, in every table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from jupyter_blueno.config import Config
from jupyter_blueno.database import tables
from jupyter_blueno.database.copy import Each, copy_columns
from jupyter_blueno.database.engine import Database, vacuum
from jupyter_blueno.database.hubs import metadata  # with the tables of both
from jupyter_blueno.errors import DatabaseUnavailable
from tests.postgres import of_service

ROWS = metadata.sorted_tables
NONE_OF_A_TEAM = {"alembic_version"}


def value_of(column: sa.Column[Any], team: str) -> Any:
    """Something that a column takes; of a key, what another team's row has not."""
    number = 1 + (team == "two")
    if column.name == "team":
        return team
    kinds: list[tuple[Any, Any]] = [
        (ARRAY, []),
        ((JSON, JSONB), {}),
        (sa.Boolean, False),
        (sa.DateTime, datetime.now(UTC)),
        (sa.Integer, number),
        (sa.Double, 0.5),
        (sa.LargeBinary, b""),
        (sa.Text, f"{team} {column.name}"),
    ]
    return next(value for kind, value in kinds if isinstance(column.type, kind))


def row_of(table: sa.Table, team: str, made: dict[str, Any]) -> dict[str, Any]:
    """A row of a table that belongs to a team, by the rows that it hangs on."""
    values = {}
    for column in table.c:
        if column.identity is not None or column.computed is not None:
            continue
        if column.foreign_keys:
            (key,) = column.foreign_keys
            if column.nullable and key.column.table is table:
                continue
            values[column.name] = getattr(made[key.column.table.name], key.column.name)
        elif not column.nullable and (column.server_default is None or column.name in ("added_in",)):
            values[column.name] = value_of(column, team)
    return values


class Shared(NamedTuple):
    """The service's connections to a database with a row of two teams in every table, and the rows."""

    service: Database
    rows: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def shared(module_config: Config) -> Iterator[Shared]:
    engine = sa.create_engine(module_config.database_url)
    rows: dict[str, dict[str, Any]] = {"one": {}, "two": {}}
    with engine.begin() as connection:
        for team, made in rows.items():
            for table in ROWS:
                inserted = sa.insert(table).values(row_of(table, team, made)).returning(table)
                made[table.name] = connection.execute(inserted).one()
    url = of_service(engine.url)
    engine.dispose()
    database = Database(Config(home=module_config.home, database_url=url.render_as_string(False)), team=None)
    yield Shared(database, rows)
    database.close()


def counted(database: Database) -> dict[str, int]:
    with database.begin() as connection:
        names = connection.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        every = sorted(set(names) - NONE_OF_A_TEAM)
        return {one: connection.scalar(sa.text(f'SELECT count(*) FROM "{one}"')) or 0 for one in every}


def test_each_team_sees_its_own_rows_in_every_table(shared: Shared) -> None:
    names = {one.name for one in ROWS}
    service = shared.service
    assert counted(service) == dict.fromkeys(names, 0)  # nobody said a team
    assert counted(service.of("one")) == dict.fromkeys(names, 1)
    assert counted(service.of("two")) == dict.fromkeys(names, 1)
    assert counted(service.of("three")) == dict.fromkeys(names, 0)
    assert counted(service.of_everybody) == dict.fromkeys(names, 2)


@pytest.mark.parametrize("table", ROWS, ids=lambda one: one.name)
def test_a_team_neither_reads_nor_changes_nor_adds_rows_of_another(shared: Shared, table: sa.Table) -> None:
    theirs = shared.rows["two"][table.name]
    key = {one.name: getattr(theirs, one.name) for one in table.primary_key.columns}
    of_them = sa.and_(*(table.c[name] == value for name, value in key.items()))
    one = next(column for column in table.c if column.identity is None)
    one_team = shared.service.of("one")
    with one_team.begin() as connection:
        assert connection.execute(sa.select(table).where(of_them)).first() is None
        if table.name != "audit":  # where nobody may change anything
            same = {one.name: getattr(theirs, one.name)}
            assert connection.execute(sa.update(table).where(of_them).values(same)).rowcount == 0
        assert connection.execute(sa.delete(table).where(of_them)).rowcount == 0
    again = row_of(table, "two", shared.rows["two"]) | {
        name: value
        for name, value in key.items()
        if not table.c[name].foreign_keys and not table.c[name].identity
    }
    with pytest.raises(DatabaseUnavailable, match="row-level security"), one_team.begin() as connection:
        connection.execute(sa.insert(table).values(again))


def test_every_way_to_a_connection_says_the_team(shared: Shared) -> None:
    names, one = sa.select(tables.dataset.c.team), shared.service.of("one")
    with one.autocommit() as connection:
        assert [list(connection.scalars(names)) for _ in range(2)] == [["one"]] * 2
    with one.connected() as connection:
        for _ in range(2):  # said again in each transaction
            assert list(connection.scalars(names)) == ["one"]
            connection.rollback()
    with one.begin() as connection:
        with suppress(sa.exc.ProgrammingError), connection.begin_nested():
            connection.execute(sa.text("SELECT nonsense"))
        assert list(connection.scalars(names)) == ["one"]
    # A connection forgets whose it was, however it is had next.
    for _ in range(3):
        with shared.service.engine.connect() as connection:
            assert list(connection.scalars(names)) == []


@pytest.mark.parametrize("team", ["it's", "a%(b)s%", "a\\b", "*'; RESET ROLE; --", "größe"])
def test_a_team_of_any_letters_is_no_more_than_a_name(shared: Shared, team: str) -> None:
    with shared.service.of(team).begin() as connection:
        said = connection.execute(sa.text("SELECT current_setting('blueno.team'), :x"), {"x": "%s"}).one()
        assert tuple(said) == (team, "%s")


def test_rows_come_in_by_lists_where_copy_is_refused(shared: Shared) -> None:
    one = shared.service.of("one")
    dataset_id = shared.rows["one"]["dataset"].id
    texts = ['a "b"', "c\\d", "{e,f}", "NULL", "tab\tline\n%s", "größe", ""]
    rows = {
        "dataset_id": dataset_id,
        "ordinal": Each(range(100, 107)),
        "added_in": 1,
        "name": Each(texts),
        "label": Each([None, *texts[1:]]),
        "attributes": Each([{"of": text} for text in texts]),
        "data_url": "file://x",
        "shape": Each([[1, 2, 3], None, [], [4], [5], [6], [7]]),
        "spacing": [0.5, 1e-9],
        "checksum": Each([b"\x00\xff", None, b"", b"\\", b'"', b"1", b"2"]),
        "bytes": Each([2**40, None, 0, 1, 2, 3, 4]),
    }
    with one.begin() as connection:
        copy_columns(connection, tables.sample, rows)
        copy_columns(
            connection,
            tables.sample,
            {**rows, "ordinal": Each([]), "name": Each([])}
            | dict.fromkeys(("label", "attributes", "shape", "checksum", "bytes"), Each([])),
        )
        found = connection.execute(
            sa.select(tables.sample).where(tables.sample.c.ordinal >= 100).order_by(tables.sample.c.ordinal)
        ).all()
        connection.rollback()
    for name, given in rows.items():
        expected = list(given.values) if isinstance(given, Each) else [given] * 7
        got = [getattr(row, name) for row in found]
        assert [bytes(value) if isinstance(value, memoryview) else value for value in got] == expected, name


def test_the_service_makes_no_tables_and_puts_no_record_right(shared: Shared) -> None:
    for said in (
        "CREATE TABLE another (a int)",
        "ALTER TABLE dataset DISABLE ROW LEVEL SECURITY",
        "DROP POLICY of_team ON dataset",
        "DROP TABLE secret",
        "TRUNCATE sample",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE audit SET person = 'somebody else'",
        "COPY dataset TO PROGRAM 'cat'",
        "SET ROLE pg_read_all_data",
    ):
        with pytest.raises(DatabaseUnavailable), shared.service.of_everybody.begin() as connection:
            connection.execute(sa.text(said))
    vacuum(shared.service.of("one"), tables.sample)
