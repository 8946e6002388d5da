"""Calls something right after a module was imported by anybody. Standard library only."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


class AfterImport:  # importing importlib.abc to inherit from takes 10 ms
    """A finder that finds nothing itself: it lends its ears to those that do.

    Parameters
    ----------
    then : dict
        By full name of a module, what is called with it, once.
    """

    def __init__(self, then: dict[str, Callable[[ModuleType], object]]) -> None:
        self.then = then

    def install(self) -> None:
        """Be asked first from now on; what is there already is told at once."""
        for name in list(self.then):
            if name in sys.modules:
                self.then.pop(name)(sys.modules[name])
        if self.then:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.then:
            return None
        then = self.then.pop(name)  # before the others are asked: they may import
        for finder in list(sys.meta_path):
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, then)  # type: ignore[assignment]
                return spec
        self.then[name] = then  # it may be installed later
        return None


class _Loader:
    """The loader of a module, and what comes after it."""

    def __init__(self, loader: Any, then: Callable[[ModuleType], object]) -> None:
        self.loader = loader
        self.then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.then(module)
