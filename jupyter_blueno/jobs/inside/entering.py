"""Gives a kernel what a job had: folder, environment, modules, values. Standard library only.

Also run by other Pythons, which need not have Blueno installed.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import birth


def enter(folder: str) -> dict[str, Any]:
    """Change to the working folder and environment of the job in `folder`.

    Returns
    -------
    dict
        What its code begins with, by name.

    Raises
    ------
    OSError
        If its record is gone.
    """
    spec = lean.read_json(os.path.join(folder, "spec.json"))["spec"]
    plan = lean.read_json(os.path.join(folder, "run.json"))
    with lean.suppress(OSError, ValueError):
        os.environ.update(lean.read_json(os.path.join(folder, "variables.json")))
    with lean.suppress(LookupError):
        os.environb.update(birth.secrets(plan))
    code = os.path.join(folder, "code")
    sys.path[:] = [code, *(part for part in sys.path if part != code)]
    if os.path.isdir(plan["cwd"]):
        os.chdir(plan["cwd"])
    values = dict(spec.get("parameters") or {})
    if spec.get("given"):
        from jupyter_blueno.jobs.inside import given

        given.follow(folder)
        if spec["kind"] == "notebook":
            values |= {name: given.value(name) for name in spec["given"]}
    if spec["kind"] == "function":
        return _of_function(spec.get("payload") or "", values)
    if spec["kind"] == "cell" and spec.get("payload"):
        values |= _of_cell(spec["payload"])
    return values


def _of_function(payload: str, values: dict[str, Any]) -> dict[str, Any]:
    import base64
    import pickle

    from jupyter_blueno.jobs.inside.work import with_values

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
    from jupyter_blueno.jobs.inside.work import load_variables

    module = types.ModuleType("job")
    trouble = load_variables(payload, module)
    if trouble:
        raise ValueError(trouble)
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}
