"""``blueno run``, ``jobs``, ``logs``, ``priority`` and ``cancel``."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jupyter_blueno.cli.output import (
    as_json,
    complete_jobs,
    environment,
    print_json,
    resources,
    say,
    sent_along,
)

if TYPE_CHECKING:
    from jupyter_blueno.client.jobs import Job


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--name", help="What the job is called.")
@resources
@sent_along
@click.option("-p", "--parameter", "parameters", metavar="KEY=VALUE", multiple=True, help="Of a notebook.")
@click.option("-f", "--follow", is_flag=True, help="Print its log until it ends; exit as it does.")
def run(command: tuple[str, ...], parameters: tuple[str, ...], follow: bool, **options: Any) -> None:
    """Run a command, a notebook or a script in the background; prints the job's id.

    \b
    blueno run train.ipynb -p epochs=5
    blueno run script.py --steps 100
    blueno run --name build -- make -j4
    """
    from jupyter_blueno.client import submit

    first = Path(command[0])
    if first.suffix == ".ipynb":
        words, given = parameters_after(command[1:], parameters)
        follow = follow or "-f" in words or "--follow" in words
        words = [word for word in words if word not in {"-f", "--follow"}]
        if words:
            raise click.UsageError(f"After a notebook come only -p KEY=VALUE, not {words[0]!r}.")
        job = submit.run_notebook(first, **options, values=given)
    elif parameters:
        raise click.UsageError("-p sets parameters of a notebook; give a command its arguments after it.")
    elif first.suffix == ".py":
        if not first.exists():
            raise click.UsageError(f"There is no file {first}.")
        name = options.pop("name") or first.stem
        python = "python" if options["python"] or options["requirements"] else sys.executable
        job = submit.run_command([python, "-u", *command], **options, name=name)
    else:
        job = submit.run_command(command, **options)
    if options["dry_run"]:
        click.echo(repr(job))
        return
    if not follow:
        click.echo(job.id[:8])
        say(f"{job.name} runs in the background. `blueno logs -f {job.id[:8]}` shows what it prints.")
        return
    raise SystemExit(_follow(job))


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@click.option("-p", "--parameter", "parameters", metavar="KEY=VALUE", multiple=True, help="Another value.")
@click.option("--command", metavar="TEXT", help="Other words of a command.")
@click.option("--name", help="What the new job is called.")
@resources
@environment
def rerun(job: str, parameters: tuple[str, ...], command: str | None, **options: Any) -> None:
    """Run a job's code again, with other values where some are given; prints the new job's id.

    \b
    blueno rerun train -p lr=0.01 --memory 16G
    """
    from jupyter_blueno.client.jobs import find

    _, values = parameters_after((), parameters)
    source = click.get_current_context().get_parameter_source
    given = {name: value for name, value in options.items() if source(name) is ParameterSource.COMMANDLINE}
    if command is not None:
        given["command"] = command
    new = find(job).rerun(values=values, **given)
    if options["dry_run"]:
        click.echo(repr(new))
        return
    click.echo(new.id[:8])
    say(f"{new.name} runs in the background. `blueno logs -f {new.id[:8]}` shows what it prints.")


@click.command()
@click.argument("search", required=False, default="")
@click.option("--state", multiple=True, help="Only those: running, failed …")
@click.option("-n", "--limit", default=100, show_default=True, help="At most so many.")
@as_json
def jobs(search: str, state: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the jobs, newest first."""
    from jupyter_blueno.client.jobs import jobs as find

    found = find(search, state=list(state), limit=limit)
    if as_json:
        print_json([one._info for one in found])
    elif found:
        click.echo(repr(found))
    else:
        say("No jobs yet. `blueno run script.py` starts one.")


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends; exit as it does.")
@click.option("-n", "--tail", type=int, help="Only the last so many lines.")
@click.option(
    "--worker", type=click.IntRange(0), metavar="RANK", default=0, help="Of several workers, which."
)
def logs(job: str, follow: bool, tail: int | None, worker: int) -> None:
    """Print what a job printed. JOB is an id, the beginning of one, or a name."""
    from jupyter_blueno.client.jobs import find

    found = find(job)
    if follow:
        raise SystemExit(_follow(found, worker))
    if tail is not None:
        click.echo(found.log(tail=tail, worker=worker))
        return
    for piece in found.logs(worker=worker):
        click.echo(piece, nl=False)


