"""``blueno environments``."""

from __future__ import annotations

import click

from jupyter_blueno.cli.output import as_json, print_json, say


@click.command()
@click.option("--remove", metavar="KEY", multiple=True, help="Remove one that no job uses now.")
@as_json
def environments(remove: tuple[str, ...], as_json: bool) -> None:
    """List the Python environments that were built for jobs, or remove some."""
    from jupyter_blueno.api import environments as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import look, session

    for key in remove:
        session.call(api.delete_environment, api.EnvironmentRef(key))
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
