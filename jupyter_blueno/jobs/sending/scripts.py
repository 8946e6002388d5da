"""Commands that run a Python script: what runs is the script as it was when the job was submitted."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from jupyter_blueno.jobs.model import JobSpec

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_FLAG = re.compile(r"-(u|O|OO|B|[WX].+)")


class Found(Struct, frozen=True):
    """Where a script lies, the interpreter that its command means, and its name in a snapshot."""

    python: str
    path: str
    name: str


@dataclass(frozen=True)
class Script:
    """``python [flags] path [arguments]``; `path` is absolute, `given` as it was written."""

    python: str
    flags: list[str]
    given: str
    path: Path
    name: str
    arguments: list[str]

    def plan(self) -> dict[str, Any]:
        """What the job's process needs to know: `name` is that in the snapshot."""
        return {"path": str(self.path), "name": self.name, "argv": [self.given, *self.arguments]}


def given(spec: JobSpec) -> str | None:
    """The path of a Python script as a command has it; None if it runs none."""
    if spec.kind != "command" or not spec.command or not _PYTHON.fullmatch(os.path.basename(spec.command[0])):
        return None
    rest = _after_flags(spec.command)
    return rest[0] if rest and rest[0].endswith(".py") else None


def of(spec: JobSpec, folder: str) -> Script | None:
    """The script that a command runs, if it is one that can be kept."""
    return at(spec, find(spec, folder))


def find(spec: JobSpec, folder: str) -> Found | None:
    """Where that script lies."""
    path_given = given(spec)
    python = None if path_given is None else shutil.which(spec.command[0])
    if python is None or path_given is None:
        return None
    path = Path(os.path.abspath(os.path.join(folder, os.path.expanduser(path_given))))
    if not path.is_file():
        return None
    name = str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
    return Found(os.path.abspath(python), str(path), name)


def at(spec: JobSpec, found: Found | None) -> Script | None:
    """The same, of what was found before."""
    path_given = given(spec)
    if found is None or path_given is None:
        return None
    rest = _after_flags(spec.command)
    flags = spec.command[1 : len(spec.command) - len(rest)]
    return Script(found.python, flags, path_given, Path(found.path), found.name, rest[1:])


def _after_flags(command: list[str]) -> list[str]:
    rest = list(command[1:])
    while rest and _FLAG.fullmatch(rest[0]):
        rest.pop(0)
    return rest


def with_python(spec: JobSpec, python: str) -> list[str]:
    """A command's words; where it only says ``python`` and another one was asked for, that."""
    if spec.kind == "command" and spec.python and spec.command[0] in ("python", "python3"):
        return [python, *spec.command[1:]]
    return list(spec.command)
