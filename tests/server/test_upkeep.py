"""A server starts light, and does its own work from the first request on."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

import psutil

from jupyter_blueno.api.catalog import ListDatasets, list_datasets
from jupyter_blueno.imaging import worker
from tests.database.clients import servers_of, wait_until
from tests.servers import TOKEN, Lab


def test_heavy_parts_wait_for_the_first_request(own_lab: Lab) -> None:
    urllib.request.urlopen(f"{own_lab.url}/lab?token={TOKEN}").close()
    assert not (own_lab.home / "postgres").exists()
    assert not decoders_of(own_lab)
    assert own_lab.transport.call(list_datasets, ListDatasets()).datasets == []
    assert servers_of(own_lab.home)
    wait_until(lambda: len(decoders_of(own_lab)) == 2, 30)


def test_a_server_is_ready_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys\n"
        "from jupyter_server.serverapp import ServerApp\n"
        "app = ServerApp()\n"
        "app.initialize(['--port=0', '--allow-root'])\n"
        "print(app.extension_manager.extensions['jupyter_blueno'].enabled)\n"
        "heavy = ('sqlalchemy', 'numpy', 'jupyter_blueno.jobs.manager')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True", "[]"]


def decoders_of(lab: Lab) -> list[psutil.Process]:
    assert lab.process is not None
    children = psutil.Process(lab.process.pid).children()
    return [one for one in children if worker.__name__ in one.cmdline()]