@click.command()
@click.argument("job", shell_complete=complete_jobs)
def metrics(job: str) -> None:
    """Show what a job measured: the curves that it logs. JOB is an id, the beginning of one, or a name."""
    from jupyter_blueno.client.jobs import find

    click.echo(repr(find(job).metrics()))


@click.command()
@click.argument("job", required=False, shell_complete=complete_jobs)
@click.option(
    "--days",
    type=click.FloatRange(0, 3660, min_open=True),
    default=30,
    show_default=True,
    help="Of the team.",
)
@as_json
def usage(job: str | None, days: float, as_json: bool) -> None:
    """Show what a job used, or, without one, what the jobs of each person took of GPUs and cores.

    JOB is an id, the beginning of one, or a name.
    """
    from jupyter_blueno.client.accounting import usage as of_team
    from jupyter_blueno.client.jobs import find

    if job is not None:
        click.echo(repr(find(job).usage()))
    elif as_json:
        print_json(of_team(days).info)
    else:
        click.echo(repr(of_team(days)))


@click.command()
@click.argument("jobs", nargs=-1, required=True, shell_complete=complete_jobs)
def cancel(jobs: tuple[str, ...]) -> None:
    """Stop jobs: first kindly, then with force."""
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import find

    stopped = JobList(find(word) for word in jobs).cancel()
    for one in stopped:
        with suppress(TimeoutError):
            one.wait(timeout=30)
    click.echo(repr(stopped))


@click.command()
@click.argument("jobs", nargs=-1, required=True, shell_complete=complete_jobs)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(jobs: tuple[str, ...], yes: bool) -> None:
    """Take jobs that are over off the list, with their logs, results and files."""
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import find

    found = JobList(find(word) for word in jobs)
    if not yes:
        click.echo(repr(found))
        click.confirm(
            "Delete this, with all files?" if len(found) == 1 else "Delete these, with all files?", abort=True
        )
    kept = found.delete()
    if kept:
        names = ", ".join(one.name for one in found if one.id in kept)
        raise click.ClickException(f"Not deleted, for it is not over yet: {names}. `blueno cancel` stops it.")


@click.command()
@click.argument("jobs", nargs=-1, required=True, shell_complete=complete_jobs)
def pause(jobs: tuple[str, ...]) -> None:
    """Have running jobs stand still; they keep what they hold."""
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import find

    click.echo(repr(JobList(find(word).pause() for word in jobs)))


@click.command()
@click.argument("jobs", nargs=-1, required=True, shell_complete=complete_jobs)
def unpause(jobs: tuple[str, ...]) -> None:
    """Let paused jobs go on."""
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import find

    click.echo(repr(JobList(find(word).unpause() for word in jobs)))


@click.command(context_settings={"ignore_unknown_options": True})  # -5 is a number
@click.argument("job", shell_complete=complete_jobs)
@click.argument("number", metavar="N")
def priority(job: str, number: str) -> None:
    """Let a job that waits start before others, or after them: N is from -10 to 10, 0 is usual."""
    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import find
    from jupyter_blueno.jobs.sending.amounts import parse_priority

    found = find(job)
    found.priority = parse_priority(number)
    click.echo(repr(JobList([found])))


def _follow(job: Job, worker: int = 0) -> int:
    """Print the log to its end; 0 if the job went well."""
    try:
        for piece in job.logs(follow=True, worker=worker):
            click.echo(piece, nl=False)
    except KeyboardInterrupt:
        say(f"\n{job.name} goes on in the background. `blueno cancel {job.id[:8]}` stops it.")
        return 1
    if job.state == "SUCCEEDED":
        return 0
    say(f"{job.name}: {job.state.lower().replace('_', ' ')}. {job.reason or ''}".rstrip())
    return 1


def parameters_after(rest: tuple[str, ...], given: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """Parameters before and after the notebook's name; values are JSON where they can be."""
    words, pairs, waiting = [], list(given), list(rest)
    while waiting:
        part = waiting.pop(0)
        if part in {"-p", "--parameter"} and waiting:
            pairs.append(waiting.pop(0))
        elif part.startswith("-p") and "=" in part:
            pairs.append(part[2:])
        else:
            words.append(part)
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier():
            raise click.UsageError(f"-p {pair!r} is no parameter. Write -p name=value.")
        try:
            values[key] = json.loads(text)
        except ValueError:
            values[key] = text
    return words, values
