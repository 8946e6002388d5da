"""``blueno scheduler``: starts scheduled jobs while no JupyterLab is open."""

from __future__ import annotations

import os
import shlex
import sys
import time
from datetime import datetime

import click

from jupyter_blueno.cli.output import say
from jupyter_blueno.config import Config

PERIOD = 10.0  # seconds between looks of `look`
SOON = 120.0  # seconds: what is due by then is waited for


@click.group()
def scheduler() -> None:
    """Start scheduled jobs while no JupyterLab is open."""


@scheduler.command()
def run() -> None:
    """Be the scheduler, until Ctrl-C; it sleeps until something is due."""
    from jupyter_blueno.schedules import login

    words = login.words(str(Config().home_path))
    say("Scheduled jobs are started. Ctrl-C ends that; jobs that were started go on.")
    sys.stderr.flush()
    os.execv(words[0], words)  # a small process instead of this one


@scheduler.command()
def status() -> None:
    """Say whether scheduled jobs are started while no JupyterLab is open."""
    from jupyter_blueno.schedules import login, sleeper, standby

    config = Config()
    pid = standby.scheduler(config)
    way = login.way(config)
    said = "on duty" if pid is None else f"on duty, process {pid}"
    click.echo(f"scheduler  {said if pid is not None else 'none is running'}")
    if way is None:
        click.echo("login      starts none: this machine has no systemd of yours, no launchd and no cron")
    elif login.installed(config, way):
        click.echo(f"login      starts one ({way.kind}: {way.path})")
    else:
        click.echo(f"login      starts none; `{standby.INSTALL}` changes that")
    due, watch = sleeper.read(str(config.home_path))
    soonest = "nothing" if due is None else f"{datetime.fromtimestamp(due).astimezone():%a %Y-%m-%d %H:%M %Z}"
    click.echo(f"next       {soonest}{'; datasets are watched' if watch else ''}")
    raise SystemExit(0 if pid is not None else 1)


@scheduler.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def install(yes: bool) -> None:
    """Have your login start the scheduler; shows what is written, and asks before."""
    from jupyter_blueno.schedules import login, standby

    config = Config()
    way = login.way(config)
    if way is None:
        raise click.ClickException(
            "This machine has no systemd of yours, no launchd and no cron. Start the scheduler by hand: "
            f"{shlex.join(login.words(str(config.home_path)))}"
        )
    if way.text is None:
        click.echo(f"This line is added to your crontab:\n\n{way.line}\n")
    else:
        click.echo(f"This is written to {way.path}:\n\n{way.text}")
        click.echo("Then: " + " && ".join(map(shlex.join, way.enable)))
    if not yes and not click.confirm("Go on?", default=True):
        raise SystemExit(1)
    login.install(config, way)
    deadline = time.monotonic() + 10
    while standby.scheduler(config) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if standby.scheduler(config) is None:
        raise click.ClickException("It is installed, but does not run yet. `blueno scheduler status` tells.")
    say(f"The scheduler runs. {way.advice or ''}".strip())


@scheduler.command()
def uninstall() -> None:
    """Have your login start it no longer, and end it."""
    import signal
    from contextlib import suppress

    from jupyter_blueno.schedules import login, standby

    config = Config()
    way = login.way(config)
    done = way is not None and login.uninstall(config, way)
    pid = standby.scheduler(config)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    say("The scheduler is gone." if done or pid is not None else "Your login starts no scheduler.")


@scheduler.command(hidden=True)
def look() -> None:
    """Start what is due, and go on while more is due soon or watched; the scheduler's child."""
    from jupyter_blueno.api.context import Platform
    from jupyter_blueno.schedules import sleeper

    platform = Platform(Config())
    home = str(platform.config.home_path)
    try:
        while True:
            platform.schedules.look()
            due, watch = sleeper.read(home)
            now = time.time()
            if not watch and (due is None or due > now + SOON):
                break
            if sleeper.locked(home, "server"):
                break  # a Lab was opened: it goes on from here
            time.sleep(max(0.05, PERIOD if due is None else min(PERIOD, due - now)))
    finally:
        platform.close()
