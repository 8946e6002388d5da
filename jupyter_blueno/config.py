"""Where things live.

::

    BLUENO_HOME (default ~/blueno)
    ├── postgres/             the embedded server's cluster, log and lock
    ├── data/{dataset_id}/    pixels that were uploaded or came as arrays
    ├── tfds/                 prepared public sets, in TFDS's own layout
    ├── thumbnails/{dataset_id}/
    ├── uploads/{upload_id}/  what the browser is sending
    ├── cache/                derived pixels; may be deleted at any time
    ├── jobs/{job_id}/        code, log, outputs and result of each job
    ├── objects/              what jobs were sent with: each content once
    ├── sweeps/{sweep_id}/    what each trial of a sweep runs
    ├── mlflow/               runs and models: MLflow's database and files
    ├── secrets/              values of secrets, for nobody else
    ├── kernels/              kernels that run the Pythons of jobs
    └── queue/                which jobs wait, and what the running ones hold
"""

from __future__ import annotations

import getpass
import os
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from traitlets import Bool, Enum, Float, Int, List, Unicode, default, validate
from traitlets.config import Configurable

from jupyter_blueno.errors import InvalidInput, OutsideRoots

_PATH_BYTES = 4096  # what the system takes, with the final NUL
_PART_BYTES = 255


