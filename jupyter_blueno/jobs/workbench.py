"""A notebook that takes up where a job was: its Python, folder, environment, code and data."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

from jupyter_blueno.jobs.model import Job, JobSpec, Workbench


def of(job: Job, spec: JobSpec, python: str) -> Workbench:
    """The notebook for a job, to be saved under its name where there is room for it."""
    kernel = _kernel_of(python)
    metadata: dict[str, Any] = {"language_info": {"name": "python"}}
    if kernel is not None:
        metadata["kernelspec"] = {"name": kernel[0], "display_name": kernel[1], "language": "python"}
    cells = [_markdown(_words(job)), _code(_enter(job.id, job.name)), *_work(job.name, spec)]
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


def _enter(job_id: str, name: str) -> str:
    comment = " ".join(name.split())
    return (
        "import jupyter_blueno as blueno\n\n"
        f'job = blueno.job("{job_id}")  # {comment}\n'
        "globals().update(job.enter())"
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
    import sys

    return sys.executable if re.fullmatch(r"python[\d.]*", program) else None
