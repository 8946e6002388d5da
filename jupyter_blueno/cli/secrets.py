"""``blueno secrets``."""

from __future__ import annotations

import sys

import click

from jupyter_blueno.cli.output import as_json, print_json, say


@click.command()
@click.option("--set", "name", metavar="NAME", help="Set one; its value is asked for, or read from a pipe.")
@click.option("--delete", metavar="NAME", multiple=True, help="Forget one.")
@as_json
def secrets(name: str | None, delete: tuple[str, ...], as_json: bool) -> None:
    """List the team's secrets by name, set one, or forget some. Their values are never shown.

    \b
    blueno secrets --set HF_TOKEN
    blueno run --secret HF_TOKEN train.py
    """
    from jupyter_blueno.api import secrets as api
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import look, session
    from jupyter_blueno.vault.model import check_name

    if name is not None:
        check_name(name)  # before somebody types a password in vain
        session.call(api.set_secret, api.SetSecret(name, _value(name)))
        say(f"{name} is set. A job gets it by --secret {name}, a notebook by blueno.secret('{name}').")
    for one in delete:
        if not session.call(api.delete_secret, api.SecretRef(one)).done:
            say(f"There was no secret {one}.")
    if name is not None or delete:
        return
    found = session.call(api.list_secrets, Nothing()).secrets
    if as_json:
        print_json(found)
    elif found:
        rows = [[one.name, one.owner, look.age(one.updated_at)] for one in found]
        click.echo(look.table(rows, ["secret", "set by", ""]))
    else:
        say("No secrets yet. `blueno secrets --set HF_TOKEN` keeps a token for jobs and notebooks.")


def _value(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True))
    return sys.stdin.read().removesuffix("\n")
