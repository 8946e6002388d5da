"""Notebooks as work: read from their files."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_blueno.client.options import Options, spec_of
from jupyter_blueno.client.rooted import below_root
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.jobs.model import JobSpec, Origin
from jupyter_blueno.jobs.sending import kernels

if TYPE_CHECKING:
    from jupyter_blueno.client.datasets import Dataset


def spec_of_notebook(
    path: str | os.PathLike[str],
    parameters: Mapping[str, Any],
    options: Options,
    selection: Dataset | None = None,
) -> JobSpec:
    """What a notebook with these parameters is as a job.

    Raises
    ------
    NotFound
    InvalidInput
        If it is no notebook, has no code, its kernel is not here, or a value is not plain.
    """
    file = Path(path).expanduser()
    try:
        source = file.read_text("utf-8")
        content = json.loads(source)
    except OSError as error:
        raise NotFound(
            f"{file} cannot be read ({error.strerror}). Give the path of a notebook.",
            code="notebook_not_found",
        ) from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not {"cells", "worksheets"} & content.keys():
        raise InvalidInput(f"{file} is not a notebook. Give the path of an .ipynb file.", code="job_notebook")
    check_parameters(parameters)
    if not options.get("python") and not options.get("requirements"):
        options = {**options, "python": kernels.python_of(content)}
    return spec_of(
        options,
        kind="notebook",
        source=source,
        folder=str(file.resolve().parent),
        parameters=dict(parameters),
        selection=None if selection is None else selection.as_selection(),
        origin=Origin(notebook=below_root(file.resolve())),
    )


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuse values that a notebook cannot be given.

    Raises
    ------
    InvalidInput
    """
    for key, value in parameters.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidInput(
                f"The parameter {key} is {value}, and a notebook takes finite numbers. Leave it out, or pass "
                "None and let the notebook make one of it.",
                code="bad_parameter",
            )
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise InvalidInput(
                f"The parameter {key} is of type {type(value).__name__}; a notebook takes text, numbers, "
                "lists and dicts. Pass a path or a name instead.",
                code="bad_parameter",
            ) from None
