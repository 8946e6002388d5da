"""The scheduler of a data folder: sleeps until something is due, then has it started.

Started by the user's login (`login.py`) or by hand (``blueno scheduler run``). It
imports nothing but the standard library and holds no database: what is next
lies in a file, and whoever starts jobs is a child that ends again.

::

    home/schedules/next.json         when the next one is due; whether there is more to watch
    home/schedules/scheduler         locked by the scheduler while it lives; its process id
    home/schedules/server            locked by servers that start jobs themselves
    home/schedules/environment.json  the environment that it begins with
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType

PERIOD = 5.0  # seconds between looks at the file
GRACE = 60.0  # seconds that a server gets to start what is due
PAUSE = 30.0  # seconds after a child that failed; doubled up to
LONGEST_PAUSE = 900.0
LOOK = ["-m", "jupyter_blueno", "scheduler", "look"]


def place(home: str, name: str) -> str:
    """The path of one of its files."""
    return os.path.join(home, "schedules", name)


def read(home: str) -> tuple[float | None, bool]:
    """When the next one is due (seconds since 1970), and whether there is more to watch."""
    try:
        with open(place(home, "next.json")) as file:
            found = json.load(file)
        return found["due"], bool(found["watch"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, False


@contextlib.contextmanager
def on_duty(home: str) -> Iterator[bool]:
    """Be the scheduler of a data folder while the block lasts; False if there is another."""
    os.makedirs(place(home, ""), exist_ok=True)
    with open(place(home, "scheduler"), "a+") as file:
        for left in range(5, -1, -1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:  # perhaps somebody only looks whether one is there
                if not left:
                    yield False
                    return
                time.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield True


def locked(home: str, name: str, shared: bool = False) -> bool:
    """Whether somebody holds a file of the folder; `shared`: that is looked at by many at once."""
    with contextlib.suppress(OSError), open(place(home, name)) as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def wanted(home: str, now: float) -> bool:
    """Whether a child has something to do now."""
    due, watch = read(home)
    if locked(home, "server"):  # it starts them itself, unless it hangs
        return due is not None and due + GRACE < now
    return watch or (due is not None and due <= now)


def serve(home: str) -> int:
    """Have what is due started, for ever; the exit status."""
    child: subprocess.Popen[bytes] | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        if child is not None:
            child.terminate()
        raise SystemExit(0)

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stop)
    pause = PAUSE
    with on_duty(home) as mine:
        if not mine:
            print("Another scheduler is on duty for this data folder.", file=sys.stderr)
            return 1
        while True:
            if wanted(home, time.time()):
                child = subprocess.Popen([sys.executable, *LOOK])
                status = child.wait()
                child = None
                if status != 0 or wanted(home, time.time()):
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                else:
                    pause = PAUSE
            due, _ = read(home)
            time.sleep(max(0.05, PERIOD if due is None else min(PERIOD, due - time.time())))


def main() -> None:
    home = sys.argv[1]
    with contextlib.suppress(OSError, ValueError), open(place(home, "environment.json")) as file:
        os.environ.update(json.load(file))
    os.environ["BLUENO_HOME"] = home
    sys.exit(serve(home))


if __name__ == "__main__":
    main()
