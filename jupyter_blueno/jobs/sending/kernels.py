"""Which Python a notebook's kernel is: the notebook names it, Jupyter's folders say how it starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_blueno.errors import InvalidInput

OURS = {"", "python", "python3"}  # what every notebook is called whose author chose nothing
_PYTHON = re.compile(r"python[\d.]*")


def python_of(notebook: Any) -> str | None:
    """The interpreter of the kernel that a notebook names; None where it names none in particular.

    Parameters
    ----------
    notebook : dict
        As in its file.

    Raises
    ------
    InvalidInput
        ``kernel_not_found``: there is no such kernel here, or no Python starts it.
    """
    metadata = notebook.get("metadata")
    asked = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    asked = asked if isinstance(asked, dict) else {}
    name = str(asked.get("name") or "").lower()
    if name in OURS:
        return None
    installed = dict(_installed())
    title = str(asked.get("display_name") or name)[:80]
    called = f"'{name[:80]}'" if title.lower() == name else f"'{title}' ({name[:80]})"
    if name not in installed:
        there = f" There are {', '.join(sorted(installed)[:8])}." if installed else ""
        raise InvalidInput(
            f"The notebook asks for the kernel {called}, which is not here.{there} Say which Python is to "
            "run it (python='…', its path or its environment), give its packages (requirements='…'), or "
            "choose another kernel in the notebook and save it.",
            code="kernel_not_found",
        )
    program = str((installed[name].get("argv") or [""])[0])
    found = sys.executable if _PYTHON.fullmatch(program) else shutil.which(program)
    if found is None or not _PYTHON.fullmatch(os.path.basename(program)):
        raise InvalidInput(
            f"The notebook's kernel {called} is started by '{program[:80]}', which is no Python that is "
            "here. Say which one is to run the notebook: python='…', its path or its environment.",
            code="kernel_not_found",
        )
    return found


def _installed() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kernels by name; of two that are called the same, the one that Jupyter takes comes last."""
    from jupyter_core.paths import jupyter_path

    for folder in reversed(jupyter_path("kernels")):
        for file in sorted(Path(folder).glob("*/kernel.json")):
            try:
                said = json.loads(file.read_text("utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(said, dict):
                yield file.parent.name.lower(), said
