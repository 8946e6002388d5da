"""A real JupyterHub: proxy, hub, Blueno's service, and people's servers as processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.client.transport import TEAM_HEADER, Beside, Http
from jupyter_blueno.config import Config
from tests.hub.proxy import proxy
from tests.postgres import of_service

TOKEN = "a-token-of-the-tests-themselves-0123456789"
GROUPS = {
    "radiology": ["alice", "bob"],
    "pathology": ["carol"],
    "small": ["erin", "frank", "gina"],
    "brief": ["henry", "ivy", "jack"],
}
QUOTAS = {
    "teams": {
        "small": {"team": {"cpu": 2}, "person": {"cpu": 1.5}},
        "brief": {"team": {"storage": "30M"}, "person": {"storage": "20M"}},
        "team": {"team": {"cpu": 200}, "person": {"cpu": 100}},
    }
}
SERVICE_TOKEN = "a-token-of-the-service-for-tests"


@dataclass
class Hub:
    """A running JupyterHub."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    opened: list[Beside] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.port + 3}/services/blueno"

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub itself, as an administrator."""
        request = urllib.request.Request(
            f"{self.url}/hub/api{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {TOKEN}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def raw_api(self, token: str | None, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Status and answer of what the hub says to Blueno's service, asked with any token."""
        headers = {"Authorization": f"token {token}"} if token else {}
        told = None if body is None else json.dumps(body).encode()
        address = f"{self.url}/hub/api/blueno{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address, told, headers, method=method), timeout=60
            ) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def sign_in(self, name: str) -> str:
        """Make the person known; a token of theirs that may do what they may."""
        try:
            self.api("POST", f"/users/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
        token: str = self.api("POST", f"/users/{name}/tokens", {"note": "test"})["token"]
        return token

    def start_server(self, name: str) -> None:
        """Start the person's notebook server and wait until it answers."""
        with contextlib.suppress(urllib.error.HTTPError):  # another test has started it
            self.api("POST", f"/users/{name}/server")
        deadline = time.monotonic() + 120
        while not (self.api("GET", f"/users/{name}")["servers"] or {}).get("", {}).get("ready"):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def asks(self, token: str, team: str | None = None) -> Http:
        """The service, asked directly."""
        return Http(self.service, token, headers={} if team is None else {TEAM_HEADER: team})

    def beside(self, name: str, team: str = "radiology") -> Beside:
        """The service, asked as the person's notebook server asks: what reads files is done here."""
        home = self.volume / "home" / name
        home.mkdir(parents=True, exist_ok=True)
        folder = str(self.volume / "teams" / team)
        config = Config(home=folder, roots=[str(home)], service_url=self.service, team=team)
        service = self.asks(self.sign_in(name), team)
        at = Beside(service, Context(Platform(config), User(name, team), service))
        self.opened.append(at)
        return at

    def server_of(self, name: str, token: str) -> Http:
        """The person's own server."""
        return Http(f"{self.url}/user/{name}", token)

    def log(self) -> str:
        return (self.folder / "hub.log").read_text()[-4000:]


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory, postgres: sa.Engine) -> Iterator[Hub]:
    """A hub with two teams: radiology (alice, bob) and pathology (carol); dave is in none.

    The team small (erin, frank) has a quota. In brief, henry's servers do not start.
    """
    with started_hub(tmp_path_factory.mktemp("hub"), postgres, "hub", groups=GROUPS) as started:
        yield started


@contextlib.contextmanager
def started_hub(folder: Path, postgres: sa.Engine, name: str, **more: Any) -> Iterator[Hub]:
    """A hub whose service has the database `name`; `more` is told `configuration.py`."""
    port = _free_ports(4)
    with postgres.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))  # an earlier hub's
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy"))
    database = of_service(postgres.url.set(database=name)).render_as_string(hide_password=False)
    (folder / "quotas.json").write_text(json.dumps(QUOTAS))
    told = {
        "port": port,
        "folder": str(folder),
        "token": TOKEN,
        "groups": {},
        "authentication": {"authenticator_class": "dummy", "allow_all": True},
        "proxy": proxy(),
        "database": f"sqlite:///{folder}/hub.sqlite",
        "service": {
            "BLUENO_DATABASE_URL": database,
            "BLUENO_BELIEVED": "3",
            "BLUENO_QUOTAS": f"{folder}/quotas.json",
        },
        **more,
    }
    environment = {**os.environ, "HUB_UNDER_TEST": json.dumps(told)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    configuration = Path(__file__).with_name("configuration.py")
    with open(folder / "hub.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(configuration)],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    started = Hub(folder, port, process)
    deadline = time.monotonic() + 120
    for address in (f"{started.url}/hub/health", f"{started.service}/health"):
        while True:
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(started.log()) from None
                time.sleep(0.1)
    yield started
    for one in started.opened:
        one.close()
    for person in started.api("GET", "/users"):
        if person["server"]:
            started.api("DELETE", f"/users/{person['name']}/server")
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


def _free_ports(count: int) -> int:
    """The first of some ports in a row that nobody uses."""
    for _ in range(100):
        taken = []
        try:
            with socket.socket() as first:
                first.bind(("127.0.0.1", 0))
                port: int = first.getsockname()[1]
            for number in range(count):
                one = socket.socket()
                taken.append(one)
                one.bind(("127.0.0.1", port + number))
            return port
        except OSError:
            continue
        finally:
            for one in taken:
                one.close()
    raise RuntimeError("no ports are free")


@pytest.fixture
def nothing_looked_at(hub: Hub) -> None:
    """What the service did for other tests, as when somebody leaves, does not count."""
    (hub.folder / "looked-at").write_text("")
