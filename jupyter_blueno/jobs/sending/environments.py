"""Python environments that jobs asked for: built once, by the first job that needs one.

::

    home/environments/
    ├── {key}/               a virtual environment
    │   └── blueno.json      what it is; written when it is whole
    ├── {key}.lock           held by who builds it, shared by the jobs that use it
    ├── {key}.jobs           ids of the jobs that used it
    └── {key}.log            what its building said

`building.py` builds them, in the job.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.metadata
import json
import os
import pickle
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec import json as msgjson

from jupyter_blueno.errors import Conflict, InvalidInput, NotFound
from jupyter_blueno.jobs.model import JobKind, JobSpec
from jupyter_blueno.jobs.sending import interpreters
from jupyter_blueno.jobs.sending.outlook import Environment

PYTHON = "{python}"  # in a plan: that of the environment
KEY = re.compile(r"[0-9a-f]{16}")
WHOLE = "blueno.json"
JOBS_SHOWN = 100
LOG_SHOWN = 1 << 20  # bytes


class _Record(Struct, frozen=True):
    python: str
    requirements: list[str]
    size: int
    created: float


def needed(spec: JobSpec, home: Path) -> dict[str, Any] | None:
    """What `building.py` is to build for some work; None where a Python is there already.

    Raises
    ------
    InvalidInput
        If it cannot be built: there is no such Python, and no uv to get it.
    """
    if not is_built(spec):
        return None
    uv = shutil.which("uv")
    version = interpreters.is_version(spec.python or "")
    base = spec.python or sys.executable
    if version:
        try:
            base = interpreters.find(spec.python)
        except InvalidInput:
            if uv is None:
                raise InvalidInput(
                    f"There is no Python {spec.python} here, and no uv to get it. Install it, or uv, or give "
                    "the path of a Python.",
                    code="python_not_found",
                ) from None
    else:
        base = interpreters.place(spec.python)
    wanted = [line for line in map(str.strip, spec.requirements) if line]
    own = _of_ours(spec)
    text = json.dumps([base, interpreters.version(base), sorted({*wanted, *own})])
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {
        "folder": str(home / "environments" / key),
        "base": base,
        "requirements": wanted,
        "own": own,
        "uv": uv,
    }


def is_built(spec: JobSpec) -> bool:
    """Whether some work runs in an environment of its own."""
    return bool(spec.requirements) or interpreters.is_version(spec.python or "")


def _of_ours(spec: JobSpec) -> list[str]:
    """What the kind of work needs beside what was asked for."""
    if spec.kind == "notebook":
        return ["ipykernel", "nbclient"]
    if spec.kind == "function" or spec.payload:
        return [f"cloudpickle=={importlib.metadata.version('cloudpickle')}"]
    return []


def check_version(spec: JobSpec, python: str) -> None:
    """Refuse to send pickled code to another version of Python, which cannot read it.

    Raises
    ------
    InvalidInput
    """
    asked = spec.python if interpreters.is_version(spec.python or "") else None
    there = interpreters.version(python) or asked
    if spec.payload and spec.pickled_by and there and not f"{there}.".startswith(f"{spec.pickled_by}."):
        raise InvalidInput(
            f"The job would run Python {there}, and what it takes along was pickled by Python "
            f"{spec.pickled_by}: functions do not go from one to the other. Ask for the same version, or "
            "send a notebook, a script, or a cell that defines all it uses.",
            code="python_differs",
        )


def listed(home: Path) -> list[Environment]:
    """Those that are whole, the newest first."""
    found = []
    for folder in (home / "environments").glob("*"):
        record = _read(folder)
        if record is not None:
            at = datetime.fromtimestamp(record.created, UTC)
            used = _locked(folder)
            told = (folder.name, record.python, record.requirements, record.size, at, used)
            found.append(Environment(*told, _jobs(folder)))
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def log(home: Path, key: str) -> bytes:
    """What its building said; of a long one the end.

    Raises
    ------
    NotFound
    """
    try:
        if not KEY.fullmatch(key):
            raise FileNotFoundError
        return (home / "environments" / f"{key}.log").read_bytes()[-LOG_SHOWN:]
    except OSError:
        raise NotFound(
            f"Nothing is kept of how the environment '{key[:40]}' was built.", code="environment_not_found"
        ) from None


def to_build(kind: JobKind, requirements: list[str], python: str | None) -> JobSpec:
    """Work that does nothing but have an environment built, for this kind of work.

    Raises
    ------
    InvalidInput
        If nothing is asked for.
    """
    given: dict[str, Any] = {"command": ["python", "-c", "pass"]}
    if kind == "function":
        given = {"payload": base64.b64encode(pickle.dumps((int, (), {}))).decode()}
    elif kind == "notebook":
        cell: dict[str, Any] = {
            "cell_type": "code",
            "source": "pass",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        cell["id"] = "nothing"
        given = {"source": json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})}
    wanted = [line for line in map(str.strip, requirements) if line]
    spec = JobSpec(kind, requirements=wanted, python=python or None, **given)
    if not is_built(spec):
        raise InvalidInput(
            "Name packages, such as torch==2.8, or a version of Python, such as 3.12.",
            code="bad_requirements",
        )
    return spec


def remove(home: Path, key: str) -> None:
    """Remove one; a job that needs it again builds it again.

    Raises
    ------
    NotFound
    Conflict
        While a job uses it.
    """
    folder = home / "environments" / key
    if not KEY.fullmatch(key) or not folder.is_dir():
        raise NotFound(f"There is no environment '{key[:40]}'.", code="environment_not_found")
    lock = os.open(f"{folder}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / WHOLE).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        for ending in ("jobs", "log"):
            Path(f"{folder}.{ending}").unlink(missing_ok=True)
    except BlockingIOError:
        raise Conflict("A job uses the environment; wait for its end.", code="environment_in_use") from None
    finally:
        os.close(lock)


def sweep(home: Path) -> None:
    """Remove what is left of builds that were killed."""
    for folder in (home / "environments").glob("*"):
        if folder.is_dir() and _read(folder) is None and not _locked(folder):
            remove(home, folder.name)


def _read(folder: Path) -> _Record | None:
    try:
        return msgjson.decode((folder / WHOLE).read_bytes(), type=_Record)
    except (OSError, ValueError):
        return None


def _jobs(folder: Path) -> list[str]:
    try:
        ids = Path(f"{folder}.jobs").read_text("ascii").split()
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(reversed(ids)))[:JOBS_SHOWN]


def _locked(folder: Path) -> bool:
    try:
        lock = os.open(f"{folder}.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
