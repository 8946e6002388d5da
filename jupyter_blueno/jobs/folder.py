"""The folder of one job: everything that it is and leaves behind.

::

    home/jobs/{id}/
    ├── spec.json       what was asked, whole
    ├── run.json        what the supervisor starts: argv, folder, limits
    ├── environ         what it was submitted with in its environment; removed when it starts
    ├── code/           the snapshot: first on the job's sys.path; links into home/objects
    ├── code.json       what is in it: name → hash
    ├── variables.json  variables that its user gave; for nobody else
    ├── given.json      jobs whose results it was given: name → id
    ├── lock            held by the supervisor while it lives, and touched: its heartbeat
    ├── status.json     supervisor and process: PID and start time
    ├── paused         somebody wants it to stand still while this is here
    ├── cancel          somebody wants it to stop
    ├── log             stdout and stderr; the middle may be left out (log.json)
    ├── progress.json   what the work says of how far it is
    ├── metrics/        what it measured: curves (points.py)
    ├── metrics.json    the newest value of the first few
    ├── checkpoints/    copies to go on from (checkpoints.py)
    ├── usage/          what it uses: curves
    ├── tensorboard.txt  folders in which it wrote event files, one a line
    ├── used.jsonl      datasets that it read: version and filter, one a line
    ├── results/        values of samples, on their way into columns: a batch a file
    ├── outputs/        what it showed: one mime bundle a file
    ├── result.pickle   its value, or error.pickle: what it raised
    ├── notebook.ipynb  the executed notebook
    ├── failure.json    the line that failed, and what its variables were
    ├── ended.json      what the work said of its own end
    ├── unborn.json    the process in status.json ended before it ran anything
    ├── witnessed.json  how a command ended, for a supervisor that was not there
    ├── exit.json       how it ended: the last file that its work makes
    └── entry           what it needed and held, when that is free for others

Files appear whole, by a rename.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import msgspec

from jupyter_blueno.jobs import beneath, lean

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

Shape = TypeVar("Shape")
ELSEWHERE = ".elsewhere"  # never made: what leads out of the data folder is not there


class LogHole(msgspec.Struct, frozen=True):
    """Bytes ``start <= n < end`` of the log were left out; both ends are ends of lines."""

    start: int
    end: int


class JobFolder:
    """Reads and writes the files of one job. Holds nothing open; safe from any thread.

    Parameters
    ----------
    path : Path
    within : Path, optional
        A data folder of several people. A folder or file that leads out of it,
        by a link that one of them put there, is as one that is missing.
    """

    def __init__(self, path: Path, within: Path | None = None) -> None:
        self._path = path
        self.within = within

    @classmethod
    def of(cls, config: Config, job_id: str) -> JobFolder:
        return cls.below(config, "jobs", job_id)

    @classmethod
    def below(cls, config: Config, *parts: str) -> JobFolder:
        """A folder like that of a job, elsewhere in the data folder."""
        home = config.home_path
        return cls(home.joinpath(*parts), home if config.of_several else None)

    @property
    def path(self) -> Path:
        if self.within is None or beneath.lies(self._path, self.within):
            return self._path
        return self.within / ELSEWHERE / "folder"

    def content(self, name: str) -> bytes:
        """What a file holds."""
        if self.within is None:
            return lean.read(f"{self._path}/{name}")
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """A file, to be read."""
        path = self.path / name
        return open(path, "rb") if self.within is None else beneath.opened(path, self.within)

    @property
    def code(self) -> Path:
        return self.path / "code"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    def read(self, name: str, shape: type[Shape]) -> Shape | None:
        """A JSON file as a struct, or None if it is not there or not whole."""
        try:
            return msgspec.json.decode(self.content(name), type=shape)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, name: str, content: bytes | Any, *, durable: bool = False, private: bool = False) -> None:
        """Write a file so that readers see all of it or nothing; a `private` one is for nobody else."""
        data = content if isinstance(content, bytes) else msgspec.json.encode(content)
        lean.write_whole(f"{self.path}/{name}", data, durable, 0o600 if private else 0o666)

    def has(self, name: str) -> bool:
        return os.path.exists(f"{self.path}/{name}")

    def stamp(self, name: str) -> tuple[int, int] | None:
        """When a file last changed (ns) and its size: equal stamps, equal content."""
        try:
            found = os.stat(f"{self.path}/{name}")
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def log_size(self) -> int:
        found = self.stamp("log")
        return found[1] if found else 0

    def supervised(self) -> bool | None:
        """Whether a supervisor holds the lock; None where locks do not work.

        The kernel lets go of it when the process dies, however it dies: no
        number is compared that another process could have by now.
        """
        try:
            descriptor = os.open(f"{self.path}/lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return False

    def end(self, record: Any, unbegun: bool = False) -> bool:
        """Put an end on record that no supervisor will; False if there is one, or somebody watches.

        With `unbegun`, only of work that was never started.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _without_locks():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.has("exit.json") or (unbegun and self.has("status.json")):
                return False
            self.write("exit.json", record, durable=True)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        (self.path / "environ").unlink(missing_ok=True)
        return True

    def output_count(self) -> int:
        """How many outputs came so far, also those that were replaced."""
        try:
            names = os.listdir(self.outputs)
        except OSError:
            return 0
        return max(
            (int(name[:-5]) + 1 for name in names if name[0] != "." and name.endswith(".json")), default=0
        )

    def last_line(self, name: str) -> str:
        """The last line of a text, without its full stop."""
        try:
            with self.open(name) as file:
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].rstrip(".") if lines else ""


@contextlib.contextmanager
def _without_locks() -> Iterator[None]:
    """Go on where the volume has no locks."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):
            raise
