"""Getting a kernel what a job had: its folder, environment, modules and values."""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.client import session
from jupyter_blueno.jobs import snapshot
from jupyter_blueno.jobs.folder import JobFolder


def enter(job_id: str) -> dict[str, Any]:
    """Change to the job's folder and environment; return what its code begins with, by name.

    Raises
    ------
    NotFound
        If its folder is gone, or on another machine.
    """
    folder = JobFolder(session.home() / "jobs" / job_id)
    record = snapshot.asked(folder)
    plan = folder.read("run.json", dict)
    if record is None or plan is None:
        raise errors.NotFound(
            f"What job {job_id[:8]} ran is not on this machine (any more).", code="job_code_missing"
        )
    spec = record.spec
    os.environ.update(spec.environment)
    code = str(folder.code)
    sys.path[:] = [code, *(part for part in sys.path if part != code)]
    if os.path.isdir(plan["cwd"]):
        os.chdir(plan["cwd"])
    try:
        if spec.kind == "function":
            return _of_function(spec.payload or "", spec.parameters)
        found = dict(spec.parameters)
        if spec.kind == "cell" and spec.payload:
            found |= _of_cell(spec.payload)
        return found
    except Exception as error:
        raise errors.UnreadableData(
            f"What the job was given cannot be loaded here ({type(error).__name__}: {error}). "
            "Choose a kernel with the packages that it had.",
            code="payload_unreadable",
        ) from error


def _of_function(payload: str, values: dict[str, Any]) -> dict[str, Any]:
    import base64
    import pickle

    from jupyter_blueno.jobs.work import with_values

    function, args, kwargs = pickle.loads(base64.b64decode(payload))
    if values:
        args, kwargs = with_values(function, args, kwargs, values)
    plain = getattr(function, "func", function)
    found: dict[str, Any] = {}
    if isinstance(plain, types.FunctionType) and plain.__module__ == "__main__":
        found = {name: value for name, value in plain.__globals__.items() if not name.startswith("__")}
    name = getattr(plain, "__name__", "function")
    return {**found, "function": function, name: function, "args": args, "kwargs": kwargs}


def _of_cell(payload: str) -> dict[str, Any]:
    from jupyter_blueno.jobs.work import load_variables

    module = types.ModuleType("job")
    trouble = load_variables(payload, module)
    if trouble:
        raise ValueError(trouble)
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}
