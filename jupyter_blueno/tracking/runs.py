"""What a job looks like as a run of MLflow. No I/O."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec

from jupyter_blueno.jobs.model import TERMINAL, Code, UsedDataset
from jupyter_blueno.jobs.readings import Curve

STATUS = {"SUCCEEDED": "FINISHED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "LOST": "FAILED"}
JOB_TAG = "blueno.job"
# What MLflow tells of the process that logs; of a job's, Blueno knows better.
GUESSED = {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} | {
    f"mlflow.source.git.{what}" for what in ("commit", "branch", "repoURL", "dirty", "diff")
}
PARAM_LENGTH = 6000  # MLflow's own limits
NAME_LENGTH = 250


def status(state: str) -> str:
    """MLflow's word for a job's state."""
    if state not in TERMINAL:
        return "RUNNING"
    return STATUS.get(state, "KILLED")


def millis(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def tags(row: Any, code: Code | None, lab: str, parent: str | None) -> list[dict[str, str]]:
    """Who, what from, which code, and the way back to the job in Lab at the address `lab`."""
    origin = row.spec.get("origin") or {}
    link = f"{lab}lab?blueno-job={row.id}"
    said = {
        JOB_TAG: row.id,
        "blueno.kind": row.kind,
        "mlflow.user": row.owner,
        "mlflow.runName": row.name,
        "mlflow.source.name": origin.get("notebook") or row.name,
        "mlflow.source.type": "NOTEBOOK" if origin.get("notebook") else "JOB",
        "mlflow.note.content": f"[Job {row.name}]({link}) `{row.id[:8]}`",
        "mlflow.parentRunId": parent,
        "mlflow.source.git.commit": code.commit if code else None,
        "mlflow.source.git.dirty": "True" if code and code.diff else None,
    }
    return [{"key": key, "value": value} for key, value in said.items() if value]


def params(spec: dict[str, Any]) -> dict[str, str]:
    """Parameters by name, as text; of a function also the arguments that it was called with."""
    found = {one["name"]: one["value"] for one in spec.get("arguments") or [] if one.get("value") is not None}
    found |= spec.get("parameters") or {}
    return {key_of(name): text(value) for name, value in found.items()}


def text(value: Any) -> str:
    plain = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return plain[:PARAM_LENGTH]


def key_of(name: str) -> str:
    """A name that MLflow takes: letters, digits and a few signs, and nothing that looks like a path out."""
    return re.sub(r"[^\w\-. :/]", "_", name).strip("/.")[:NAME_LENGTH] or "_"


def points(curve: Curve) -> list[dict[str, Any]]:
    """The points of a curve as MLflow's metrics; its steps are whole numbers."""
    key = key_of(curve.name)
    return [
        {"key": key, "value": value, "timestamp": int(time * 1000), "step": int(step)}
        for step, time, value in zip(curve.steps, curve.times, curve.values, strict=True)
    ]


def dataset_input(used: UsedDataset) -> dict[str, Any]:
    """A version of a dataset, or a part of it, as an input of a run."""
    chosen = msgspec.json.encode(used.filter).decode()
    digest = hashlib.sha256(f"{used.dataset_id} {used.version} {chosen}".encode()).hexdigest()[:8]
    source = {"dataset": used.name, "version": used.version, "filter": msgspec.to_builtins(used.filter)}
    return {
        "tags": [{"key": "mlflow.data.context", "value": "job"}],
        "dataset": {
            "name": used.name,
            "digest": f"v{used.version}-{digest}",
            "source_type": "blueno",
            "source": msgspec.json.encode(source).decode(),
            "profile": chosen,
        },
    }
