"""What commands share: JSON lists, completion of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click

Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print structs as JSON, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def resources(command: Command) -> Command:
    """Add the options that say what a job may use, and how soon."""
    for option in (
        click.option(
            "--priority",
            metavar="N",
            default="0",
            help="-10 to 10: the higher one starts first.",
            show_default=True,
        ),
        click.option(
            "--retries", metavar="N", default="0", help="How often to try again.", show_default=True
        ),
        click.option("--retry-on", metavar="KINDS", help="After what only: memory,connection,OSError."),
        click.option("--timeout", metavar="TIME", help="Longest time it may run: 90, 30m, 2h."),
        click.option("--memory", metavar="SIZE", help="Memory it may use: 8G, 512M."),
        click.option("--cpu", metavar="CORES", help="Cores it may use: 4, 0.5."),
        click.option("--gpu", metavar="N", default="0", help="GPUs it gets.", show_default=True),
        click.option(
            "--workers",
            metavar="N",
            default="1",
            help="Processes that work together, each with GPUs, cores and memory of its own.",
            show_default=True,
        ),
    ):
        command = option(command)
    return command


def sent_along(command: Command) -> Command:
    """Add the options that say what a job takes along, and in which environment it runs."""
    command = environment(command)
    for option in (
        click.option(
            "--file", "files", metavar="PATTERN", multiple=True, help="Other files it reads, as they are now."
        ),
        click.option(
            "--env", metavar="NAME", multiple=True, help="Variables to take along: HF_TOKEN, 'WANDB_*'."
        ),
    ):
        command = option(command)
    return command


def environment(command: Command) -> Command:
    """Add the options that say in which environment a job runs, and whether it is only to be told of."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Start nothing; say what would be sent, and when."),
        click.option(
            "--secret", "secrets", metavar="NAME", multiple=True, help="Secrets of the team: HF_TOKEN."
        ),
        click.option(
            "--python", metavar="WHICH", help="Path, folder or conda name of an environment; or 3.12."
        ),
        click.option(
            "--requirements", metavar="FILE", help="Build an environment of a requirements file, once."
        ),
    ):
        command = option(command)
    return command


def complete_datasets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Sequence[str]:
    """Names of datasets, for the shell."""
    with suppress(Exception):
        from jupyter_blueno.client.finding import datasets

        return [one.name for one in datasets() if one.name.startswith(incomplete)]
    return []


def complete_jobs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Sequence[str]:
    """Ids and names of jobs, for the shell."""
    with suppress(Exception):
        from jupyter_blueno.client.jobs import jobs

        names = [name for one in jobs() for name in (one.id[:8], one.name)]
        return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
    return []


def complete_public_sets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Sequence[str]:
    """Names of public sets, for the shell."""
    with suppress(Exception):
        from jupyter_blueno.client.ingest import public_sets

        return [name for name in public_sets() if name.startswith(incomplete)]
    return []


def say(words: str) -> None:
    """A line for the person, beside the output."""
    click.echo(words, err=True)
