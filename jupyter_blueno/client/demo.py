"""Something real to look at right away: data that ships inside packages."""

from __future__ import annotations

from jupyter_blueno.api.demo import NAMES, prepare_demo
from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.client import session
from jupyter_blueno.client.dataset_display import DatasetList
from jupyter_blueno.client.finding import dataset
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
    with ProgressLine("Preparing the demo data") as line:

        def report(name: str, progress: Progress) -> None:
            line.title = f"Preparing {name}"
            line.update(progress.done, progress.total, progress.message)

        made = prepare_demo(session.call, report)
        line.close(f"Ready: {', '.join(made)}")
    return DatasetList([dataset(name) for name in NAMES])
