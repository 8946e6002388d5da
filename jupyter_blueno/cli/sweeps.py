"""``blueno sweep`` and ``blueno trials``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jupyter_blueno.cli.output import as_json, complete_jobs, print_json, resources, say, sent_along

if TYPE_CHECKING:
    from jupyter_blueno.client.sweeps import Sweep

_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+)(:(?P<more>.+))?")


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--of", "job", metavar="JOB", help="Instead of a command: what this job ran.")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    metavar="NAME=VALUES",
    multiple=True,
    required=True,
    help="What to try: a,b,c or low..high, low..high:log, low..high:step.",
)
@click.option("--objective", required=True, help="The metric that counts, as the work logs it.")
@click.option("--minimize/--maximize", "minimize", default=None, help="Default: by the objective's name.")
@click.option("--best", is_flag=True, help="The best point of the metric counts, not the last.")
@click.option("--trials", type=int, help="How many.  [default: 20, or the grid]")
@click.option("--at-once", type=int, default=2, show_default=True, help="How many at the same time.")
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random", "grid"]),
    default="tpe",
    show_default=True,
    help="Who chooses.",
)
@click.option("--prune", is_flag=True, help="End trials early that do worse than most did.")
@click.option("--hours", type=float, help="Start no more after so many hours.")
@click.option("--patience", type=int, help="Start no more after so many that were not better.")
@click.option("--target", type=float, help="Stop when the objective is reached.")
@click.option("--failures", type=int, help="Stop after so many that failed.")
@click.option("--seed", type=int, help="The same one proposes the same values by chance.")
@click.option("--name", help="What the sweep is called.")
@resources
@sent_along
@click.option("-f", "--follow", is_flag=True, help="Print its log until it ends; exit as it does.")
def sweep(
    command: tuple[str, ...], job: str | None, parameters: tuple[str, ...], follow: bool, **options: Any
) -> None:
    """Run a command, a script or a notebook with many values; prints the sweep's id.

    \b
    blueno sweep -p lr=1e-4..1e-1:log -p batch=16,32 --objective loss train.py --lr {lr} --batch {batch}
    blueno sweep -p lr=0.1,0.01 --objective val_accuracy train.ipynb
    blueno sweep -p lr=0.1,0.01 --objective val_accuracy --of 1a2b3c4d
    """
    from jupyter_blueno.cli.jobs import _follow
    from jupyter_blueno.client import sweeps
    from jupyter_blueno.client.jobs import find

    stop = {name: options.pop(name) for name in ("hours", "patience", "target", "failures")}
    minimize, best = options.pop("minimize"), options.pop("best")
    work: Any = list(command)
    if bool(work) == bool(job):
        raise click.UsageError("Give a command, a script or a notebook; or --of JOB.")
    if job:
        work = find(job)
        source = click.get_current_context().get_parameter_source
        options = {name: options[name] for name in options if source(name) is ParameterSource.COMMANDLINE}
    elif work[0].endswith(".ipynb"):
        if len(work) > 1:
            raise click.UsageError(f"Options stand before the notebook, not after it: {work[1]!r}.")
        work = work[0]
    elif work[0].endswith(".py"):
        if not Path(work[0]).exists():
            raise click.UsageError(f"There is no file {work[0]}.")
        options["name"] = options["name"] or Path(work[0]).stem
        python = "python" if options["python"] or options["requirements"] else sys.executable
        work = [python, "-u", *work]
    found: Sweep = sweeps.sweep(
        work,
        direction=None if minimize is None else "minimize" if minimize else "maximize",
        take="best" if best else "last",
        stop={name: value for name, value in stop.items() if value is not None},
        space=dict(map(_parameter, parameters)),
        **options,
    )
    if options.get("dry_run"):
        click.echo(repr(found))
        return
    if follow:
        raise SystemExit(_follow(found))
    click.echo(found.id[:8])
    say(f"{found.name} is swept in the background. `blueno trials {found.id[:8]}` shows how it goes.")


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@as_json
def trials(job: str, as_json: bool) -> None:
    """List the trials of a sweep, the best of them marked. JOB is an id, the beginning of one, or a name."""
    from jupyter_blueno.client.jobs import find
    from jupyter_blueno.client.sweeps import Sweep

    found = find(job)
    if not isinstance(found, Sweep):
        raise click.UsageError(f"The job {job!r} is not a sweep.")
    told = found.trials()
    if as_json:
        print_json([one._told for one in told])
        return
    click.echo(repr(told))


def _parameter(text: str) -> tuple[str, Any]:
    """``lr=1e-4..1e-1:log`` → its name, and what is to be tried."""
    from jupyter_blueno.client import ranges

    name, equals, values = text.partition("=")
    if not equals or not name.isidentifier() or not values:
        raise click.UsageError(f"-p {text!r} is no parameter. Write -p lr=0.1,0.01 or -p lr=0.001..0.1:log.")
    match = _RANGE.fullmatch(values)
    if match is None:
        return name, [_value(part) for part in values.split(",")]
    low, high = _value(match["low"]), _value(match["high"])
    more = match["more"]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in (low, high)):
        raise click.UsageError(f"-p {text!r}: a range goes from one number to another, as 0.001..0.1.")
    whole = isinstance(low, int) and isinstance(high, int)
    if more == "log":
        return name, ranges.integers(low, high, log=True) if whole else ranges.log_uniform(low, high)
    step = None if more is None else _value(more)
    if step is not None and not isinstance(step, int | float):
        raise click.UsageError(f"-p {text!r}: after the range comes :log or the size of a step.")
    if whole and (step is None or isinstance(step, int)):
        return name, ranges.integers(low, high, step or 1)
    return name, ranges.uniform(low, high, step)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
