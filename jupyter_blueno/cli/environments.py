"""``blueno environments``."""

from __future__ import annotations

import shlex
import uuid
from typing import Any

import click

from jupyter_blueno.cli.output import as_json, print_json, say


@click.command()
@click.option("--remove", metavar="KEY", multiple=True, help="Remove one that no job uses now.")
@click.option("--build", metavar="PACKAGES", help="Build one now: 'torch==2.8 pandas'.")
@click.option("--python", metavar="WHICH", help="Of this Python: 3.12, or a path.")
@click.option(
    "--for",
    "kind",
    type=click.Choice(["function", "notebook", "command"]),
    default="function",
    show_default=True,
    help="What is to run in it.",
)
@as_json
def environments(
    remove: tuple[str, ...], build: str | None, python: str | None, kind: Any, as_json: bool
) -> None:
    """List the Python environments that were built for jobs, remove some, or build one."""
    from jupyter_blueno.api import environments as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import look, session

    for key in remove:
        session.call(api.delete_environment, api.EnvironmentRef(key))
    if build or python:
        words = shlex.split(build or "")
        job = session.call(api.build_environment, api.BuildEnvironment(uuid.uuid4().hex, words, python, kind))
        click.echo(job.id[:8])
        say(f"It is built in the background. `blueno logs -f {job.id[:8]}` shows how.")
        return
    found = session.call(api.list_environments, Nothing()).environments
    if as_json:
        print_json(found)
    elif found:
        rows = [
            [
                one.key,
                ", ".join(one.requirements)[:60] or "nothing more",
                one.python,
                look.size(one.size),
                look.age(one.created_at),
                "in use" if one.in_use else "",
            ]
            for one in found
        ]
        click.echo(look.table(rows, ["key", "packages", "python", "size", "built", ""], right=[3]))
    elif not remove:
        say("None was built. `blueno run --requirements requirements.txt script.py` builds one.")
