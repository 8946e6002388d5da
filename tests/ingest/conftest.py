"""Ways into the catalog for the sources' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jupyter_blueno.api.catalog import list_samples
from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import Dataset, Progress, Sample, SamplePage
from jupyter_blueno.ingest import work
from jupyter_blueno.ingest.destination import CatalogDestination
from jupyter_blueno.ingest.model import BeginVersion, Source


@pytest.fixture
def destination(context: Context) -> CatalogDestination:
    return CatalogDestination(context.database, context.config, context.user)


@pytest.fixture
def ingest(
    context: Context, destination: CatalogDestination
) -> Callable[[str, Source], tuple[Dataset, list[Progress]]]:
    """Check a source and fill a dataset from it, as a job does, in this process."""

    def run(name: str, source: Source) -> tuple[Dataset, list[Progress]]:
        checked = work.check(context.config, source)
        opened = destination.begin(BeginVersion(name, root=checked.root))
        request = work.Request(context.user, checked.source, opened)
        told: list[Progress] = []
        return work.run(context.config, destination, request, told.append), told

    return run


@pytest.fixture
def samples(context: Context) -> Callable[[Dataset], list[Sample]]:
    """All samples of a small dataset, through the operations."""

    def listed(dataset: Dataset) -> list[Sample]:
        return list_samples(context, SamplePage(dataset.id, limit=1000)).samples

    return listed


def write_picture(path: Path, value: int = 100, size: tuple[int, int] = (40, 30), **options: Any) -> Path:
    """An RGB picture of one colour, ``size`` wide and high."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value // 2, 255 - value)).save(path, **options)
    return path


def digits(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)
