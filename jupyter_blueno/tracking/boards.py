"""TensorBoards: one server for each set of jobs, started when it is looked at, ended when nobody does."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import re
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from jupyter_blueno.config import Config
from jupyter_blueno.errors import MissingDependency, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside.listeners.tensorboard import FILE
from jupyter_blueno.jobs.model import TERMINAL, Job, Person
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.tracking.companion import Companion
from jupyter_blueno.tracking.events import EventFile

Look = Callable[[str], Job]  # how a job stands, by its id

PERIOD = 3.0  # seconds between looks for new metrics
MOST = 200  # jobs in one board
OWN = "tensorboard"  # the folder of a job in which event files are found
SERVE = Path(__file__).with_name("serve_board.py")


class Board:
    """TensorBoard over some jobs.

    What it reads is a folder with one for each job: links to where the job wrote
    event files, and a file made of the metrics that it logged.
    """

    def __init__(self, folder: Path, config: Config, shown: list[Job], look: Look) -> None:
        self.folder = folder / "jobs"
        self._config = config
        self._look = look
        self._after = {job.id: "" for job in shown}
        self._names = {job.id: _called(job) for job in shown}
        self._files = {job.id: EventFile(self.folder / _called(job)) for job in shown}
        self._ended = threading.Event()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.feed()

        def command(socket: str) -> list[str]:
            return [sys.executable, "-P", "-W", "ignore", str(SERVE), socket, str(self.folder)]

        self.companion = Companion("TensorBoard", folder, command, health="/data/environment")
        self.companion.begin()
        threading.Thread(target=self._feed_on, name="blueno-tensorboard", daemon=True).start()

    def feed(self) -> bool:
        """Bring in what is new of its jobs; False once all of them are over."""
        going = False
        for job_id, name in self._names.items():
            with contextlib.suppress(NotFound):  # deleted meanwhile
                going |= self._look(job_id).state not in TERMINAL
            folder = JobFolder.of(self._config, job_id)
            for number, place in enumerate(logged(folder)):
                link = self.folder / name / f"files-{number + 1}" if number else self.folder / name / "files"
                if not link.is_symlink():
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(place, target_is_directory=True)
            curves = JobRecord(folder).curves("metrics", self._after[job_id], 10_000)
            self._after[job_id] = curves.after
            self._files[job_id].add(curves)
        return going

    def close(self) -> None:
        """Let go of it."""
        self._ended.set()
        self.companion.close()

    def _feed_on(self) -> None:
        while not self._ended.wait(PERIOD):
            with contextlib.suppress(Exception):  # looked at again soon
                if not self.feed():
                    return


class Boards:
    """The boards of one process. Thread-safe."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._boards: dict[str, Board] = {}

    def open(self, user: Person, jobs: list[Job], look: Look) -> str:
        """The key of the board of some jobs; it is started if there is none. `look` says how one stands.

        Raises
        ------
        MissingDependency
            If TensorBoard is not installed.
        """
        if importlib.util.find_spec("tensorboard") is None:
            raise MissingDependency(
                "TensorBoard is not installed where Blueno runs; run "
                "pip install 'jupyter-blueno[tensorboard]' there.",
                code="tensorboard_missing",
            )
        shown = sorted({job.id: job for job in jobs}.values(), key=lambda job: job.id)
        text = "\n".join([user.team, user.name, *(job.id for job in shown)])
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        with self._lock:
            for other, board in list(self._boards.items()):
                if board.companion.state in ("running", "stopped") and board.companion.release_idle():
                    self._boards.pop(other).close()
            if key not in self._boards:
                folder = self._config.folder("cache", "tensorboard", key)
                self._boards[key] = Board(folder, self._config, shown, look)
        return key

    def get(self, key: str) -> Companion:
        """The server of a board.

        Raises
        ------
        NotFound
            If it was not opened, or ended long ago.
        """
        with self._lock:
            board = self._boards.get(key)
        if board is None:
            raise NotFound(
                "This TensorBoard has ended. Open it again from the job.", code="tensorboard_not_found"
            )
        return board.companion

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            boards, self._boards = self._boards, {}
        for board in boards.values():
            board.close()


def logged(folder: JobFolder) -> list[Path]:
    """Folders in which a job wrote event files, as far as they are there."""
    places = [folder.path / OWN]
    with contextlib.suppress(OSError):
        places += map(Path, (folder.path / FILE).read_text("utf-8", "replace").splitlines())
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def _called(job: Job) -> str:
    """A job as a folder's name."""
    return f"{re.sub(r'[^A-Za-z0-9_.=-]+', '-', job.name)[:60]}-{job.id[:8]}"
