"""Getting data in, from a notebook: arrays, files, folders, public sets."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import catalog as catalog_api
from jupyter_blueno.api import ingest as api
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.catalog import model
from jupyter_blueno.client import session
from jupyter_blueno.client.dataset_display import DatasetList
from jupyter_blueno.client.datasets import Dataset
from jupyter_blueno.client.progress import ProgressLine
from jupyter_blueno.ingest.model import FileSource, FolderSource, PublicSource, Source, StartIngest

FIRST_POLL = 0.05  # seconds
LATER_POLL = 1.1  # times the one before, up to
SLOWEST_POLL = 0.5  # seconds


def ingest(
    source: Any,
    name: str | None = None,
    *,
    labels: Any = None,
    split: Any = None,
    names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    description: str | None = None,
    wait: bool = True,
) -> Dataset:
    """Make a dataset.

    Parameters
    ----------
    source : array, list, str or os.PathLike
        Arrays: (N, H, W), (N, H, W, C), volumes (N, D, H, W), or a list of
        images; their pixels are written to the data folder. Paths: a folder of
        images (sub-folders are labels), or a list of files: pictures, volumes
        (.nii, .nii.gz, .npy), DICOM folders; these are registered where they lie.
    name : str, optional
        Default for a path: its own name; for several, that of the folder they are in.
    labels, split, names : sequence, optional
        One a sample, or one a path of a list; `split` may be one for all. A
        folder says them by the names of its sub-folders.
    class_names : sequence of str, optional
        What the numbers in `labels` mean.
    description : str, optional
    wait : bool
        Of paths: wait for the end, with progress. The work goes on without you
        in any case.

    Returns
    -------
    Dataset

    Raises
    ------
    AlreadyExists
        If the name is taken.
    InvalidInput
        If there is nothing to take in, or something does not fit.
    """
    if name is not None and not isinstance(name, str):
        raise errors.InvalidInput(
            "The data come first and the name second: blueno.ingest(data, 'my-digits').", code="name_not_text"
        )
    paths = _paths(source)
    if paths is None:
        return _from_arrays(source, name, labels, split, names, class_names, description)
    found = _source_of(source, paths, labels, split, names, class_names)
    called = name or _name_of(paths)
    made = session.call(api.start_ingest, StartIngest(called, found, description))
    return _ready(Dataset(made), f"Ingesting {called}") if wait else Dataset(made)


def prepare(*names: str, wait: bool = True, tfrecord: bool = True) -> Dataset | DatasetList:
    """Make public datasets ready, by name; one that is there already is returned as it is.

    Parameters
    ----------
    *names : str
        ``"mnist"``, ``"cifar10"``, ``"cifar10_corrupted/motion_blur_1"`` … :
        `public_sets` lists them.
    wait : bool
        Wait for the end, with progress. The work goes on without you in any case.
    tfrecord : bool
        Also write TFRecord files, which `tfds.load` reads; `tfds.data_source` and
        Blueno do without. It takes as much disk space again.

    Returns
    -------
    Dataset or DatasetList
        A list when several names were given.

    Examples
    --------
    >>> digits = blueno.prepare("mnist")
    """
    if not names:
        raise errors.InvalidInput("Which dataset? For example blueno.prepare('mnist').", code="no_name")
    if not all(isinstance(name, str) for name in names):
        raise errors.InvalidInput("A dataset is named by a text: blueno.prepare('mnist').", code="no_name")
    begun = DatasetList(_begin(name, tfrecord) for name in names)
    if wait:
        for one in begun:
            if one.state == "preparing":
                _ready(one, f"Preparing {one.name}")
    return begun[0] if len(names) == 1 else begun


def public_sets(search: str = "") -> list[str]:
    """Names that `prepare` takes; only those with `search` in name or description."""
    word = search.lower()
    return [
        one.name
        for one in session.call(api.list_public_sets, Nothing()).sets
        if word in one.name.lower() or word in f"{one.title} {one.description}".lower()
    ]


def _begin(name: str, tfrecord: bool) -> Dataset:
    there = session.call(catalog_api.list_datasets, catalog_api.ListDatasets(name=name)).datasets
    if there and there[0].version.state != "failed":
        return Dataset(there[0])
    ask = StartIngest(name, PublicSource(name, tfrecord))
    return Dataset(session.call(api.start_ingest, ask))


def _ready(made: Dataset, title: str) -> Dataset:
    """Wait until a version is filled, with progress."""
    pause = FIRST_POLL
    with ProgressLine(title) as line:
        try:
            while made.refresh().state == "preparing":
                progress = made._info.version.progress
                if progress is None:
                    line.update(message="starting")
                else:
                    line.update(progress.done, progress.total, progress.message)
                time.sleep(pause)
                pause = min(SLOWEST_POLL, pause * LATER_POLL)
        except KeyboardInterrupt:
            line.close(f"{title} goes on in the background: blueno.dataset({made.name!r}) looks again.")
            raise
        if made.state == "failed":
            raise errors.InvalidInput(
                f"{made.name} could not be made: {made._info.version.reason}", code="ingest_failed"
            )
        line.close(f"{made.name}: {len(made):,} samples")
    return made


def _from_arrays(
    source: Any,
    name: str | None,
    labels: Any,
    split: Any,
    names: Any,
    class_names: Any,
    description: str | None,
) -> Dataset:
    from jupyter_blueno.api.destination import OperationsDestination
    from jupyter_blueno.ingest.sources.arrays import ingest_arrays

    if not name:
        raise errors.InvalidInput(
            "Arrays need a name: blueno.ingest(images, name='my-digits').", code="no_name"
        )
    with ProgressLine(f"Ingesting {name}") as line:

        def report(progress: model.Progress) -> None:
            line.update(progress.done, progress.total, progress.message)

        made = ingest_arrays(
            OperationsDestination(session.call),
            name,
            source,
            labels,
            split,
            names,
            class_names,
            description,
            None,
            report,
        )
        line.close(f"{name}: {made.version.sample_count:,} samples")
    return Dataset(made)


def _paths(source: Any) -> list[Path] | None:
    """The paths that `source` names; None when it is arrays."""
    if isinstance(source, (str, os.PathLike)):
        return [_there(source)]
    if getattr(getattr(source, "dtype", None), "kind", None) in {"O", "U", "T"}:  # a column of paths
        source = source.tolist()
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(one, (str, os.PathLike)) for one in source)
    ):
        return [_there(one) for one in source]
    return None


def _there(path: str | os.PathLike[str]) -> Path:
    found = Path(path).expanduser().absolute()
    try:
        there = found.exists()
    except (OSError, ValueError):  # too long for a path
        there = False
    if not there:
        raise errors.NotFound(f"There is no file or folder {found}.", code="path_not_found")
    return found


def _source_of(source: Any, paths: list[Path], labels: Any, split: Any, names: Any, classes: Any) -> Source:
    one_folder = isinstance(source, (str, os.PathLike)) and paths[0].is_dir() and not _is_series(paths[0])
    if labels is None and split is None and names is None:
        if one_folder:
            return FolderSource(str(paths[0]))
        return FileSource([str(path) for path in paths])
    if one_folder and (labels is not None or names is not None):
        raise errors.InvalidInput(
            f"The sub-folders of {paths[0].name} say the labels, and its files the names. To say them "
            "yourself give a list of files: blueno.ingest(sorted(folder.glob('*.png')), labels=…).",
            code="labels_of_folder",
        )
    from jupyter_blueno.ingest.sources.arrays import columns_of

    columns = columns_of(len(paths), labels, split, names, classes)
    splits = columns.splits
    return FileSource(
        [str(path) for path in paths],
        columns.names if names is not None else [],
        columns.labels or [],
        [splits] * len(paths) if isinstance(splits, str) else splits or [],
    )


def _is_series(folder: Path) -> bool:
    """Whether a folder holds a DICOM series and nothing else."""
    names = [one for one in folder.iterdir() if not one.name.startswith(".")]
    return bool(names) and all(one.is_file() and one.suffix.lower() in {".dcm", ".ima", ""} for one in names)


def _name_of(paths: list[Path]) -> str:
    if len(paths) > 1:
        return Path(os.path.commonpath([path.parent for path in paths])).name or "files"
    name = paths[0].name
    for ending in (".nii.gz", ".nii", ".npy", ".dcm"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
