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
from jupyter_blueno.client.datasets import Dataset, DatasetList
from jupyter_blueno.client.progress import ProgressLine
from jupyter_blueno.ingest.model import FolderSource, PublicSource, Source, StartIngest, VolumeSource

FIRST_POLL = 0.05  # seconds; up to
SLOWEST_POLL = 0.5
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")


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
        images (sub-folders are labels), or volumes (.nii, .nii.gz, .npy, a
        DICOM folder); these are registered where they lie.
    name : str, optional
        Default for a path: its own name.
    labels, split, names : sequence, optional
        One a sample; `split` may be one for all. Of arrays only: folders say
        it by their names.
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
    paths = _paths(source)
    if paths is None:
        return _from_arrays(source, name, labels, split, names, class_names, description)
    if labels is not None or split is not None or names is not None or class_names is not None:
        raise errors.InvalidInput(
            "labels, split and names go with arrays; of a folder the sub-folders say them "
            "(train/cat/1.png). Read the images into a list to label them otherwise.",
            code="labels_of_paths",
        )
    found = _source_of(paths)
    called = name or _name_of(paths[0])
    made = session.call(api.start_ingest, StartIngest(called, found, description))
    return _ready(Dataset(made), f"Ingesting {called}") if wait else Dataset(made)


def prepare(*names: str, wait: bool = True) -> Dataset | DatasetList:
    """Make public datasets ready, by name; one that is there already is returned as it is.

    Parameters
    ----------
    *names : str
        ``"mnist"``, ``"cifar10"``, ``"cifar10_corrupted/blur_1"`` … :
        `public_sets` lists them.
    wait : bool
        Wait for the end, with progress. The work goes on without you in any case.

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
    begun = DatasetList(_begin(name) for name in names)
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


def _begin(name: str) -> Dataset:
    there = session.call(catalog_api.list_datasets, catalog_api.ListDatasets(name=name)).datasets
    if there and there[0].version.state != "failed":
        return Dataset(there[0])
    ask = StartIngest(name, PublicSource(name))
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
                pause = min(SLOWEST_POLL, pause * 1.5)
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


def _source_of(paths: list[Path]) -> Source:
    if len(paths) == 1 and paths[0].is_dir() and not _is_series(paths[0]):
        return FolderSource(str(paths[0]))
    pictures = [path for path in paths if path.suffix.lower() in PICTURES]
    if pictures:
        raise errors.InvalidInput(
            f"{pictures[0].name} is a single picture. Give the folder it is in, or a list of arrays: "
            "blueno.ingest([numpy.asarray(PIL.Image.open(path)) for path in paths], name=…).",
            code="single_pictures",
        )
    return VolumeSource([str(path) for path in paths])


def _is_series(folder: Path) -> bool:
    """Whether a folder holds a DICOM series and nothing else."""
    names = [one for one in folder.iterdir() if not one.name.startswith(".")]
    return bool(names) and all(one.is_file() and one.suffix.lower() in {".dcm", ".ima", ""} for one in names)


def _name_of(path: Path) -> str:
    name = path.name
    for ending in (".nii.gz", ".nii", ".npy", ".dcm"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
