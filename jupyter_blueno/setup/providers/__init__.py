"""Where a cluster comes from: each a small description of the provider's own command line."""

from __future__ import annotations

from importlib import import_module

from jupyter_blueno.setup.providers.base import Provider, Size

NAMES = ("kind", "minikube", "k3s", "gke", "aks", "eks")


def provider(name: str, size: Size) -> Provider:
    """The provider of a name."""
    module = import_module(f"jupyter_blueno.setup.providers.{name}")
    made: Provider = module.Here(size)
    return made
