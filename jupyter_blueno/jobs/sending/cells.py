"""Cells and notebooks: refused where they cannot run, whatever they are given."""

from __future__ import annotations

import ast
import json
from typing import Any

from jupyter_blueno.errors import InvalidInput

_PYTHON = {"python", "ipython", "python3"}
_LEFT_OUT = {"raises-exception", "skip-execution"}  # tags by which nbclient goes on, or does not begin


def check_notebook(source: str, ours: bool = True) -> None:
    """Refuse what is no notebook, has nothing to run, or is not in Python.

    Where it runs the Python that we are (`ours`), a cell that is not valid is
    refused as well: it would end the job when it is reached.

    Raises
    ------
    InvalidInput
        ``job_notebook`` or ``job_syntax_error``
    """
    try:
        notebook = json.loads(source)
        cells = notebook["cells"]
        texts = [(cell, "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
        for cell in cells:
            "".join(cell["source"])  # a text, or a list of its lines
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput(
            "The source is not a notebook (.ipynb, format 4). Open it in JupyterLab and save it: that brings "
            "older ones up to date.",
            code="job_notebook",
        ) from None
    if not any(text.strip() for _, text in texts):
        raise InvalidInput("The notebook has no code: there is nothing to run.", code="job_notebook")
    language = _language(notebook)
    if language and language.lower() not in _PYTHON:
        raise InvalidInput(
            f"The notebook is in {language}, and jobs run notebooks in Python. Run it by a command that "
            "executes it, such as jupyter execute.",
            code="job_notebook",
        )
    for cell, text in texts if ours else []:
        tags = (cell.get("metadata") or {}).get("tags") or []
        if not _LEFT_OUT.intersection(tags):
            check_cell(text, f"cell {1 + cells.index(cell)}")


def _language(notebook: Any) -> str | None:
    metadata = notebook.get("metadata") or {}
    for place, name in (("kernelspec", "language"), ("language_info", "name")):
        said = (metadata.get(place) or {}).get(name)
        if isinstance(said, str) and said:
            return said
    return None


def check_cell(source: str, called: str = "the cell") -> None:
    """Refuse a cell that is not valid Python, magics and all.

    Raises
    ------
    InvalidInput
        ``job_syntax_error`` with the line.
    """
    try:
        compile(source, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
        return
    except (SyntaxError, ValueError):
        pass  # magics, perhaps: IPython knows
    except (RecursionError, MemoryError):
        raise _too_deep(called) from None
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        text = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    except (RecursionError, MemoryError):
        raise _too_deep(called) from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"Line {line} of {called}" if line else called[0].upper() + called[1:]
        raise InvalidInput(
            f"{where} is not valid Python: {getattr(error, 'msg', error)}.", code="job_syntax_error"
        ) from None


def _too_deep(called: str) -> InvalidInput:
    return InvalidInput(
        f"{called[0].upper()}{called[1:]} is nested too deeply for Python. Simplify it.",
        code="job_syntax_error",
    )
