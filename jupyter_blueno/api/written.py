"""The operation that says which files a job wrote."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobList, JobRef, list_jobs, record_of
from jupyter_blueno.api.operation import operation
from jupyter_blueno.jobs.model import JobPage


class WrittenFile(Struct, frozen=True):
    """A file that a job wrote: its path, absolute, and its size in bytes (None: it is gone).

    `below` is its path below the server's root, where Lab can open it.
    """

    path: str
    size: int | None
    below: str | None


class FileRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its path, absolute or below the server's root."""

    path: str


class WrittenFiles(Struct, frozen=True):
    files: list[WrittenFile]


@operation("GET", "/jobs/{job_id}/written", resource="jobs", action="read", local=True)
def list_written_files(context: Context, ask: JobRef) -> WrittenFiles:
    """Return the files that the job wrote, those that are still there first.

    Files that a Python program opens are known, and those of PyTorch,
    safetensors, HDF5 and SimpleITK; not those of other programs.
    """
    root = _root(context)
    files = [
        WrittenFile(path, size, _below(path, root)) for path, size in record_of(context, ask.job_id).written()
    ]
    return WrittenFiles(sorted(files, key=lambda file: file.size is None))


@operation("GET", "/written", resource="jobs", action="read", local=True)
def list_writers(context: Context, ask: FileRef) -> JobList:
    """Return the jobs that wrote a file, the newest first."""
    from jupyter_blueno.jobs.inside.written import place_of

    try:
        path = place_of(_root(context) / ask.path)
    except ValueError:  # NUL
        return JobList([])
    return context.ask(list_jobs, JobPage(wrote=path))


def _root(context: Context) -> Path:
    """The server's own, which is the last of its roots."""
    return Path(context.config.roots[-1] if context.config.roots else ".").expanduser().resolve()


def _below(path: str, root: Path) -> str | None:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else None
