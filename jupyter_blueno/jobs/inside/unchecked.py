"""Lets nbformat be imported without what checks notebooks against its schema.

That takes longer to load than all else that talks to a kernel, and each output
would be checked once more. It is loaded after all if somebody asks for a check.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

NAMES = ("jsonschema", "jsonschema.exceptions")


class CheckFailed(Exception):
    """Stands in for what jsonschema raises."""

    def __init__(self, message: str, **_: Any) -> None:
        super().__init__(message)


class _Later:
    """Stands in for a class until it is called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *values: Any, **named: Any) -> Any:
        import jsonschema  # type: ignore[import-untyped]

        return getattr(jsonschema, self.name)(*values, **named)


class Unchecked:
    """While this is entered, nbformat is imported so; elsewhere nothing changes."""

    def __enter__(self) -> None:
        self.ours = not any(name in sys.modules for name in ("jsonschema", "nbformat"))
        if not self.ours:
            return
        for name in NAMES:
            module: Any = ModuleType(name)
            module.Draft4Validator, module.ErrorTree = _Later("Draft4Validator"), _Later("ErrorTree")
            module.ValidationError = CheckFailed
            sys.modules[name] = module

    def __exit__(self, *_: object) -> None:
        if self.ours:
            for name in NAMES:
                sys.modules.pop(name, None)
