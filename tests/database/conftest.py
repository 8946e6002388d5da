"""An embedded server of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from tests.database.clients import CREATE, kill, servers_of


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever runs in it is ended afterwards."""
    folder = tmp_path / "home"
    yield folder
    kill(servers_of(folder))


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    """A database on the embedded server of `home`, with one dataset in it."""
    opened = Database(Config(home=str(home), database_url=""))
    with opened.begin() as connection:
        connection.execute(CREATE, {"name": "kept"})
    yield opened
    opened.close()
