"""Running a job again with other values."""

from __future__ import annotations

import shlex
import uuid
from typing import Any

import msgspec

from jupyter_blueno.api import jobs as api
from jupyter_blueno.client import session
from jupyter_blueno.client.options import DEFAULTS, RESOURCES, python_of, requirements_of, resources_of
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Form

_KEPT = {"env": "variables", "environment": "variables", "files": "files"}


def form(job_id: str) -> Form:
    """What may be changed of a job."""
    return session.call(api.get_job_form, api.JobRef(job_id))


def request(
    job_id: str, values: dict[str, Any], changes: dict[str, Any], resume: bool = False
) -> api.RerunJob:
    """What to ask for, from what was given by name: options, a command, and values of parameters."""
    options = {name: changes.pop(name) for name in DEFAULTS if name in changes}
    if fixed := sorted({"env", "environment", "files"} & options.keys()):
        raise InvalidInput(
            f"A job runs again with the {_KEPT[fixed[0]]} that it had; {fixed[0]} cannot be given. Submit "
            "the work anew instead.",
            code="bad_option",
        )
    values = {**changes, **values}
    command = values.pop("command", None)
    resources = None
    if options.keys() & set(RESOURCES):
        resources = _replaced(form(job_id), options)
    if command is not None and not isinstance(command, str):
        command = shlex.join(command)
    return api.RerunJob(
        job_id=job_id,
        id=uuid.uuid4().hex,
        name=options.get("name"),
        values=_plain(values),
        resources=resources,
        command_line=command,
        python=python_of(options),  # type: ignore[arg-type]
        requirements=requirements_of(options["requirements"]) if "requirements" in options else None,
        resume=resume,
    )


def _replaced(old: Form, options: dict[str, Any]) -> Any:
    asked = {name: getattr(old.resources, name) for name in ("retries", "retry_on")} | options
    if not asked["retries"] and "retry_on" not in options:
        asked["retry_on"] = ()  # of a job that is not to be tried again
    new = resources_of(asked)  # type: ignore[arg-type]
    named = {name: getattr(new, name) for name in RESOURCES if name in asked}
    return msgspec.structs.replace(old.resources, **named)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them; NumPy's numbers become Python's."""
    found = {}
    for name, value in values.items():
        item = getattr(value, "item", None)
        plain = item() if callable(item) and getattr(value, "ndim", None) == 0 else value
        try:
            found[name] = msgspec.to_builtins(plain)
            msgspec.json.encode(found[name])
        except (TypeError, ValueError):
            raise InvalidInput(
                f"{name} is a {type(value).__name__}, and only plain values can be changed when a job runs "
                "again: text, numbers, lists and dicts. Submit the function anew instead.",
                code="bad_parameter",
            ) from None
    return found
