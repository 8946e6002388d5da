"""Which platform is meant: found, chosen, found again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.client import session
from jupyter_blueno.client.transport import Http, InProcess
from jupyter_blueno.config import Config
from tests.servers import TOKEN, Lab


@pytest.fixture(autouse=True)
def nowhere(module_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that sees no running server."""
    for name, value in module_config.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    session.close()
    yield
    session.close()


def _nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_without_a_server_it_is_this_process() -> None:
    assert blueno.datasets() == []
    assert isinstance(session.connect(), InProcess)


def test_a_server_that_went_away_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_current", Http(_nobody(), "token"))
    assert blueno.datasets() == []
    assert isinstance(session.connect(), InProcess)


def test_a_chosen_server_that_went_away_is_an_error() -> None:
    session.use(transport=Http(_nobody(), "token"))
    with pytest.raises(errors.Unavailable, match="Is JupyterLab running"):
        blueno.datasets()


def test_a_server_is_found_by_its_files(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "BLUENO_HOME"):
        monkeypatch.setenv(name, lab.environment[name])
    found = session.connect()
    assert isinstance(found, Http)
    assert found.url.endswith(f":{lab.port}")
    assert session.home() == lab.home
    assert TOKEN not in repr(found)


def test_a_server_of_another_data_folder_is_not_meant(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", lab.environment["JUPYTER_RUNTIME_DIR"])
    assert isinstance(session.connect(), InProcess)
    monkeypatch.setenv("JPY_PARENT_PID", str(lab.process.pid if lab.process else 0))
    session.close()
    assert isinstance(session.connect(), Http)  # but a kernel means the server that started it


def test_use_takes_the_address_from_the_browser(lab: Lab) -> None:
    blueno.use(f"{lab.url}/lab?token={TOKEN}")
    assert isinstance(blueno.datasets(), list)
    with pytest.raises(errors.BluenoError):
        blueno.use(lab.url, token="wrong")
    with pytest.raises(errors.Unavailable):
        blueno.use(_nobody())
    assert isinstance(session.connect(), Http)
    blueno.use("here")
    assert isinstance(session.connect(), InProcess)
