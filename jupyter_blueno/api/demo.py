"""The demo datasets: real data that ships inside packages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_blueno.api.catalog import ListDatasets, list_datasets
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.errors import AlreadyExists

NAMES = ("mnist-5k", "mni152")


def prepare_demo(
    call: Callable[[Operation[Any, Any], Any], Any],
    progress: Callable[[str, Progress], None] | None = None,
) -> list[str]:
    """Make the demo datasets that are not there yet; a second call does nothing.

    Parameters
    ----------
    call : callable
        Takes an operation and its request, returns the answer.
    progress : callable, optional
        Called with the name of a dataset and a `Progress`.

    Returns
    -------
    list of str
        The names of those that were made now.

    Raises
    ------
    MissingDependency
        If the packages that hold the data are not installed; says which line does it.
    """
    found = call(list_datasets, ListDatasets()).datasets
    missing = [
        name for name in NAMES if (name, "ready") not in {(one.name, one.version.state) for one in found}
    ]
    if not missing:
        return []
    from jupyter_blueno.ingest.sources import demo

    made = []
    for name in missing:
        try:
            demo.SETS[name](
                OperationsDestination(call), None if progress is None else partial(progress, name)
            )
        except AlreadyExists:  # another process is at it
            continue
        made.append(name)
    return made
