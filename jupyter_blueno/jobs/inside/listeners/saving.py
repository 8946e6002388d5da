"""Files that libraries write in C, of which Python is not told: PyTorch, safetensors, HDF5, SimpleITK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_blueno.jobs.inside import written
from jupyter_blueno.jobs.inside.listeners import after

if TYPE_CHECKING:
    from types import ModuleType


def follow(module: ModuleType) -> None:
    """Note where each of its writers writes."""
    if module.__name__ == "torch.serialization":
        after(module, "save", "torch.save", lambda obj, f, *_, **__: written.note(f))
    elif module.__name__ == "safetensors.torch":
        after(module, "save_file", "safetensors", lambda tensors, filename, *_, **__: written.note(filename))
    elif module.__name__ == "SimpleITK.extra":
        after(module, "WriteImage", "SimpleITK", lambda image, file, *_, **__: written.note(file))
    else:
        after(module.File, "__init__", "h5py", _opened)


def _opened(file: Any, name: Any, mode: str = "r", *_: Any, **__: Any) -> None:
    if mode != "r":
        written.note(name.decode() if isinstance(name, bytes) else name)
