"""The demo datasets."""

from __future__ import annotations

from typing import Any

from jupyter_blueno.api.catalog import ListDatasets, get_facets, list_datasets, list_samples
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.demo import NAMES, prepare_demo
from jupyter_blueno.api.ingest import begin_version, finish_version
from jupyter_blueno.catalog.model import SamplePage, Selection
from jupyter_blueno.ingest.model import BeginVersion, FinishVersion


def test_the_demo_is_made_once(context: Context) -> None:
    told: list[tuple[str, int]] = []

    def call(operation: Any, ask: Any) -> Any:
        return operation(context, ask)

    left = begin_version(context, BeginVersion("mni152"))
    finish_version(context, FinishVersion(left.version_id, "interrupted"))
    made = prepare_demo(call, lambda name, progress: told.append((name, progress.done)))
    assert made == list(NAMES)
    assert prepare_demo(call) == []
    assert told[-1] == ("mni152", 3)
    brain, digits = list_datasets(context, ListDatasets()).datasets
    assert (digits.version.sample_count, digits.label_count) == (5000, 10)
    facets = get_facets(context, Selection(digits.id, split=["test"]))
    assert {one.value: one.count for one in facets.labels} == {str(n): 100 for n in range(10)}
    volumes = list_samples(context, SamplePage(brain.id)).samples
    assert [(one.name, one.shape) for one in volumes] == [(n, [197, 233, 189]) for n in ("t1", "gm", "wm")]
    assert all("/data/" in one.data_url for one in volumes)  # copied: environments come and go
