"""``blueno schedule``: work that starts by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from jupyter_blueno.cli.jobs import parameters_after
from jupyter_blueno.cli.output import as_json, print_json, resources, say, sent_along


def complete_schedules(ctx: click.Context, param: click.Parameter, incomplete: str) -> Sequence[str]:
    """Names of schedules, for the shell."""
    with suppress(Exception):
        from jupyter_blueno.client.schedules import schedules

        return [one.name for one in schedules() if one.name.startswith(incomplete)]
    return []


named = click.argument("name", shell_complete=complete_schedules)


@click.group()
def schedule() -> None:
    """Start work at certain times, or when a dataset has a new version."""


@schedule.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--cron", metavar="LINE", help="Minute hour day month weekday: '0 3 * * *' is daily at 03:00.")
@click.option("--zone", metavar="ZONE", help="Europe/Berlin …  [default: this machine's]")
@click.option("--dataset", metavar="NAME", help="Each new version of it starts a job.")
@click.option(
    "--catch-up",
    type=click.Choice(["skip", "once", "all"]),
    default="once",
    show_default=True,
    help="What becomes of times that passed while nothing fired.",
)
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue", "allow"]),
    default="skip",
    show_default=True,
    help="With a run that is not over when the next is due.",
)
@click.option("--limit", default=10, show_default=True, help="At most so many are made up for, and wait.")
@click.option("--fresh", is_flag=True, help="Read the notebook anew each time.")
@click.option("-p", "--parameter", "parameters", metavar="KEY=VALUE", multiple=True, help="Of a notebook.")
@resources
@sent_along
def add(name: str, command: tuple[str, ...], parameters: tuple[str, ...], **options: Any) -> None:
    """Schedule a command, a notebook or a script; one of this name is replaced.

    \b
    blueno schedule add --cron "0 3 * * *" nightly train.ipynb
    blueno schedule add --cron "*/15 * * * *" --zone UTC watch python watch.py --once
    """
    from jupyter_blueno.client.schedules import schedule as make

    values: dict[str, Any] = {}
    work: Any = list(command)
    if command[0].endswith(".ipynb"):
        words, values = parameters_after(command[1:], parameters)
        if words:
            raise click.UsageError(f"After a notebook come only -p KEY=VALUE, not {words[0]!r}.")
        work = command[0]
    elif parameters:
        raise click.UsageError("-p sets parameters of a notebook; give a command its arguments after it.")
    elif command[0].endswith(".py"):
        import sys

        work = ["python" if options["python"] or options["requirements"] else sys.executable, "-u", *command]
    click.echo(repr(make(name, work, values=values, **options)))


@schedule.command("list")
@as_json
def list_schedules(as_json: bool) -> None:
    """List the schedules, and say what would keep them from starting."""
    from jupyter_blueno.client.schedules import schedules

    found = schedules()
    if as_json:
        print_json([one._info for one in found])
    elif found:
        click.echo(repr(found))
    else:
        say("No schedules yet. `blueno schedule add --cron '0 3 * * *' nightly train.ipynb` makes one.")


@schedule.command()
@named
@click.option("-n", "--limit", default=20, show_default=True, help="At most so many.")
@as_json
def runs(name: str, limit: int, as_json: bool) -> None:
    """Show what came of a schedule's times, the newest first."""
    found = _find(name).runs(limit)
    if as_json:
        print_json(list(found))
    else:
        click.echo(repr(found))


@schedule.command("next")
@named
@click.option("-n", "count", default=5, show_default=True, help="How many.")
def next_times(name: str, count: int) -> None:
    """Show the next times at which a schedule starts its job."""
    found = _find(name)
    times = found.next(count)
    if not times:
        say(f"{found.name}: {'paused' if found.paused else found.words}.")
    for one in times:
        click.echo(f"{one:%a %Y-%m-%d %H:%M %Z}")


@schedule.command()
@named
def run(name: str) -> None:
    """Start what a schedule runs, now; prints the job's id."""
    job = _find(name).run_now()
    click.echo(job.id[:8])
    say(f"{job.name} runs in the background. `blueno logs -f {job.id[:8]}` shows what it prints.")


@schedule.command()
@named
def pause(name: str) -> None:
    """Start nothing until `resume`."""
    click.echo(repr(_find(name).pause()))


@schedule.command()
@named
def resume(name: str) -> None:
    """Go on from now; what was due in the pause is not made up for."""
    click.echo(repr(_find(name).resume()))


@schedule.command()
@named
def delete(name: str) -> None:
    """End a schedule; the jobs that it started stay."""
    found = _find(name)
    found.delete()
    say(f"{found.name} is deleted.")


def _find(name: str) -> Any:
    from jupyter_blueno.client.schedules import schedule as find

    return find(name)
