"""What runs is a snapshot: taken when the job is submitted, kept in its folder."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jupyter_blueno.errors import Conflict, NotFound
from jupyter_blueno.jobs import environment, modules
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Code, JobSpec

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

TEXT_SHOWN = 1 << 20  # bytes of one module in an answer


class SpecFile(Struct, frozen=True):
    """The content of ``spec.json``."""

    name: str
    digest: str
    spec: JobSpec


class EnvironmentFile(Struct, frozen=True):
    """The content of ``environment.json``: written soon after the start."""

    packages: list[str] = []
    python: str | None = None
    commit: str | None = None
    diff: str | None = None


@contextlib.contextmanager
def folder_for(folder: JobFolder, digest: str) -> Iterator[Path | None]:
    """A place to lay out a job's folder; it gets its name when the block ends.

    Yields None where the same request was laid out before: by a twin of it, or
    by a process that died before it could go on.

    Raises
    ------
    Conflict
        If the folder belongs to another request.
    """
    if not _same(folder, digest):
        fresh = folder.path.with_name(f".{folder.path.name}.{secrets.token_hex(4)}")
        (fresh / "code").mkdir(parents=True, mode=0o700)
        try:
            yield fresh
            try:
                fresh.rename(folder.path)
            except OSError:
                if not _same(folder, digest):
                    raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    else:
        yield None


def _same(folder: JobFolder, digest: str) -> bool:
    if not folder.path.exists():
        return False
    found = folder.read("spec.json", SpecFile)
    if found is None or found.digest != digest:
        raise Conflict("Another job has this id already; make a new one.", code="job_id_taken")
    return True


def take(spec: JobSpec, folder: JobFolder, working_folder: str) -> None:
    """Keep the text and the local modules that it imports."""
    if spec.kind == "cell":
        (folder.code / "cell.py").write_text(spec.source or "", encoding="utf-8")
    modules.LocalModules(modules.roots_of(working_folder, spec), folder.code).take(modules.used(spec))


def copy(old: JobFolder, new: JobFolder, content: dict[str, Any]) -> None:
    """Take the snapshot of another job over; `content` is what ``spec.json`` says now."""
    shutil.copytree(old.code, new.code, dirs_exist_ok=True)
    new.write("spec.json", content, durable=True)


def read(folder: JobFolder) -> Code:
    """What ran.

    Raises
    ------
    NotFound
        If the folder is gone.
    """
    record = folder.read("spec.json", SpecFile)
    if record is None:
        raise NotFound("What the job ran is no longer on disk.", code="job_code_missing")
    spec = record.spec
    languages = {"notebook": "ipynb", "command": "shell", "ingest": "json"}
    source = spec.source or " ".join(map(_quoted, spec.command))
    kept = folder.read("environment.json", EnvironmentFile) or EnvironmentFile()
    texts = {}
    for path in sorted(folder.code.rglob("*.py")):
        name = str(path.relative_to(folder.code))
        if name != "cell.py":
            texts[name] = path.read_text(encoding="utf-8", errors="replace")[:TEXT_SHOWN]
    return Code(
        languages.get(spec.kind, "python"),
        source,
        texts,
        kept.packages,
        kept.python,
        kept.commit,
        kept.diff,
    )


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


class Recorder:
    """Writes down packages and commit, while the job is already running."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._pool: ThreadPoolExecutor | None = None

    def record(self, folder: JobFolder, python: str, working_folder: str) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="blueno-record")
        self._pool.submit(self._record, folder, python, working_folder)

    def close(self) -> None:
        """Wait for what is being written."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def _record(self, folder: JobFolder, python: str, working_folder: str) -> None:
        version, packages = environment.packages(python, self.config.folder("cache", "packages"))
        commit, diff = environment.commit(working_folder)
        with contextlib.suppress(OSError):  # deleted meanwhile
            folder.write("environment.json", EnvironmentFile(packages, version, commit, diff))
