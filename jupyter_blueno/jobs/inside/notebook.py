"""Executes a notebook in the job: cell by cell, saved after each, shown while it runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from jupyter_blueno.jobs.inside.capture import Outputs

# What a kernel runs first: frameworks that it imports are followed.
SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
GIVEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "given.py")


def run_notebook(spec: dict[str, Any], folder: str, outputs: Outputs) -> str | None:
    """Run the notebook of `spec`; return what went wrong, in words."""
    try:
        import nbformat
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        from jupyter_blueno.jobs.inside.kernel import Client
    except ImportError as error:
        reason = f"The job's Python cannot run notebooks ({error}); install 'nbclient' and 'ipykernel' there."
        print(reason, file=sys.stderr)
        return reason
    notebook: Any = nbformat.reads(spec["source"], as_version=4)  # type: ignore[no-untyped-call]
    parameters = spec.get("parameters") or {}
    if parameters or spec.get("given"):
        inject(notebook, parameters, spec.get("given") or {})
    path = os.path.join(folder, "notebook.ipynb")
    # In a notebook the kernel shows figures and values: the job's own settings must not reach it.
    for name in ("MPLBACKEND", "PLOTLY_RENDERER"):
        os.environ.pop(name, None)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        part for part in (os.path.join(folder, "code"), SITE, os.environ.get("PYTHONPATH", "")) if part
    )
    client = Client(notebook, path, outputs)
    try:
        # The kernel is ended by us, and kindly: else it finds itself orphaned, and says so in the log.
        client.execute(cwd=os.getcwd(), cleanup_kc=True)
    except CellExecutionError as error:
        return f"{client.where()}: {error.ename}: {str(error.evalue)[:300]}"
    except DeadKernelError:
        return f"{client.where()}: the kernel died; often the system ends it so when memory runs out."
    finally:
        client.save()
        shutil.rmtree(getattr(client, "sockets", ""), ignore_errors=True)
    return None


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
