"""What a job's supervisor does, as ``run.json`` says it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jupyter_blueno.jobs import inside
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import CONDUCTORS, JobSpec
from jupyter_blueno.jobs.sending import environments, interpreters, request, scripts

if TYPE_CHECKING:
    from jupyter_blueno.config import Config

INSIDE = os.path.dirname(inside.__file__)
RUNNER = os.path.join(INSIDE, "runner.py")
BUILDING = os.path.join(INSIDE, "building.py")
LOG_LIMIT = 64 << 20  # bytes of a log on disk
PROCESS_LIMIT = 512
GRACE = 5.0  # seconds between asking a job to stop and ending it
CONDUCTOR_PAUSE = 1.0  # seconds before a sweep or flow is tried again: it takes up where it was


class Place(Struct, frozen=True):
    """Where work stands, as it was seen where its files are: all of a plan that has to be looked for.

    Kept with a snapshot (``place.json``), so that jobs are made of it without a
    look at anything. `python` is the interpreter, `build` the environment that is
    built of it first.
    """

    cwd: str
    python: str
    build: dict[str, Any] | None = None
    script: scripts.Found | None = None


def look(config: Config, spec: JobSpec) -> Place:
    """Find folder, interpreter and script of some work.

    Raises
    ------
    InvalidInput
        If there is no such folder or interpreter.
    """
    cwd = request.working_folder(config, spec)
    build = environments.needed(spec, config.home_path)
    python = environments.PYTHON if build else interpreters.place(spec.python)
    environments.check_version(spec, build["base"] if build else python)
    return Place(cwd, python, build, scripts.find(spec, cwd))


def of(config: Config, job_id: str, spec: JobSpec, place: Place | None = None) -> dict[str, Any]:
    """The plan for a job; see `supervisor.py`. Without a `place` it is looked for."""
    folder = str(JobFolder.of(config, job_id).path)
    place = place or look(config, spec)
    python, build = place.python, place.build
    script = scripts.at(spec, place.script)
    if script is not None:
        own = script.python if config.jobs_backend == "local" else spec.command[0]
        argv = [python if build or spec.python else own, *script.flags, RUNNER, folder]
    elif spec.command:
        argv = scripts.with_python(spec, python)
    else:
        argv = [python, RUNNER, folder]
    workers = spec.resources.workers
    together = workers if config.jobs_backend == "local" else 1
    return {
        "id": job_id,
        "folder": folder,
        "workers": workers,
        "together": together,  # so many does the supervisor watch
        "argv": [sys.executable, "-I", "-S", BUILDING, folder] if build else argv,
        "then": argv if build else None,
        "build": build,
        "cwd": place.cwd,
        "python": sys.executable,  # these two may lie elsewhere where the work is run
        "inside": INSIDE,
        "witness": RUNNER not in argv,  # who runs in it says itself how it ended
        "script": None if script is None else script.plan(),
        "timeout": spec.resources.timeout,
        "secrets": spec.secrets,
        "secrets_folder": str(config.secrets_path),
        "memory": spec.resources.memory and spec.resources.memory * together,
        "cpu": spec.resources.cpu and spec.resources.cpu * together,
        "gpu": spec.resources.gpu,
        "retries": spec.resources.retries,
        "retry_on": list(spec.resources.retry_on),
        "retry_pause": CONDUCTOR_PAUSE if spec.kind in CONDUCTORS else config.retry_pause,
        "notify_after": config.notify_after if config.webhook or config.mail_server else None,
        "grace": GRACE,
        "log_limit": LOG_LIMIT,
        "process_limit": PROCESS_LIMIT * together,
    }


def python_of(config: Config, spec: JobSpec) -> str:
    """The interpreter that a job runs; it is not there before its environment is built."""
    build = environments.needed(spec, config.home_path)
    return os.path.join(build["folder"], "bin", "python") if build else interpreters.place(spec.python)
