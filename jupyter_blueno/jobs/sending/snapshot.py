"""What runs is a snapshot: taken when the job is submitted, kept in its folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from jupyter_blueno.errors import Conflict, NotFound, Unavailable
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Code, JobSpec
from jupyter_blueno.jobs.sending import environment, files, modules, ranks, request, scripts
from jupyter_blueno.jobs.sending.objects import Objects
from jupyter_blueno.jobs.sending.roots import roots_of

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

RESUME_FROM = "BLUENO_RESUME_FROM"  # the folder of the job whose checkpoints a job goes on from
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
def kept_or_said() -> Iterator[None]:
    """What cannot be written, as on a full disk, in a sentence."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The job cannot be kept: {error.strerror or error}. Mend that, then submit it again.",
            code="job_not_kept",
        ) from error


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
    if is_of(folder, digest):
        yield None
        return
    fresh = folder.path.with_name(f".{folder.path.name}.{secrets.token_hex(4)}")
    fresh.mkdir(parents=True)
    try:
        (fresh / "code").mkdir(mode=0o700)
        yield fresh
        try:
            fresh.rename(folder.path)
        except OSError:
            if not is_of(folder, digest):
                raise
            shutil.rmtree(fresh, ignore_errors=True)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def is_of(folder: JobFolder, digest: str) -> bool:
    """Whether a folder is there, laid out for this request.

    Raises
    ------
    Conflict
        If it belongs to another one.
    """
    if not folder.path.exists():
        return False
    found = folder.read("spec.json", SpecFile)
    if found is None or found.digest != digest:
        raise Conflict("Another job has this id already; make a new one.", code="job_id_taken")
    return True


def take(spec: JobSpec, folder: JobFolder, working_folder: str, python: str, objects: Objects) -> None:
    """Keep the text, the local modules that it imports, and the files that were named.

    Raises
    ------
    InvalidInput
        If a file is named that is not there.
    TooLarge
    """
    taken: dict[str, str] = {}
    if spec.kind == "cell":
        taken["cell.py"] = objects.place((spec.source or "").encode(), folder.code / "cell.py")
    script = scripts.of(spec, working_folder)
    used = modules.used(spec)
    roots = roots_of(working_folder, spec, python)
    if script is not None:
        (folder.code / script.name).parent.mkdir(parents=True, exist_ok=True)
        taken[script.name] = objects.place(script.path, folder.code / script.name)
        used = modules.imported(script.path.read_text(encoding="utf-8", errors="replace"))
        roots = list(dict.fromkeys([script.path.parent, *roots]))
    local = modules.LocalModules(roots, folder.code, objects)
    local.take(used)
    taken |= local.taken
    for name, file in files.named(spec.files, Path(working_folder)).items():
        target = folder.code / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            taken[name] = objects.place(file, target)
    if taken:
        folder.write("code.json", taken)


def write_down(
    folder: JobFolder, name: str, digest: str, spec: JobSpec, plan: dict[str, Any], durable: bool = True
) -> None:
    """Keep what was asked for, and what the supervisor is to do."""
    shown = request.without_secrets(spec)
    folder.write("spec.json", {"name": name, "digest": digest, "spec": shown}, durable=durable)
    if spec.environment:
        folder.write("variables.json", spec.environment, durable=durable, private=True)
    if spec.given:
        folder.write("given.json", spec.given, durable=durable)
    folder.write("run.json", plan, durable=durable)
    if plan.get("workers", 1) > 1:
        ranks.lay_out(folder, plan)


def asked(folder: JobFolder) -> SpecFile | None:
    """What was asked for, with the values of variables, which are for nobody else."""
    record = folder.read("spec.json", SpecFile)
    if record is None or not record.spec.environment:
        return record
    values = folder.read("variables.json", dict[str, str]) or {}
    spec = msgspec.structs.replace(record.spec, environment={**record.spec.environment, **values})
    return msgspec.structs.replace(record, spec=spec)


def copy(old: JobFolder, new: JobFolder) -> None:
    """Take the snapshot of another job over."""
    shutil.copytree(old.code, new.code, dirs_exist_ok=True, symlinks=True, copy_function=link)
    with contextlib.suppress(OSError), old.open("code.json") as file:
        new.write("code.json", file.read())


def resumed(spec: JobSpec, old: JobFolder) -> JobSpec:
    """The same work, which goes on from the checkpoints of an earlier job, or of that one's."""
    place = str(old.path)
    if not any((old.path / "checkpoints").glob("*")):
        place = spec.environment.get(RESUME_FROM, place)
    return msgspec.structs.replace(spec, environment={**spec.environment, RESUME_FROM: place})


def link(source: str, target: str) -> None:
    """The same file once more; a copy where a link cannot be."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def contents(folder: JobFolder) -> list[str]:
    """Hashes of what a job has in the store."""
    return list((folder.read("code.json", dict[str, str]) or {}).values())


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
    languages = {"notebook": "ipynb", "command": "shell", "ingest": "json", "sweep": "json", "flow": "json"}
    source = spec.source or " ".join(map(_quoted, spec.command))
    kept = folder.read("environment.json", EnvironmentFile) or EnvironmentFile()
    built = folder.read("packages.json", tuple[str, list[str]])
    if built is not None:
        kept = msgspec.structs.replace(kept, python=built[0], packages=built[1])
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
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str | None, str], list[JobFolder]] = {}

    def record(self, folders: list[JobFolder], python: str | None, working_folder: str) -> None:
        """With `python` None, the job itself writes down what its environment holds.

        What waits for the same environment and folder is looked up once.
        """
        with self._lock:
            waiting = self._waiting.setdefault((python, working_folder), [])
            waiting += folders
        if len(waiting) == len(folders):
            self.later(lambda: self._record(python, working_folder))

    def later(self, work: Callable[[], object]) -> None:
        """Do something when nothing else is to be written."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="blueno-record")
        self._pool.submit(work)

    def close(self) -> None:
        """Wait for what is being written."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def _record(self, python: str | None, working_folder: str) -> None:
        with self._lock:
            folders = self._waiting.pop((python, working_folder))
        version, packages = None, list[str]()
        if python is not None:
            version, packages = environment.packages(python, self.config.folder("cache", "packages"))
        commit, diff = environment.commit(working_folder)
        content = msgspec.json.encode(EnvironmentFile(packages, version, commit, diff))
        for folder in folders:
            with contextlib.suppress(OSError):  # deleted meanwhile
                folder.write("environment.json", content)
