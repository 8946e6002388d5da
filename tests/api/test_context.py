"""The parts of a process, asked for by many threads."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_blueno.api.context import Platform
from jupyter_blueno.config import Config
from jupyter_blueno.errors import Unavailable

PARTS = ("database", "decoders", "jobs")


@pytest.mark.parametrize("name", PARTS)
def test_threads_share_one_part(tmp_path: Path, name: str) -> None:
    count = 8
    together = threading.Barrier(count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(20):
            platform = Platform(Config(home=str(tmp_path / str(number))))

            def ask(platform: Platform = platform) -> object:
                together.wait()
                return getattr(platform, name)

            with ThreadPoolExecutor(count) as pool:
                asked = [pool.submit(ask) for _ in range(count)]
                assert len({id(one.result()) for one in asked}) == 1
            platform.close()
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("name", PARTS)
def test_a_closed_platform_makes_no_more_parts(config: Config, name: str) -> None:
    platform = Platform(config)
    with platform.database.begin():
        pass
    platform.close()
    with pytest.raises(Unavailable, match="stopping"):
        getattr(platform, name)
    platform.close()  # once more is nothing
