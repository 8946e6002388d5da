"""A notebook that takes up where a job was: its Python, folder, environment, code and data."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Job, JobSpec, Workbench

KERNELS = "kernels"  # the folder of the data folder with kernels that were made here
PATIENCE = 20.0  # seconds for a Python to say what it has
ROOT = str(Path(__file__).resolve().parents[2])

_HAS = "import sys\nfrom importlib.util import find_spec\nprint(*[n for n in sys.argv[1:] if find_spec(n)])"


def of(job: Job, folder: Path, spec: JobSpec, python: str) -> Workbench:
    """The notebook for the job in `folder`, to be saved under its name where there is room for it."""
    kernel = _kernel_of(python)
    there = {"ipykernel", "jupyter_blueno"}
    if kernel is None:
        there = _modules_in(python)
        kernel = _made_kernel(python, folder.parents[1] / KERNELS) if "ipykernel" in there else None
    metadata: dict[str, Any] = {"language_info": {"name": "python"}}
    if kernel is not None:
        metadata["kernelspec"] = {"name": kernel[0], "display_name": kernel[1], "language": "python"}
    first = _enter(job) if "jupyter_blueno" in there else _enter_from_afar(job, folder)
    cells = [_markdown(_words(job)), _code(first), *_work(job.name, spec)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    stem = re.sub(r"[^\w.-]+", "-", job.name).strip("-.")[:60] or "job"
    return Workbench(f"{stem}-{job.id[:8]}-look.ipynb", content, None if kernel else python)


def _words(job: Job) -> str:
    text = f"# {job.name}: have a look\n\n"
    if job.failure is not None:
        text += f"> {job.failure.sentence}\n"
        if job.failure.line is not None:
            text += f">\n> {job.failure.line.file}, line {job.failure.line.number}\n"
        text += "\n"
    return text + (
        "The first cell gets this kernel what the job had: working folder, environment, modules, values. "
        "The next ones are what it ran. After an error, `%debug` in a new cell looks at its variables."
    )


def _enter(job: Job) -> str:
    return (
        "import jupyter_blueno as blueno\n\n"
        f'job = blueno.job("{job.id}")  # {" ".join(job.name.split())}\n'
        "globals().update(job.enter())"
    )


def _enter_from_afar(job: Job, folder: Path) -> str:
    """For a Python without Blueno: from Blueno's own folder, which is on its path for a moment only."""
    return (
        f"import sys\n\nsys.path.append({ROOT!r})\n"
        "from jupyter_blueno.jobs.inside.entering import enter\n\n"
        f"sys.path.remove({ROOT!r})\n"
        f"globals().update(enter({str(folder)!r}))  # {' '.join(job.name.split())}"
    )


def _work(name: str, spec: JobSpec) -> list[dict[str, Any]]:
    if spec.kind == "notebook":
        cells = json.loads(spec.source or "{}").get("cells", [])
        return [_again(cell) for cell in cells]
    if spec.kind == "cell":
        return [_code(spec.source or "")]
    if spec.kind == "function":
        found = re.search(r"^\s*(?:async\s+)?def\s+(\w+)", spec.source or "", re.MULTILINE)
        called = found[1] if found else "function"
        cells = [_code(spec.source)] if found and spec.source else []
        return [*cells, _code(f"{called}(*args, **kwargs)")]
    return [_code("!" + shlex.join(spec.command))]


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}


def _again(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell of the notebook that ran, without what it showed."""
    text = "".join(cell.get("source", ""))
    made = _code(text) if cell.get("cell_type") == "code" else _markdown(text)
    return made | {"metadata": {"tags": cell.get("metadata", {}).get("tags", [])}}


def _kernel_of(python: str) -> tuple[str, str] | None:
    """Name and title of an installed kernel that runs this very Python."""
    from jupyter_client.kernelspec import KernelSpecManager

    wanted = os.path.abspath(python)
    folder = os.path.realpath(Path(wanted).parent)
    for name, found in KernelSpecManager().get_all_specs().items():
        argv = found["spec"].get("argv") or [""]
        there = os.path.abspath(argv[0]) if os.sep in argv[0] else _on_path(argv[0])
        if there and os.path.realpath(Path(there).parent) == folder:
            return name, found["spec"].get("display_name", name)
    return None


def _on_path(program: str) -> str | None:
    """``python`` in a kernel's command is that of the server, as Jupyter reads it."""
    return sys.executable if re.fullmatch(r"python[\d.]*", program) else None


def _modules_in(python: str) -> set[str]:
    """Which of the modules that matter here a Python has."""
    words = [python, "-I", "-c", _HAS, "ipykernel", "jupyter_blueno"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return set()
    return set(done.stdout.split())


def _made_kernel(python: str, folder: Path) -> tuple[str, str]:
    """A kernel for a Python that Jupyter knows none of; the server looks for kernels there."""
    name = f"blueno-{hashlib.sha256(python.encode()).hexdigest()[:8]}"
    title = f"Python of {Path(python).parents[1].name}"
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    place = JobFolder(folder / name)
    place.path.mkdir(parents=True, exist_ok=True)
    place.write("kernel.json", {"argv": argv, "display_name": title, "language": "python"})
    return name, title
