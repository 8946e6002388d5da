"""Managers on a database and folder of the test's own; nothing of theirs outlives the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.jobs.manager import JobManager
from tests.managers import managers


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> Path:
    """The jobs' working folder: the root of the files."""
    place = tmp_path / "files"
    place.mkdir()
    config.roots = [str(place)]
    return place


@pytest.fixture
def another_manager(config: Config, folder: Path) -> Iterator[Callable[[], JobManager]]:
    with managers(config) as make:
        yield make


@pytest.fixture
def manager(another_manager: Callable[[], JobManager]) -> JobManager:
    return another_manager()
