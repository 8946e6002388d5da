"""The verbs, spoken to a platform in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.client import session
from jupyter_blueno.config import Config


@pytest.fixture(scope="module")
def here(module_config: Config) -> Iterator[None]:
    """alice, on a platform of the module's own."""
    platform = Platform(module_config)
    session.use(transport=Context(platform, User("alice")))
    yield
    session.use()
    platform.close()
