"""The operation that says which files a job wrote."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import JobList, JobRef, list_jobs
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
    from jupyter_blueno.api.jobs import _record

    root = Path(context.config.roots[-1]) if context.config.roots else None
    files = [
        WrittenFile(path, size, _below(Path(path), root))
        for path, size in _record(context, ask.job_id).written()
    ]
    return WrittenFiles(sorted(files, key=lambda file: file.size is None))


@operation("GET", "/written", resource="jobs", action="read", local=True)
def list_writers(context: Context, ask: FileRef) -> JobList:
    """Return the jobs that wrote a file, the newest first."""
    root = context.config.roots[-1] if context.config.roots else "."
    try:
        folder, name = os.path.split(os.path.join(os.path.expanduser(root), ask.path))
        path = os.path.join(os.path.realpath(folder), name)
    except ValueError:  # NUL
        return JobList([])
    return context.ask(list_jobs, JobPage(wrote=path))


def _below(path: Path, root: Path | None) -> str | None:
    real = root.expanduser().resolve() if root is not None else None
    return path.relative_to(real).as_posix() if real is not None and path.is_relative_to(real) else None
