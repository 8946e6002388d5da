"""What the databases hold is written to the volume, and comes back from there."""

from __future__ import annotations

import urllib.error
from contextlib import suppress

import pytest

from jupyter_blueno.api.catalog import CreateDataset, ListDatasets, create_dataset, list_datasets
from jupyter_blueno.client.transport import Http
from tests.cluster.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def named(at: Http) -> list[str]:
    return sorted(one.name for one in at.call(list_datasets, ListDatasets()).datasets)


def by_hand(chart: Installation, what: str) -> str:
    """Run a CronJob now; what it said."""
    name = f"{chart.name}-{what}"
    chart.cluster.run(
        "create", "job", f"{what}-now", f"--from=cronjob/{name}", "--namespace", chart.namespace
    )
    try:
        ended = chart.cluster.job_condition(chart.namespace, f"{what}-now")
        said = chart.cluster.logs(chart.namespace, f"job/{what}-now")
        assert ended["type"] in ("Complete", "SuccessCriteriaMet"), said
    finally:
        chart.cluster.run("delete", f"job/{what}-now", "--namespace", chart.namespace)
    return said


def test_the_databases_come_back_as_they_were(chart: Installation) -> None:
    with suppress(urllib.error.HTTPError):  # known already
        chart.api("POST", "/users/alice")
    token = chart.api("POST", "/users/alice/tokens", {"note": "test"})["token"]
    at = Http(f"{chart.url}/services/blueno", token)
    at.call(create_dataset, CreateDataset("before", visibility="team"))
    before = named(at)
    assert "The databases are in backups/" in by_hand(chart, "backup")
    (kept,) = (chart.volume / "backups").iterdir()
    assert {path.name for path in kept.iterdir()} == {"hub", "blueno"}
    at.call(create_dataset, CreateDataset("after", visibility="team"))
    assert named(at) == sorted([*before, "after"])
    assert f"as they were in backups/{kept.name}" in by_hand(chart, "restore")
    assert named(at) == before
    assert chart.api("GET", "/users/alice")["name"] == "alice"
