"""`blueno upgrade` from the chart of an earlier commit: work, data, secrets and sign-ins go on."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from jupyter_blueno.api.catalog import CreateDataset, ListDatasets, create_dataset, list_datasets
from jupyter_blueno.hub.cluster import USER
from tests.cluster.client import Cluster
from tests.cluster.installation import Installation
from tests.cluster.person import Person, Places, options
from tests.cluster.test_chart_faults import TELL, WAITS, kernel, known, only_pod

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BEFORE = "7dedacc"  # its chart has one role for the service's database, and no account of the hub's own
ROOT = Path(__file__).parents[2]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """Return the chart of an earlier commit."""
    packed = subprocess.run(["git", "archive", BEFORE, "charts/blueno"], cwd=ROOT, capture_output=True)
    if packed.returncode:
        pytest.skip(f"the clone is too shallow: it has no commit {BEFORE}")
    subprocess.run(["tar", "--extract", f"--directory={tmp_path}"], input=packed.stdout, check=True)
    return tmp_path / "charts" / "blueno"


def passwords(at: Installation, name: str) -> dict[str, str]:
    found: dict[str, str] = at.cluster.get(at.namespace, f"secret/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def test_work_goes_on_through_an_upgrade_of_two_replicas(
    cluster: Cluster, places: Places, before: Path, tmp_path: Path
) -> None:
    person, at = Person(cluster), places()
    told = options(at, tmp_path / "values.yaml")
    values = json.loads((tmp_path / "values.yaml").read_text())
    values["service"]["replicas"] = 2
    ours = tmp_path / "images.yaml"
    ours.write_text(json.dumps({"images": values["images"]}))
    # Images of that time, where somebody has them: BLUENO_IMAGES_BEFORE is JSON of hub, notebook and service.
    older = json.loads(os.environ.get("BLUENO_IMAGES_BEFORE", "{}"))
    values["images"] |= older
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    person.runs("setup", "existing", *told, "--chart", str(before))

    alice = at.start_server("alice")
    started = kernel(alice)

    def says(code: str) -> str:
        return at.runs(at.users, "jupyter-alice", "python", "-c", TELL, started, code).strip()

    assert says("remembered = 6") == ""
    alice.call(create_dataset, CreateDataset("lungs", visibility="team"))
    gate = f"gate-{uuid.uuid4().hex[:6]}"
    # By the Blueno of that time.
    waits = ("python", "-c", WAITS.replace("{name}", gate))
    said = at.runs(at.users, "jupyter-alice", "blueno", "run", "--", *waits)
    (job,) = cluster.until(
        lambda: [one["metadata"]["labels"]["blueno.dev/job"] for one in at.jobs()], lambda: said
    )
    known(at, alice, job, "RUNNING")
    pod = only_pod(at, job)
    hub = passwords(at, "blueno-hub")

    # Today's service with the chart of that time has tables which the backup of that time cannot read.
    backup = () if older else ("--no-backup",)
    where = ("--namespace", at.namespace, "--values", str(ours))
    said = person.runs("upgrade", *where, *backup, "--yes", "--no-check")
    assert "From the chart blueno-0.1.0 (revision 1)" in said
    assert ("backups/20" in said) == bool(older)
    assert f"helm rollback blueno 1 --namespace={at.namespace}" in said

    # The same kernel, job, sign-in and data; two replicas that both answer.
    assert says("print(remembered * 7)") == "42"
    assert only_pod(at, job) == pod
    assert at.api("GET", "/users/alice")["servers"][""]["ready"]
    assert passwords(at, "blueno-hub").items() >= hub.items()
    assert [one.name for one in alice.call(list_datasets, ListDatasets()).datasets] == ["lungs"]
    path = at.volume / "home" / "alice" / gate
    path.touch()
    os.chown(path, USER, USER)
    assert known(at, alice, job, "SUCCEEDED").attempt == 1
    service = cluster.get(at.namespace, "deployment/blueno-service")
    assert service["status"]["readyReplicas"] == 2
    # What makes the tables ready may have met a database that was just being exchanged; the service did not.
    pods = cluster.get(at.namespace, "pods", "--selector=app.kubernetes.io/component=service")["items"]
    assert sum(one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"]) == 0
