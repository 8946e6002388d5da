"""A Lab whose database is killed, and a database whose Lab is."""

from __future__ import annotations

import signal

import psutil

from jupyter_blueno.api.catalog import CreateDataset, ListDatasets, create_dataset, list_datasets
from jupyter_blueno.database import keeper
from tests.database.clients import servers_of, wait_until
from tests.servers import Lab


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
