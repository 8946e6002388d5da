"""Executes a notebook in the job: cell by cell, saved after each, shown while it runs."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

from jupyter_blueno.jobs.inside.early import Kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from jupyter_blueno.jobs.inside.capture import Outputs

FRESH = "BLUENO_FRESH_NOTEBOOK"  # the path of a file that is read instead
NEEDED = ("ipykernel", "nbclient")

# What a kernel runs first: frameworks that it imports are followed.
SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
GIVEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "given.py")


def run_notebook(spec: dict[str, Any], folder: str, outputs: Outputs) -> str | None:
    """Run the notebook of `spec`; return what went wrong, in words."""
    missing = [name for name in NEEDED if PathFinder.find_spec(name) is None]
    if missing:
        reason = f"The job's Python cannot run notebooks; install {' and '.join(missing)} there."
        print(reason, file=sys.stderr)
        return reason
    # In a notebook the kernel shows figures and values: the job's own settings must not reach it.
    for name in ("MPLBACKEND", "PLOTLY_RENDERER"):
        os.environ.pop(name, None)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        part for part in (os.path.join(folder, "code"), SITE, os.environ.get("PYTHONPATH", "")) if part
    )
    kernel = Kernel()
    try:
        return _execute(spec, folder, outputs, kernel)
    finally:
        kernel.close()


def _execute(spec: dict[str, Any], folder: str, outputs: Outputs, begun: Kernel) -> str | None:
    from jupyter_blueno.jobs.inside import kernel

    notebook = kernel.read(fresh(spec["source"]))
    parameters = spec.get("parameters") or {}
    if parameters or spec.get("given"):
        inject(notebook, parameters, spec.get("given") or {})
    return kernel.Client(notebook, begun, os.path.join(folder, "notebook.ipynb"), outputs).run()


def fresh(source: str) -> str:
    """The notebook's text: that which was sent, or what its file says now, if a schedule wants that."""
    path = os.environ.pop(FRESH, None)
    if path is None:
        return source
    with open(path, encoding="utf-8") as file:
        return file.read()


def inject(notebook: Any, parameters: dict[str, Any], given: Iterable[str] = ()) -> None:
    """Put a cell that sets the parameters after the one tagged ``parameters``, else first.

    Those `given` are loaded from what other jobs returned.
    """
    import nbformat

    cells = notebook.cells
    tagged = [place for place, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    cells[:] = [cell for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    text = "# Parameters\n" + "".join(f"{name} = {value!r}\n" for name, value in parameters.items())
    if given:
        text += f"_given = __import__('runpy').run_path({GIVEN!r})['value']\n"
        text += "".join(f"{name} = _given({name!r})\n" for name in given)
    tags = {"tags": ["injected-parameters"]}
    cell: Any = nbformat.v4.new_code_cell(text, metadata=tags)  # type: ignore[no-untyped-call]
    cells.insert(tagged[0] + 1 if tagged else 0, cell)
