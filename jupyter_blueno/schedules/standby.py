"""Who fires schedules when no Lab is open.

::

    home/schedules/next.json   when the next one is due, and whether there is more to watch
    home/schedules/scheduler   held by the scheduler of this data folder while it lives

The scheduler (``blueno scheduler run``) sleeps until then and holds no database:
whoever changes schedules writes the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from jupyter_blueno.config import Config

INSTALL = "blueno scheduler install"


class Next(msgspec.Struct, frozen=True):
    """`due` in seconds since 1970; `watch`: a dataset may start one, or a run waits for another."""

    due: float | None = None
    watch: bool = False


def tell(config: Config, due: datetime | None, watch: bool) -> None:
    """Write down what is next; nothing happens where it is so already."""
    path = _path(config, "next.json")
    new = Next(None if due is None else due.timestamp(), watch)
    if read(config) != new:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".next.{secrets.token_hex(4)}")
        temporary.write_bytes(msgspec.json.encode(new))
        temporary.replace(path)


def read(config: Config) -> Next | None:
    """What is next; None where nobody has ever said."""
    try:
        return msgspec.json.decode(_path(config, "next.json").read_bytes(), type=Next)
    except (OSError, msgspec.DecodeError):
        return None


@contextlib.contextmanager
def on_duty(config: Config) -> Iterator[bool]:
    """Be the scheduler of the data folder while the block lasts; False if there is another."""
    path = _path(config, "scheduler")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield True


def scheduler(config: Config) -> int | None:
    """The process id of the scheduler that is on duty; None if there is none."""
    try:
        with open(_path(config, "scheduler")) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(file.read() or 0)
    except (OSError, ValueError):
        pass
    return None


def _path(config: Config, name: str) -> Path:
    return config.home_path / "schedules" / name
