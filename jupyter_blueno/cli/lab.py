"""``blueno lab``: JupyterLab with the panel in view."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import click

from jupyter_blueno.cli.output import say

PATIENCE = 20.0  # seconds that JupyterLab gets to stop
EXAMPLES = "blueno-examples"  # folder of the copies that people may change
WELCOME = "01-browse.ipynb"


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--demo", is_flag=True, help="Prepare demo data and example notebooks first.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lab(demo: bool, arguments: tuple[str, ...]) -> None:
    """Start JupyterLab with Blueno. Further options go to JupyterLab: --no-browser, --port=8889 …

    Ctrl-C stops everything but background jobs.
    """
    from jupyter_blueno.api.context import Context
    from jupyter_blueno.client import session

    context = Context.local()
    session.use(transport=context)  # this process, whatever else runs: it holds the database meanwhile
    with _step("Database"), context.database.begin():
        pass
    page = "/lab"
    if demo:
        with _step("Demo data"):
            _demo()
        folder = _examples(_root_of(arguments))
        if folder is not None:
            page = f"/lab/tree/{folder}/{WELCOME}"
    say("JupyterLab …")
    opened = f"--LabApp.default_url=/blueno/open{page}"  # with the panel in view
    status = _serve([opened, *arguments], context.config.environment())
    _tell_of_jobs()
    _tell_of_schedules()
    session.close()
    raise SystemExit(status)


def _demo() -> None:
    from jupyter_blueno.client.demo import demo
    from jupyter_blueno.errors import MissingDependency

    try:
        demo()
    except MissingDependency as error:
        say(f"  {error.message}")  # Lab is worth starting without


def _examples(root: Path) -> str | None:
    """Copy the example notebooks below the notebook folder, where they are not; the folder's name."""
    from jupyter_blueno.api import starters

    source = starters.examples()
    if source is None:
        return None
    target = root / EXAMPLES
    try:
        target.mkdir(exist_ok=True)
        for notebook in sorted(source.glob("*.ipynb")):
            if not (target / notebook.name).exists():
                shutil.copyfile(notebook, target / notebook.name)
    except OSError as error:
        say(f"  The examples could not be copied to {target} ({error.strerror}).")
        return None
    return EXAMPLES


def _root_of(arguments: tuple[str, ...]) -> Path:
    """The folder that JupyterLab will show."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--ServerApp.root_dir", "--notebook-dir", "--ServerApp.notebook_dir", dest="root")
    known, others = parser.parse_known_args(arguments)
    folders = [one for one in others if not one.startswith("-") and Path(one).is_dir()]
    return Path(known.root or (folders[0] if folders else ".")).expanduser().absolute()


def _serve(arguments: list[str], environment: dict[str, str]) -> int:
    """Run JupyterLab as a child; pass signals on; its exit status."""
    command = [sys.executable, "-m", "jupyterlab", *arguments]
    if os.name == "posix" and os.geteuid() == 0 and "--allow-root" not in arguments:
        command.append("--allow-root")
    # A group of its own: a Ctrl-C reaches it once, from here, and it is not asked "y/n".
    child = subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
    asked: list[float] = []  # when; the second time there is no more patience

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM if len(asked) == 1 else signal.SIGKILL)

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        while True:
            try:
                status = child.wait(1)
                return 0 if asked else status
            except subprocess.TimeoutExpired:
                if asked and time.monotonic() - asked[0] > PATIENCE:
                    child.kill()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _tell_of_jobs() -> None:
    """Say which jobs go on without JupyterLab."""
    from jupyter_blueno.client.jobs import jobs
    from jupyter_blueno.errors import BluenoError
    from jupyter_blueno.jobs.lifecycle import ACTIVE

    try:
        running = jobs(state=list(ACTIVE))
    except BluenoError as error:
        say(f"JupyterLab has stopped. {error.message}")
        return
    if not running:
        say("JupyterLab has stopped. No background jobs are running.")
        return
    words = "1 background job goes on" if len(running) == 1 else f"{len(running)} background jobs go on"
    say(f"JupyterLab has stopped. {words}:")
    say(repr(running))
    say("`blueno logs -f ID` shows what one prints, `blueno cancel ID` stops it.")


def _tell_of_schedules() -> None:
    """Say so if nothing starts scheduled jobs from now on."""
    from jupyter_blueno.client.schedules import schedules
    from jupyter_blueno.errors import BluenoError

    try:
        found = schedules()
    except BluenoError:
        return
    if any(one._info.next_due or one._info.timing.dataset for one in found if not one._info.paused):
        standby = found.standby
        if standby.sentence is not None:
            say(f"Scheduled jobs are not started now. `{standby.command}` has your login do so.")


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Print a line before and after something that takes a while."""
    begun = time.monotonic()
    say(f"{title} …")
    yield
    say(f"{title} ready ({time.monotonic() - begun:.1f} s)")
