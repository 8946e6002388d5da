"""What a job leaves behind, read for those who ask."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from jupyter_blueno.errors import NotFound, TooLarge
from jupyter_blueno.jobs.engine import workers
from jupyter_blueno.jobs.folder import JobFolder, LogHole
from jupyter_blueno.jobs.inside import used, written
from jupyter_blueno.jobs.lifecycle import moment
from jupyter_blueno.jobs.model import Code, Output, UsedDataset
from jupyter_blueno.jobs.readings import Checkpoint, Curves, Worker, WorkerState
from jupyter_blueno.jobs.sending import snapshot

LOG_ANSWER = 4 << 20  # bytes of the log in one answer
OUTPUTS_ANSWER = 16 << 20
VALUE_ANSWER = 1 << 30
FILES = {
    "notebook": ("notebook.ipynb", "application/x-ipynb+json"),
    "log": ("log", "text/plain; charset=utf-8"),
}


class Standing(msgspec.Struct, frozen=True):
    """What whoever watches a worker wrote down of it; see `engine/workers.py`."""

    state: WorkerState = "waiting"
    code: int | None = None
    host: str | None = None
    started_at: float | None = None
    finished_at: float | None = None


class JobRecord:
    """The readable side of a job's folder, while it runs and afterwards."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder

    def of_worker(self, rank: int) -> JobRecord:
        """What one of several workers left behind; rank 0 is the job itself."""
        if not rank:
            return self
        return JobRecord(JobFolder(self.folder.path / workers.FOLDER / str(rank), self.folder.within))

    def workers(self) -> list[Worker]:
        """How each of several workers stands; none where there is one alone."""
        count = 1 + max((int(name) for name in _numbers(self.folder.path / workers.FOLDER)), default=0)
        return [self._worker(rank) for rank in range(count)] if count > 1 else []

    def _worker(self, rank: int) -> Worker:
        said = self.folder.read(f"{workers.FOLDER}/{rank}/{workers.RANK}", Standing) or Standing()
        size = self.of_worker(rank).folder.log_size()
        return Worker(
            rank, said.state, said.code, said.host, moment(said.started_at), moment(said.finished_at), size
        )

    def log(self, offset: int, limit: int, worker: int = 0) -> tuple[bytes, int, int]:
        """A piece of the log, of one of several workers.

        Parameters
        ----------
        offset : int
            In bytes; a negative one counts from the end.
        limit : int
            At most so many bytes, and at most 4 MB.

        Returns
        -------
        text : bytes
        offset : int
            Where it begins: later than asked for, when the log's middle was
            left out there.
        size : int
            The whole log's, with what was left out.
        """
        if worker:
            return self.of_worker(worker).log(offset, limit)
        size = self.folder.log_size()
        offset = max(0, size + offset) if offset < 0 else min(offset, size)
        length = max(0, min(limit, LOG_ANSWER))
        hole = self.folder.read("log.json", LogHole)
        if hole is not None and hole.start <= offset < hole.end:
            offset = hole.end
        if hole is not None and offset < hole.start:
            length = min(length, hole.start - offset)
        return self._read(offset, length), offset, size

    def outputs(self, after: int) -> list[Output]:
        """Outputs with a greater index, up to some 16 MB of them."""
        found: list[Output] = []
        total = 0
        with contextlib.suppress(FileNotFoundError):
            names = sorted(name for name in os.listdir(self.folder.outputs) if name[0] != ".")
            for name in names:
                if not name.endswith(".json") or int(name[:-5]) <= after:
                    continue
                with contextlib.suppress(OSError, msgspec.DecodeError):  # replaced meanwhile
                    content = (self.folder.outputs / name).read_bytes()
                    total += len(content)
                    if found and total > OUTPUTS_ANSWER:
                        break
                    found.append(msgspec.json.decode(content, type=Output))
        return found

    def curves(self, name: str, after: str = "", limit: int = 1000) -> Curves:
        """Curves of the folder ``metrics`` or ``usage``; see `curves.read`."""
        from jupyter_blueno.jobs import curves

        return curves.read(self.folder.path / name, after, limit)

    def checkpoints(self) -> list[Checkpoint]:
        """What it kept to go on from, the newest first."""
        from jupyter_blueno.jobs.inside import checkpoints

        return msgspec.convert(checkpoints.found(str(self.folder.path))[::-1], list[Checkpoint])

    def used(self) -> list[UsedDataset]:
        """The datasets that it read, with version and filter."""
        try:
            with self.folder.open(used.FILE) as file:
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        return used.read(lines)

    def written(self) -> list[tuple[str, int | None]]:
        """The paths of the files that it wrote, and their sizes; None: gone, or not seen from here."""
        try:
            with self.folder.open(written.FILE) as file:
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        return [(path, _size(path)) for path in written.read(lines)]

    def code(self) -> Code:
        """What ran.

        Raises
        ------
        NotFound
            If the folder is gone.
        """
        return snapshot.read(self.folder)

    def file(self, name: str) -> tuple[bytes, str]:
        """A whole file, and its media type.

        ``result`` is the pickle of a function's value, or of the exception
        that it raised.
        """
        if name == "log":
            return self._whole_log(), FILES["log"][1]
        if name == "result":
            for file, kind in (("result.pickle", "value"), ("error.pickle", "error")):
                with contextlib.suppress(OSError):
                    place = self.folder.path / file
                    _check_size(place)
                    return place.read_bytes(), f"application/vnd.blueno.{kind}+pickle"
            raise NotFound("The job kept no value.", code="job_result_missing")
        file, media_type = FILES[name]
        try:
            return (self.folder.path / file).read_bytes(), media_type
        except OSError:
            raise NotFound("The job has no executed notebook.", code="job_file_missing") from None

    def _whole_log(self) -> bytes:
        hole = self.folder.read("log.json", LogHole)
        size = self.folder.log_size()
        if hole is None:
            return self._read(0, size)
        note = f"\n[… {(hole.end - hole.start) / 1e6:.1f} MB left out …]\n\n".encode()
        return self._read(0, hole.start) + note + self._read(hole.end, size - hole.end)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            with open(self.folder.path / "log", "rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError:
            return b""


def _numbers(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.isdecimal()]
    except OSError:
        return []


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > VALUE_ANSWER:
        raise TooLarge(
            f"The value is {size / 1e9:.1f} GB, too large to be sent. It is in {path} on the machine of the "
            "jobs: load it there with pickle.load, or have the job save what is needed of it.",
            code="job_result_too_large",
        )


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
