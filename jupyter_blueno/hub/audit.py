"""What the service writes down of an act: what the request named, never what it sent."""

from __future__ import annotations

from typing import Any

from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import User
from jupyter_blueno.database import audit
from jupyter_blueno.database.engine import Database

NAMING = (
    "job_id",
    "sweep_id",
    "flow_id",
    "schedule_id",
    "dataset_id",
    "version_id",
    "ordinal",
    "number",
    "id",
    "name",
)
LONGEST = 500  # characters of what an act was about
MANY = 10  # of jobs that are named


def is_act(operation: Operation[Any, Any]) -> bool:
    """Whether an operation changes something."""
    return operation.action != "read"


def note(
    database: Database, user: User, job_id: str | None, operation: Operation[Any, Any], ask: Any, code: str
) -> None:
    """Write an act down; `code` is that of the error if it was refused."""
    audit.note(
        database,
        team=user.team,
        person=user.name,
        job_id=job_id,
        operation=operation.name,
        about=about(ask)[:LONGEST].replace("\0", "�"),
        code=code or None,
    )


def about(ask: Any) -> str:
    """What a request names."""
    ask = getattr(ask, "conductor", ask)
    jobs = getattr(ask, "jobs", None)
    if jobs:
        names = [getattr(one, "id", one) for one in jobs]
        return ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
    found = {one: getattr(ask, one, None) for one in NAMING}
    return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)
