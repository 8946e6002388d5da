"""Datasets found by their names."""

from __future__ import annotations

import difflib

from jupyter_blueno import errors
from jupyter_blueno.api import catalog as api
from jupyter_blueno.client import dataset_display, session
from jupyter_blueno.client.dataset_display import DatasetList
from jupyter_blueno.client.datasets import Dataset


def datasets(search: str = "") -> DatasetList:
    """List the datasets you may see, by name.

    Parameters
    ----------
    search : str
        Only those with this in their name or description.
    """
    found = session.call(api.list_datasets, api.ListDatasets(search=search))
    return DatasetList(Dataset(one) for one in found.datasets)


def dataset(name: str) -> Dataset:
    """Return the dataset called `name`.

    Raises
    ------
    NotFound
        With the names that come nearest.
    """
    found = session.call(api.list_datasets, api.ListDatasets(name=str(name))).datasets
    if found:
        return Dataset(found[0])
    names = [one.name for one in session.call(api.list_datasets, api.ListDatasets()).datasets]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(map(repr, near))}?"
    elif names:
        hint = f"There are {dataset_display.in_words(names)}."
    else:
        hint = f"There are none yet: blueno.ingest(…) or blueno.prepare({str(name)!r}) makes one."
    raise errors.NotFound(f"There is no dataset called {str(name)!r}. {hint}", code="dataset_not_found")
