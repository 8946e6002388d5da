"""A Lab whose database is killed, and a database whose Lab is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.api.catalog import CreateDataset, ListDatasets, create_dataset, list_datasets
from jupyter_blueno.database import keeper
from tests.database.clients import servers_of, wait_until
from tests.servers import Lab


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A Lab for one test, which may kill it."""
    running = Lab(root=tmp_path / "root", home=tmp_path / "home")
    running.root.mkdir()
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def test_both_killed_in_turn(own_lab: Lab) -> None:
    own_lab.transport.call(create_dataset, CreateDataset("kept"))
    servers = servers_of(own_lab.home)
    assert servers
    for process in servers:
        process.kill()
    psutil.wait_procs(servers, 10)
    found = own_lab.transport.call(list_datasets, ListDatasets()).datasets
    assert [one.name for one in found] == ["kept"]
    own_lab.stop(signal.SIGKILL)
    wait_until(lambda: not servers_of(own_lab.home), keeper.PERIOD + 20)
