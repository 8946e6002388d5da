"""Who starts jobs when no Lab is open; its files are those of `sleeper`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from jupyter_blueno.config import Config
from jupyter_blueno.schedules import sleeper
from jupyter_blueno.schedules.model import Standby

INSTALL = "blueno scheduler install"


def tell(config: Config, due: datetime | None, watch: bool) -> None:
    """Write down what is next; nothing happens where it is so already."""
    home = str(config.home_path)
    new = (None if due is None else due.timestamp(), watch)
    path = Path(sleeper.place(home, "next.json"))
    if sleeper.read(home) != new:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".next.{secrets.token_hex(4)}")
        temporary.write_text(json.dumps({"due": new[0], "watch": new[1]}))
        temporary.replace(path)


@contextlib.contextmanager
def serving(config: Config) -> Iterator[None]:
    """Say that this process starts jobs itself, while the block lasts."""
    path = Path(sleeper.place(str(config.home_path), "server"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def scheduler(config: Config) -> int | None:
    """The process id of the scheduler on duty; None if there is none."""
    home = str(config.home_path)
    if not sleeper.locked(home, "scheduler", shared=True):
        return None
    try:
        return int(Path(sleeper.place(home, "scheduler")).read_text())
    except (OSError, ValueError):
        return None


def outlook(config: Config, here: bool) -> Standby:
    """Who starts jobs now; `here` is whether this process does."""
    if scheduler(config) is not None:
        return Standby(here, True)
    when = "when JupyterLab is closed" if here else "while no JupyterLab is open"
    return Standby(
        here,
        False,
        f"Nothing starts them {when}; what is missed is made up for as each schedule says. A scheduler "
        "that your login starts changes that.",
        INSTALL,
    )
