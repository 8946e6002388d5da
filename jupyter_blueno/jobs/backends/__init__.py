"""Where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.jobs.backends.base import Backend


def of(config: Config) -> Backend:
    """The backend that the settings name."""
    if config.jobs_backend == "kubernetes":
        from jupyter_blueno.jobs.backends.kubernetes.backend import KubernetesBackend

        return KubernetesBackend(config)
    from jupyter_blueno.jobs.backends.local import LocalBackend

    return LocalBackend(config)
