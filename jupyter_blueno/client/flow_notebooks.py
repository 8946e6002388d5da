"""`blueno.map_notebook`: a notebook run over a list of inputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jupyter_blueno.client.flow_run import FlowRun
from jupyter_blueno.client.flows import flow


def map_notebook(
    path: str | os.PathLike[str], values: Iterable[Mapping[str, Any]], **parameters: Any
) -> FlowRun:
    """Run a notebook once for each dict of parameters, and see parameters and metrics in one table.

    Parameters
    ----------
    path : str or os.PathLike
    values : iterable of dict
        ``[{"lr": 0.1}, {"lr": 0.01}]``.
    **parameters
        Further ones, the same for all runs; and the options of `blueno.submit`.

    Returns
    -------
    FlowRun
        `FlowRun.frame` is the table, `FlowRun.wait` waits for all.

    Raises
    ------
    InvalidInput
        If one of them cannot run; none was started.

    Examples
    --------
    >>> run = blueno.map_notebook("evaluate.ipynb", [{"lr": 0.1}, {"lr": 0.01}])
    >>> run.wait().frame()
    """
    made = flow(str(parameters.pop("name", None) or Path(path).stem))
    made.map_notebook(path, values, **parameters)
    return made.submit()
