"""A real PostgreSQL for the session; a fresh database and data folder for each test."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.config import Config
from jupyter_blueno.database.embedded import EmbeddedServer
from tests.browser import CHROMIUM_FLAGS, NO_GL, chromium
from tests.postgres import migrated
from tests.servers import Lab

os.environ.setdefault("BLUENO_RETRY_PAUSE", "0.2")  # of all that the tests start

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is longest: one process with the browser's tests, the next with the cluster's.

    Each process is given the same number of tests, in this order, and then
    takes from the end of who has most left: that is short tests, for long.
    """
    tests = Path(__file__).parent
    browser = _taken(items, lambda item: tests / "ui" in item.path.parents)
    cluster = _taken(items, lambda item: tests / "cluster" in item.path.parents)
    # One installation, in one process.
    cluster.sort(key=lambda item: "release" not in getattr(item, "fixturenames", ()))
    items[:0] = browser
    share = (len(items) + len(cluster)) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[share:share] = cluster


def _taken(items: list[pytest.Item], which: Callable[[pytest.Item], bool]) -> list[pytest.Item]:
    """Take these out of the list."""
    taken = [item for item in items if which(item)]
    items[:] = [item for item in items if not which(item)]
    return taken


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """The session's server, with a migrated database called ``template``."""
    server = EmbeddedServer(tmp_path_factory.mktemp("postgres"))
    with migrated(sa.make_url(server.start())) as admin:
        yield admin
    server.release()


@pytest.fixture
def config(postgres: sa.Engine, tmp_path: Path) -> Iterator[Config]:
    """Settings with an empty data folder and an empty database of its own."""
    with _config(postgres, tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module")
def module_config(postgres: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """The same, shared by the tests of a module that only read."""
    with _config(postgres, tmp_path_factory.mktemp("module") / "home") as made:
        yield made


@contextmanager
def _config(postgres: sa.Engine, home: Path) -> Iterator[Config]:
    name = f"test_{uuid.uuid4().hex}"
    with postgres.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE template STRATEGY file_copy'))
    url = postgres.url.set(database=name).render_as_string(hide_password=False)
    yield Config(home=str(home), database_url=url)
    with postgres.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def context(config: Config) -> Iterator[Context]:
    """A person called alice, on a platform of her own."""
    platform = Platform(config)
    yield Context(platform, User("alice"))
    platform.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab server for the session, on an empty data folder with the embedded database."""
    folder = tmp_path_factory.mktemp("lab")
    running = Lab(root=folder / "root", home=folder / "home")
    running.root.mkdir()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without a graphics card, as on a server."""
    started = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS + NO_GL)
    yield started
    started.close()


@pytest.fixture(scope="session")
def cached(browser: Browser) -> Iterator[BrowserContext]:
    """A context whose pages find Lab's files in the cache: half of what a page costs."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context
    context.close()


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A Lab for one test, which may kill it; nothing was asked of it yet."""
    running = Lab(root=tmp_path / "root", home=tmp_path / "home")
    running.root.mkdir()
    running.start()
    yield running
    running.stop(signal.SIGKILL)
