"""Python environments that were built for jobs."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, Nothing, operation
from jupyter_blueno.jobs.model import Environment


class EnvironmentList(Struct, frozen=True):
    environments: list[Environment]


class EnvironmentRef(Struct, frozen=True, forbid_unknown_fields=True):
    key: str


@operation("GET", "/environments", resource="jobs", action="read")
def list_environments(context: Context, ask: Nothing) -> EnvironmentList:
    """List the environments that were built for jobs, the newest first."""
    from jupyter_blueno.jobs.sending import environments

    return EnvironmentList(environments.listed(context.config.home_path))


@operation("DELETE", "/environments/{key}", resource="jobs", action="execute")
def delete_environment(context: Context, ask: EnvironmentRef) -> Done:
    """Remove an environment that no job uses now; it is built again when one needs it."""
    from jupyter_blueno.jobs.sending import environments

    environments.remove(context.config.home_path, ask.key)
    return Done(True)
