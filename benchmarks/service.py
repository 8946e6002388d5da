"""A hub's service under two hundred Labs: each waits for changes, and looks at its jobs now and then.

The hub is a stand-in that says whose a token is; service and PostgreSQL are the real ones, and the
service's role is bound by the policies of the tables, as in the chart.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import sqlalchemy as sa
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.api.operation import PREFIX
from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.hub.database import prepare

TEAMS, PEOPLE = 20, 10  # in each
LOOKS = 5.0  # seconds between looks of one person
WARM = 10.0  # seconds
SECONDS = 15.0
SCOPE = "access:services!service=blueno"


def measure() -> list[Figure]:
    with _service() as (url, pid):
        quiet = _Load(url, pid).run(changes=False)
        busy = _Load(url, pid).run(changes=True)
    return [
        Figure(
            f"service: {TEAMS * PEOPLE} Labs wait, nothing changes: a list of jobs",
            spread(quiet.times),
            f"{100 * quiet.share:.0f} % of a core",
            "p95 ≤ 25 ms",
            1000 * percentile(quiet.times, 95) <= 25,
        ),
        Figure(
            f"service: {TEAMS * PEOPLE} Labs wait, {TEAMS / 2:.0f} changes a second: a list of jobs",
            spread(busy.times),
            f"{100 * busy.share:.0f} % of a core, {busy.told / SECONDS:.0f} answers of changes a second",
            "p95 ≤ 25 ms",
            1000 * percentile(busy.times, 95) <= 25,
        ),
    ]


class _Load:
    """People who ask, for a while; what waits and writes is in another process than what is timed."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid
        self.times: list[float] = []
        self.told = 0
        self.share = 0.0

    def run(self, changes: bool) -> _Load:
        """Warm up, measure, end."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
            others = processes.submit(_wait_and_write, self.url, changes)
            asyncio.run(self._look())
            self.told = others.result()
        return self

    async def _look(self) -> None:
        people = _People(self.url)
        tasks = [asyncio.create_task(self._looks(people, one)) for one in people.names]
        await asyncio.sleep(WARM)
        self.times.clear()
        used, began = self._used(), time.monotonic()
        await asyncio.sleep(SECONDS)
        self.share = (self._used() - used) / (time.monotonic() - began)
        await people.go(tasks)

    async def _looks(self, people: _People, who: str) -> None:
        await asyncio.sleep(random.random() * LOOKS)
        while True:
            began = time.monotonic()
            await people.ask(who, "/jobs?limit=50")
            self.times.append(time.monotonic() - began)
            await asyncio.sleep(LOOKS)

    def _used(self) -> float:
        """CPU seconds of the service."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _People:
    """Two hundred, each with a token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.names = [f"{team}-{person}" for team in range(TEAMS) for person in range(PEOPLE)]
        self.told = 0
        self._client = AsyncHTTPClient(force_instance=True, max_clients=2 * TEAMS * PEOPLE)

    async def go(self, tasks: list[asyncio.Task[None]]) -> None:
        """End what they do."""
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._client.close()

    async def waits(self, who: str) -> None:
        """As a Lab does."""
        since = (await self.ask(who, "/changes"))["revision"]
        while True:
            since = (await self.ask(who, f"/changes?since={since}&wait=25"))["revision"]
            self.told += 1

    async def writes(self, who: str) -> None:
        """What all of the team hear of."""
        await asyncio.sleep(2 * random.random())
        while True:
            await self.ask(who, "/datasets", {"name": uuid.uuid4().hex})
            await asyncio.sleep(2)

    async def ask(self, who: str, path: str, body: object = None) -> dict[str, int]:
        """One request."""
        content = None if body is None else json.dumps(body)
        headers = {"Authorization": f"token {who}", "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        request = HTTPRequest(self.url + PREFIX + path, method, headers, content, request_timeout=60)
        while True:
            try:
                answer = await self._client.fetch(request)
                found: dict[str, int] = json.loads(answer.body)
                return found
            except (HTTPClientError, OSError):
                await asyncio.sleep(0.2)  # a team's first request opens its platform


def _wait_and_write(url: str, changes: bool) -> int:
    """How many answers of changes there were while was measured."""

    async def run() -> int:
        people = _People(url)
        tasks = [asyncio.create_task(people.waits(one)) for one in people.names]
        if changes:
            tasks += [asyncio.create_task(people.writes(f"{team}-0")) for team in range(TEAMS)]
        await asyncio.sleep(WARM)
        people.told = 0
        await asyncio.sleep(SECONDS)
        await people.go(tasks)
        return people.told

    return asyncio.run(run())


class _Hub(BaseHTTPRequestHandler):
    """Says of a token ``3-7`` that it is the seventh person of the third team."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.headers.get("Authorization", "").rpartition(" ")[2]
        groups = [f"team{name.partition('-')[0]}"]
        model = {"kind": "user", "name": f"person{name}", "groups": groups, "scopes": [SCOPE], "admin": False}
        body = json.dumps(model).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said."""


@contextmanager
def _service() -> Iterator[tuple[str, int]]:
    """The service's address and process."""
    volume = Path(tempfile.mkdtemp(prefix="blueno-service-"))
    server = EmbeddedServer(volume / "postgres")
    admin = sa.make_url(server.start())
    owner, role = (admin.set(username=name, password=name) for name in ("owner", "service"))
    engine = sa.create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE owner LOGIN PASSWORD 'owner'")
        connection.exec_driver_sql("CREATE DATABASE service OWNER owner")
    engine.dispose()
    owner, role = owner.set(database="service"), role.set(database="service")
    prepare(role, owner, admin)
    hub = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "BLUENO_DATABASE_URL": role.render_as_string(hide_password=False),
        "BLUENO_VOLUME": str(volume),
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.server_port}/hub/api",
        "JUPYTERHUB_API_TOKEN": "of-the-service",
        "JUPYTERHUB_SERVICE_NAME": "blueno",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/blueno/",
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
    }
    with open(volume / "service.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_blueno.hub"], env={**os.environ, **told}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}/services/blueno"
    deadline = time.monotonic() + 60
    try:
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"{url}/health", timeout=2).close()
                break
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError((volume / "service.log").read_text()[-2000:])
            time.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(60)
        hub.shutdown()
        server.release()
        shutil.rmtree(volume, ignore_errors=True)
