"""The ``blueno`` command: the verbs, from a shell.

Works with a running JupyterLab and without one. Exit codes: 0 well, 1 an
error, 2 wrong usage. Lists can be had as JSON with ``--json``.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import click

from jupyter_blueno.errors import BluenoError

# Sub-command → module and function: only what is called is loaded.
_COMMANDS = {
    "lab": "jupyter_blueno.cli.lab:lab",
    "datasets": "jupyter_blueno.cli.datasets:datasets",
    "ingest": "jupyter_blueno.cli.datasets:ingest",
    "prepare": "jupyter_blueno.cli.datasets:prepare",
    "run": "jupyter_blueno.cli.jobs:run",
    "rerun": "jupyter_blueno.cli.jobs:rerun",
    "sweep": "jupyter_blueno.cli.sweeps:sweep",
    "trials": "jupyter_blueno.cli.sweeps:trials",
    "steps": "jupyter_blueno.cli.flows:steps",
    "jobs": "jupyter_blueno.cli.jobs:jobs",
    "logs": "jupyter_blueno.cli.jobs:logs",
    "metrics": "jupyter_blueno.cli.jobs:metrics",
    "usage": "jupyter_blueno.cli.jobs:usage",
    "priority": "jupyter_blueno.cli.jobs:priority",
    "pause": "jupyter_blueno.cli.jobs:pause",
    "unpause": "jupyter_blueno.cli.jobs:unpause",
    "cancel": "jupyter_blueno.cli.jobs:cancel",
    "delete": "jupyter_blueno.cli.jobs:delete",
    "schedule": "jupyter_blueno.cli.schedules:schedule",
    "scheduler": "jupyter_blueno.cli.scheduler:scheduler",
    "environments": "jupyter_blueno.cli.environments:environments",
    "secrets": "jupyter_blueno.cli.secrets:secrets",
    "mlflow": "jupyter_blueno.cli.tracking:mlflow",
    "whoami": "jupyter_blueno.cli.people:whoami",
    "people": "jupyter_blueno.cli.people:people",
    "team": "jupyter_blueno.cli.people:team",
    "invite": "jupyter_blueno.cli.people:invite",
    "offboard": "jupyter_blueno.cli.people:offboard",
    "acts": "jupyter_blueno.cli.people:acts",
    "doctor": "jupyter_blueno.cli.doctor:doctor",
    "setup": "jupyter_blueno.cli.setup:setup",
    "upgrade": "jupyter_blueno.cli.upkeep:upgrade",
    "backup": "jupyter_blueno.cli.upkeep:backup",
    "restore": "jupyter_blueno.cli.upkeep:restore",
    "teardown": "jupyter_blueno.cli.upkeep:teardown",
}


class _Commands(click.Group):
    """Loads a sub-command when it is asked for; names the nearest when there is none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"Did you mean 'blueno {near[0]}'?" if near else f"There is {', '.join(_COMMANDS)}."
            ctx.fail(f"blueno has no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BluenoError as error:
            raise click.ClickException(error.message) from None
        except BrokenPipeError:
            _quiet()
            ctx.exit(1)
        finally:
            import sys

            session = sys.modules.get("jupyter_blueno.client.session")
            if session is not None:
                session.close()


def _quiet() -> None:
    """Whoever read our output went away: nothing is left to say."""
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jupyter-blueno", prog_name="blueno")
def main() -> None:
    """Datasets and background jobs for JupyterLab.

    Start with `blueno lab --demo`.
    """
