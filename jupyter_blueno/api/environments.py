"""Python environments that were built for jobs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Content, Done, Nothing, operation
from jupyter_blueno.jobs.model import Job
from jupyter_blueno.jobs.sending.outlook import Environment


class EnvironmentList(Struct, frozen=True):
    environments: list[Environment]


class EnvironmentRef(Struct, frozen=True, forbid_unknown_fields=True):
    key: str


class BuildEnvironment(Struct, frozen=True, forbid_unknown_fields=True):
    """Packages, for work of a kind: a notebook also needs a kernel, a function cloudpickle.

    `id` is that of the job that builds, made by the client. `python` is a version
    (``3.12``) or the path of one.
    """

    id: str
    requirements: list[str] = []
    python: str | None = None
    kind: Literal["function", "notebook", "command"] = "function"


@operation("POST", "/environments", resource="jobs", action="execute", status=201, local=True)
def build_environment(context: Context, ask: BuildEnvironment) -> Job:
    """Build an environment now, by a job that does nothing else."""
    from jupyter_blueno.api import staging
    from jupyter_blueno.jobs.sending import environments

    spec = environments.to_build(ask.kind, ask.requirements, ask.python)
    packages = ", ".join(spec.requirements) or f"Python {spec.python}"
    return staging.submit(context, [(ask.id, f"build {packages}"[:120], spec)])[0]


@operation("GET", "/environments/{key}/log", resource="jobs", action="read", local=True)
def get_environment_log(context: Context, ask: EnvironmentRef) -> Content:
    """Return what the building of an environment said."""
    from jupyter_blueno.jobs.sending import environments

    return Content(environments.log(context.config.home_path, ask.key), "text/plain; charset=utf-8")


@operation("GET", "/environments", resource="jobs", action="read", local=True)
def list_environments(context: Context, ask: Nothing) -> EnvironmentList:
    """List the environments that were built for jobs, the newest first."""
    from jupyter_blueno.jobs.sending import environments

    return EnvironmentList(environments.listed(context.config.home_path))


@operation("DELETE", "/environments/{key}", resource="jobs", action="execute", local=True)
def delete_environment(context: Context, ask: EnvironmentRef) -> Done:
    """Remove an environment that no job uses now; it is built again when one needs it."""
    from jupyter_blueno.jobs.sending import environments

    environments.remove(context.config.home_path, ask.key)
    return Done(True)