class Config(Configurable):
    """Settings of one process; the environment gives the defaults."""

    home = Unicode(help="The data folder (BLUENO_HOME, default ~/blueno).").tag(config=True)
    database_url = Unicode(
        help="A PostgreSQL >= 14 to use instead of the embedded one (BLUENO_DATABASE_URL)."
    ).tag(config=True)
    service_url = Unicode(
        help="The service of a hub that has database and jobs; this process then has neither "
        "(BLUENO_SERVICE_URL)."
    ).tag(config=True)
    roots = List(
        Unicode(),
        help="Folders, beside the data folder, whose files may be registered and read (BLUENO_ROOTS).",
    ).tag(config=True)
    datasets = Unicode(
        help="A folder whose files everybody may register and read, with prepared public sets in its `tfds` "
        "(BLUENO_DATASETS; default: none)."
    ).tag(config=True)
    of_several = Bool(
        False,
        help="Whether others may put links into the data folder; none that leads out of it is followed.",
    )
    jobs_at_once = Int(
        help="How many background jobs run at a time (BLUENO_JOBS_AT_ONCE; default: one for each CPU core). "
        "It holds from the next start of a server on, or when jobs run again after none did."
    ).tag(config=True)
    jobs_backend = Enum(
        ["local", "kubernetes"],
        help="Where jobs run: on this machine, or as Jobs of a Kubernetes cluster (BLUENO_JOBS_BACKEND).",
    ).tag(config=True)
    jobs_namespace = Unicode(
        help="The namespace of the jobs' pods (BLUENO_JOBS_NAMESPACE; default: blueno-users)."
    ).tag(config=True)
    jobs_pods = Unicode(
        help="A JSON file that says how the jobs' pods look: image, volume, defaults (BLUENO_JOBS_PODS)."
    ).tag(config=True)
    gpus = Unicode(
        help="The GPUs that jobs may have, as in CUDA_VISIBLE_DEVICES (BLUENO_GPUS; default: those in "
        "CUDA_VISIBLE_DEVICES, else all of this machine)."
    ).tag(config=True)
    secrets = Unicode(
        help="A folder with the team's secrets, a file each (BLUENO_SECRETS; default: secrets, in the data "
        "folder)."
    ).tag(config=True)
    quotas = Unicode(
        help="A JSON file that says what teams and people may hold at a time (BLUENO_QUOTAS; default: none)."
    ).tag(config=True)
    webhook = Unicode(
        help="An http(s) address that is told, by a POST of JSON, of jobs that failed or took long "
        "(BLUENO_WEBHOOK)."
    ).tag(config=True)
    mail_server = Unicode(
        help="The server that sends e-mail about them: smtp://name:password@host:587 (BLUENO_MAIL_SERVER)."
    ).tag(config=True)
    mail_to = Unicode(help="Who gets it (BLUENO_MAIL_TO).").tag(config=True)
    retry_pause = Float(
        15.0,
        help="Seconds, more or less, before a job is tried again; twice as many before the next attempt "
        "(BLUENO_RETRY_PAUSE).",
    ).tag(config=True)
    notify_after = Float(
        60.0, help="Jobs that went well are told of if they took so many seconds (BLUENO_NOTIFY_AFTER)."
    ).tag(config=True)
    idle_timeout = Float(
        help="A Jupyter server in which nothing runs and nobody does anything for so many seconds is stopped "
        "(BLUENO_IDLE_TIMEOUT; default: 0, never)."
    ).tag(config=True)
    gpu_idle_timeout = Float(
        help="A notebook server whose GPUs are hardly used for so many seconds, while nothing runs in it, is "
        "stopped (BLUENO_GPU_IDLE_TIMEOUT; default: 0, never)."
    ).tag(config=True)
    gpu_idle_below = Float(
        help="The part of their time, from 0 to 1, below which that is so (BLUENO_GPU_IDLE_BELOW; default: "
        "0.05)."
    ).tag(config=True)
    notebook_gpus = Int(help="How many GPUs this notebook server holds (BLUENO_NOTEBOOK_GPUS).").tag(
        config=True
    )
    profile_without_gpus = Unicode(
        help="What this notebook server can become so that its GPUs are free: slug and name of a profile, a "
        "blank between them (BLUENO_PROFILE_WITHOUT_GPUS; default: nothing)."
    ).tag(config=True)
    user = Unicode(help="Who the user is when no hub says so (default: the system's user name).").tag(
        config=True
    )
    team = Unicode(help="The team whose datasets and jobs are meant (BLUENO_TEAM, default: local).").tag(
        config=True
    )

    @default("home")
    def _default_home(self) -> str:
        return os.environ.get("BLUENO_HOME") or "~/blueno"

    @default("database_url")
    def _default_database_url(self) -> str:
        return os.environ.get("BLUENO_DATABASE_URL", "")

    @default("service_url")
    def _default_service_url(self) -> str:
        return os.environ.get("BLUENO_SERVICE_URL", "")

    @default("team")
    def _default_team(self) -> str:
        return os.environ.get("BLUENO_TEAM") or "local"

    @default("roots")
    def _default_roots(self) -> list[str]:
        return [p for p in os.environ.get("BLUENO_ROOTS", "").split(os.pathsep) if p]

    @default("datasets")
    def _default_datasets(self) -> str:
        return os.environ.get("BLUENO_DATASETS", "")

    @default("jobs_at_once")
    def _default_jobs_at_once(self) -> int:
        text = os.environ.get("BLUENO_JOBS_AT_ONCE", "").strip()
        if text and not (text.isdecimal() and 0 < int(text) <= 10_000):
            raise InvalidInput(
                f"BLUENO_JOBS_AT_ONCE is '{text[:20]}'; it must be a number from 1 to 10000.",
                code="bad_setting",
            )
        return int(text or usable_cores())

    @default("jobs_backend")
    def _default_jobs_backend(self) -> str:
        return os.environ.get("BLUENO_JOBS_BACKEND") or "local"

    @default("jobs_namespace")
    def _default_jobs_namespace(self) -> str:
        return os.environ.get("BLUENO_JOBS_NAMESPACE") or "blueno-users"

    @default("jobs_pods")
    def _default_jobs_pods(self) -> str:
        return os.environ.get("BLUENO_JOBS_PODS", "")

    @default("gpus")
    def _default_gpus(self) -> str:
        for name in ("BLUENO_GPUS", "CUDA_VISIBLE_DEVICES"):
            if name in os.environ:
                return ",".join(part.strip() for part in os.environ[name].split(",") if part.strip() != "-1")
        cards = (path.name[6:] for path in Path("/dev").glob("nvidia[0-9]*"))
        return ",".join(sorted((card for card in cards if card.isdecimal()), key=int))

    @default("gpu_idle_timeout")
    def _default_gpu_idle_timeout(self) -> float:
        return float(os.environ.get("BLUENO_GPU_IDLE_TIMEOUT") or 0)

    @default("gpu_idle_below")
    def _default_gpu_idle_below(self) -> float:
        return float(os.environ.get("BLUENO_GPU_IDLE_BELOW") or 0.05)

    @default("profile_without_gpus")
    def _default_profile_without_gpus(self) -> str:
        return os.environ.get("BLUENO_PROFILE_WITHOUT_GPUS", "")

    @default("notebook_gpus")
    def _default_notebook_gpus(self) -> int:
        return int(os.environ.get("BLUENO_NOTEBOOK_GPUS") or 0)

    @default("quotas")
    def _default_quotas(self) -> str:
        return os.environ.get("BLUENO_QUOTAS", "")

    @default("secrets")
    def _default_secrets(self) -> str:
        return os.environ.get("BLUENO_SECRETS", "")

    @default("webhook")
    def _default_webhook(self) -> str:
        return _address("webhook", os.environ.get("BLUENO_WEBHOOK", ""))

    @default("mail_server")
    def _default_mail_server(self) -> str:
        return _address("mail_server", os.environ.get("BLUENO_MAIL_SERVER", ""))

    @default("mail_to")
    def _default_mail_to(self) -> str:
        return os.environ.get("BLUENO_MAIL_TO", "")

    @default("notify_after")
    def _default_notify_after(self) -> float:
        return _seconds("BLUENO_NOTIFY_AFTER", 60)

    @default("idle_timeout")
    def _default_idle_timeout(self) -> float:
        return _seconds("BLUENO_IDLE_TIMEOUT", 0)

    @default("retry_pause")
    def _default_retry_pause(self) -> float:
        return _seconds("BLUENO_RETRY_PAUSE", 15.0)

    @validate("webhook", "mail_server")
    def _check_address(self, proposal: Any) -> str:
        return _address(proposal["trait"].name, proposal["value"])

    @default("user")
    def _default_user(self) -> str:
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's uid without a passwd entry
            return f"uid-{os.getuid()}"

    @cached_property
    def home_path(self) -> Path:
        """The data folder, absolute; made private to the user when first asked for."""
        path = Path(os.path.abspath(os.path.expanduser(self.home)))
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    @property
    def secrets_path(self) -> Path:
        """Where the work finds the team's secrets."""
        return Path(os.path.expanduser(self.secrets)) if self.secrets else self.home_path / "secrets"

    def folder(self, *parts: str | int) -> Path:
        """A folder below the data folder, made if it is missing."""
        path = self.home_path.joinpath(*map(str, parts))
        path.mkdir(parents=True, exist_ok=True)
        return path

    def resolve(self, path: str | os.PathLike[str], *extra_roots: str | os.PathLike[str] | None) -> Path:
        """The real path of `path`, checked to lie inside a root.

        Parameters
        ----------
        path : str or os.PathLike
            Absolute, or relative to the data folder. Symbolic links are
            followed before the check, so that none leads out.
        *extra_roots : str, os.PathLike or None
            Folders allowed for this call beside the configured ones.

        Raises
        ------
        InvalidInput
            ``invalid_path``: no file can have it.
        OutsideRoots
            If the real path lies in none of the roots.
        """
        try:
            real = Path(os.path.realpath(self.home_path / os.path.expanduser(path)))
            encoded = os.fsencode(real)
        except ValueError:  # NUL, half a surrogate pair
            encoded = b""
        if not os.fspath(path) or not 0 < len(encoded) < _PATH_BYTES or _has_long_part(encoded):
            raise InvalidInput(
                f"'{os.fspath(path)[:80]}' cannot be a path: it is empty, too long, or holds characters "
                "that no path has. Check it.",
                code="invalid_path",
            )
        for root in (self.home_path, *self.roots, self.datasets, *extra_roots):
            if root and real.is_relative_to(os.path.realpath(os.path.expanduser(root))):
                return real
        raise OutsideRoots(
            f"'{path}' is outside the folders that may be read here. Move it below "
            f"{self.home_path}, or add its folder to BLUENO_ROOTS."
        )

    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment to see the same settings."""
        values: dict[str, Any] = {
            "BLUENO_HOME": str(self.home_path),
            "BLUENO_DATABASE_URL": self.database_url,
            "BLUENO_SERVICE_URL": self.service_url,
            "BLUENO_SECRETS": self.secrets,
            "BLUENO_ROOTS": os.pathsep.join(self.roots),
            "BLUENO_DATASETS": self.datasets,
        }
        return {k: v for k, v in values.items() if v}


def _seconds(name: str, usual: float) -> float:
    text = os.environ.get(name, "").strip()
    try:
        seconds = float(text or usual)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InvalidInput(f"{name} is '{text[:20]}'; it must be a number of seconds.", code="bad_setting")
    return seconds


def _address(name: str, address: str) -> str:
    kinds = ("http", "https") if name == "webhook" else ("smtp", "smtps")
    found = urlsplit(address)
    if address and (found.scheme not in kinds or not found.hostname):
        raise InvalidInput(
            f"The setting '{name}' takes an address like {kinds[-1]}://host. Correct it, or leave it out.",
            code="bad_setting",
        )
    return address


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _has_long_part(path: bytes) -> bool:
    return any(len(part) > _PART_BYTES for part in path.split(b"/"))
