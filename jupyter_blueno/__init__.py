"""From a dataset to a trained model without leaving JupyterLab.

``import jupyter_blueno as blueno`` costs nothing: each public name is loaded
from its room on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyter_blueno._version import __version__

if TYPE_CHECKING:
    from jupyter_blueno.client.platform import PlatformClient as PlatformClient
    from jupyter_blueno.errors import BluenoError as BluenoError
    from jupyter_blueno.errors import PlatformError as PlatformError

# Public name → module that defines it. A name becomes public on purpose: here.
_PUBLIC = {
    "BluenoError": "jupyter_blueno.errors",
    "PlatformError": "jupyter_blueno.errors",
    "PlatformClient": "jupyter_blueno.client.platform",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """Add ``%blueno`` and ``%%blueno`` to `shell` (called by ``%load_ext``)."""
    import_module("jupyter_blueno.magics").register(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-blueno"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_blueno.server.app import BluenoExtension

    return [{"module": "jupyter_blueno", "app": BluenoExtension}]
