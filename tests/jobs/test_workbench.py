"""A notebook that takes up where a job was: real kernels, also of a Python without Blueno."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from jupyter_blueno.config import Config
from jupyter_blueno.jobs import workbench
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Workbench
from jupyter_blueno.jobs.sending import plan
from jupyter_blueno.jobs.testing import call, cell, start, wait


def opened(manager: JobManager, spec: JobSpec) -> Workbench:
    job = wait(manager, start(manager, spec, "have / a look"))
    folder = JobFolder.of(manager.config, job.id)
    return workbench.of(job, folder.path, spec, plan.python_of(manager.config, spec))


def run(bench: Workbench, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The outputs of its cells."""
    for name, value in config.environment().items():
        monkeypatch.setenv(name, value)
    notebook: Any = nbformat.from_dict(bench.content)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    specs = KernelSpecManager()
    specs.kernel_dirs.append(str(config.home_path / "kernels"))
    name = bench.content["metadata"]["kernelspec"]["name"]
    manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs)
    NotebookClient(notebook, km=manager, allow_errors=True, timeout=60).execute(cwd=str(tmp_path))
    return [one.outputs for one in notebook.cells if one.cell_type == "code"]


def test_a_cell_with_its_variables(
    manager: JobManager, config: Config, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = cell(
        "import os, sys\nprint(rate * 2, os.environ['COLOUR'], os.getcwd())",
        parameters={"rate": 21},
        environment={"COLOUR": "blue"},
    )
    bench = opened(manager, spec)
    assert bench.name.startswith("have-a-look-")
    assert bench.python is None
    entering, work = run(bench, config, tmp_path, monkeypatch)
    assert entering == []
    assert work[0].text == f"42 blue {folder}\n"


def test_a_function_with_its_arguments(
    manager: JobManager, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def train(rate, epochs=5):\n    return rate * epochs * factor\n"
    space: dict[str, Any] = {"__name__": "__main__", "factor": 2}
    exec(source, space)
    payload = call(space["train"], 3, epochs=7).payload
    bench = opened(manager, JobSpec("function", payload=payload, source=source))
    *_, result = run(bench, config, tmp_path, monkeypatch)
    assert result[0].data["text/plain"] == "42"


def test_a_python_without_blueno_gets_a_kernel(
    manager: JobManager, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    ours, theirs = Path(sysconfig.get_path("purelib")), next(place.glob("lib/python3*/site-packages"))
    for one in ours.iterdir():  # all but Blueno
        if "blueno" not in one.name and one.suffix != ".pth":
            (theirs / one.name).symlink_to(one)
    spec = cell("import sys\nprint(rate, sys.prefix)", python=str(place), parameters={"rate": 1})
    bench = opened(manager, spec)
    assert bench.python is None
    assert bench.content["metadata"]["kernelspec"]["display_name"] == "Python of other"
    entering, work = run(bench, config, tmp_path, monkeypatch)
    assert entering == []
    assert work[0].text == f"1 {place}\n"


def test_a_python_without_ipykernel_is_said(manager: JobManager, tmp_path: Path) -> None:
    place = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    bench = opened(manager, cell("1", python=str(place)))
    assert bench.python == str(place / "bin" / "python")
    assert "kernelspec" not in bench.content["metadata"]
