"""What a job was given of others: what they returned, read from their folders.

Standard library only; also run by kernels of Pythons without Blueno.
"""

from __future__ import annotations

import json
import os
import pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_folder: str | None = None
_loaded: dict[str, Any] = {}


def follow(folder: str) -> None:
    """Take another job's folder for ours: that of the job into whose place a kernel steps."""
    global _folder
    _folder = folder
    _loaded.clear()


def forget() -> None:
    """Let go of what was loaded."""
    _loaded.clear()


def value(name: str) -> Any:
    """What `name` stands for: what a function returned, an executed notebook's path, a command's exit code.

    Raises
    ------
    LookupError
        If the job has no such thing, or the other job's folder is gone.
    """
    if name not in _loaded:
        ids = _ids(name)
        _loaded[name] = (
            [_value_of(one, name) for one in ids] if isinstance(ids, list) else _value_of(ids, name)
        )
    return _loaded[name]


def path(name: str) -> Any:
    """Where it lies: the file of a pickled value, an executed notebook, a command's folder."""
    ids = _ids(name)
    return [path_of(_home(), one) for one in ids] if isinstance(ids, list) else path_of(_home(), ids)


def path_of(jobs: str, job_id: str) -> str:
    """The same for a job, below the folder of all `jobs`."""
    folder = os.path.join(jobs, job_id)
    for name in ("result.pickle", "notebook.ipynb"):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    return folder


def _here() -> str:
    folder = _folder or os.environ.get("BLUENO_JOB_FOLDER")
    if not folder:
        raise LookupError("What a step of a flow returns is there in the jobs of its flow only.")
    return folder


def _home() -> str:
    return os.path.dirname(_here())


def _ids(name: str) -> Any:
    with open(os.path.join(_here(), "given.json"), encoding="utf-8") as file:
        found = json.load(file)
    if name not in found:
        raise LookupError(f"This job was not given what '{name}' returned.")
    return found[name]


def _value_of(job_id: str, name: str) -> Any:
    place = path_of(_home(), job_id)
    if not os.path.isdir(os.path.dirname(place)) or not os.path.exists(place):
        raise LookupError(
            f"What '{name}' returned is gone: job {job_id[:8]} was deleted. Run the flow again."
        )
    if place.endswith(".ipynb"):
        return place
    if not place.endswith(".pickle"):
        return 0
    with open(place, "rb") as file:
        return pickle.load(file)  # written by the user's own job
