"""Something real to look at right away: data that ships inside packages."""

from __future__ import annotations

from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.client import session
from jupyter_blueno.client.datasets import Dataset, DatasetList, dataset, datasets
from jupyter_blueno.client.progress import ProgressLine


def demo() -> DatasetList:
    """Make the demo datasets, where they are not there yet, and return them.

    ``mnist-5k``: 5,000 handwritten digits. ``mni152``: a brain MR with maps of
    its tissues. Nothing is downloaded.

    Raises
    ------
    MissingDependency
        If the packages that hold them are not installed.
    """
    from jupyter_blueno.api.destination import OperationsDestination
    from jupyter_blueno.ingest.sources import demo as sources

    there = {one.name for one in datasets() if one.state == "ready"}
    found: list[Dataset] = []
    for name, make in sources.SETS.items():
        if name not in there:
            with ProgressLine(f"Preparing {name}") as line:

                def report(progress: Progress, line: ProgressLine = line) -> None:
                    line.update(progress.done, progress.total, progress.message)

                make(OperationsDestination(session.call), report)
                line.close(f"{name} is ready")
        found.append(dataset(name))
    return DatasetList(found)
