"""Processes that use a database, as Labs, kernels and commands do."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

import jupyter_blueno
from jupyter_blueno.database.embedded import EmbeddedServer
from jupyter_blueno.database.engine import Database

CREATE = sa.text("INSERT INTO dataset (team, name, owner) VALUES ('t', :name, 'o')")
NAMES = sa.text("SELECT name FROM dataset ORDER BY id")

CLIENT = """
import json, sys
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
import sqlalchemy as sa
database = Database(Config(home=sys.argv[1]))
def tell(**what):
    print(json.dumps(what), flush=True)
try:
    with database.begin() as connection:
        names = connection.scalar(sa.text("SELECT count(*) FROM dataset"))
    tell(pid=database.pool._server.pid(), datasets=names)
    sys.stdin.readline()
    database.close()
except Exception as error:
    tell(error=type(error).__name__, message=str(error), code=getattr(error, "code", None))
"""


class Client:
    """A process that uses the database of `home` until it is told to leave."""

    def __init__(self, home: Path, user: str | None = None, **environment: str) -> None:
        python, more = (sys.executable, {}) if user is None else python_for(user)
        self.process = subprocess.Popen(
            [python, "-c", CLIENT, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**_plain_environment(), **more, **environment},
            cwd="/",
            **_as_user(user),
        )

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        return dict(json.loads(line))

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def python_for(user: str) -> tuple[str, dict[str, str]]:
    """A Python that `user` can start with what the database needs, and its environment."""
    packages = os.pathsep.join(
        str(Path(place).resolve())
        for place in (Path(jupyter_blueno.__file__).parents[1], Path(psutil.__file__).parents[1])
    )
    environment = {"PYTHONPATH": packages}
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for python in filter(None, (sys.executable, system)):
        try:
            subprocess.run(
                [python, "-c", "import psycopg2, jupyter_blueno.database.engine"],
                env={**_plain_environment(), **environment},
                cwd="/",
                check=True,
                capture_output=True,
                **_as_user(user),
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python, environment
    pytest.skip(f"no Python of this version with the packages is readable for the user '{user}'")


def wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    """Return when `condition` holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def servers_of(home: Path) -> list[psutil.Process]:
    """The living processes of the embedded server of `home`, its keeper included."""
    folder = str(home / "postgres")
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            mine = process.cwd().startswith(folder) or any(folder in one for one in process.cmdline())
            if mine and process.pid != os.getpid() and CLIENT not in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, 10)


def server(database: Database) -> EmbeddedServer:
    assert database.pool._server is not None
    return database.pool._server


def pid_of(database: Database) -> int:
    found = server(database).pid()
    assert found is not None
    return found


def kill_postmaster(database: Database) -> None:
    """As `kill -9` does; its children follow by themselves, a moment later."""
    postmaster = psutil.Process(pid_of(database))
    everyone = [postmaster, *postmaster.children(recursive=True)]
    postmaster.kill()
    psutil.wait_procs(everyone, 10)


def names(database: Database) -> list[str]:
    with database.begin() as connection:
        return list(connection.scalars(NAMES))


def _plain_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("BLUENO_", "PYTHON"))}


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
