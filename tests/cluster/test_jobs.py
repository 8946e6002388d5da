"""The contract of every backend, with jobs that are pods."""

from __future__ import annotations

import pytest

from jupyter_blueno.jobs.testing import BackendContract
from tests.cluster.jobs import another_manager, folder, manager, space

__all__ = ["another_manager", "folder", "manager", "space"]


@pytest.mark.slow
class TestKubernetesBackend(BackendContract):
    pass
