"""`blueno setup existing` on a real cluster: killed, run again, backed up, moved elsewhere, taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from jupyter_blueno.api.catalog import CreateDataset, ListDatasets, create_dataset, list_datasets
from tests.cluster.client import Cluster
from tests.cluster.installation import Installation
from tests.cluster.person import Person, Places, asked_as_alice, options

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_hub_is_set_up_killed_in_the_middle_and_moved_with_all_it_knows(
    cluster: Cluster, places: Places, tmp_path: Path
) -> None:
    person, first = Person(cluster), places()
    told = options(first, tmp_path / "first.yaml")

    # A dry run says everything, and changes nothing.
    said = person.runs("setup", "existing", *told, "--dry-run")
    assert "Kubernetes 1." in said
    assert f"$ helm upgrade blueno {Path('charts/blueno').resolve()} --install" in said
    assert "network policies: nothing is known here that enforces them" in said
    assert not cluster.run("get", "namespace", first.namespace, "--ignore-not-found")

    # kill -9 of everything while helm is at it; the next run goes on.
    running = person.starts("setup", "existing", *told)
    marks = ("get", "secrets", "--namespace", first.namespace, "--selector=owner=helm", "--output=name")
    cluster.until(lambda: cluster.run(*marks), lambda: running.poll())
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    said = person.runs("setup", "existing", *told)
    assert "hub, service, proxy and database run" in said
    assert "port-forward service/blueno-proxy 8000:80" in said
    again = person.runs("setup", "existing", *told)
    assert f"namespace {first.namespace}: is there" in again

    at = asked_as_alice(first)
    at.call(create_dataset, CreateDataset("lungs", visibility="team"))

    # What it holds is said before anything is taken away; a wrong name takes nothing away.
    there = ("--namespace", first.namespace)
    said = person.runs("teardown", "--everything", *there, "--confirm", "bluenose", "--no-backup", ends=1)
    assert "3 people, 0 notebooks running" in said
    assert "1 datasets with 0 samples" in said
    assert "Nothing was done." in said

    bundle = tmp_path / "hub.tar"
    person.runs("backup", *there, "--to", str(bundle))
    assert bundle.stat().st_mode & 0o777 == 0o600

    # The other cluster: another namespace, other folders, a copy of the volume.
    second = places()
    second.folder.mkdir()
    subprocess.run(["cp", "-a", first.volume, second.volume], check=True)
    person.runs("teardown", "--everything", *there, "--confirm", "blueno", "--no-backup")
    assert not cluster.run("get", "namespace", first.namespace, first.users, "--ignore-not-found")
    moved = options(second, tmp_path / "second.yaml")
    said = person.runs("setup", "existing", *moved, "--from", str(bundle))
    assert "The databases are as they were" in said
    alice = asked_as_alice(second)
    assert [one.name for one in alice.call(list_datasets, ListDatasets()).datasets] == ["lungs"]
    # Once is enough: what came since stays.
    alice.call(create_dataset, CreateDataset("later", visibility="team"))
    said = person.runs("setup", "existing", *moved, "--from", str(bundle))
    assert "what its databases held: is there" in said
    names = [one.name for one in alice.call(list_datasets, ListDatasets()).datasets]
    assert sorted(names) == ["later", "lungs"]


def volume_of_a_class(cluster: Cluster, place: Installation) -> tuple[str, str]:
    """A class, and a volume that somebody made for its first claim; their names."""
    name = f"{place.namespace}-shared"
    place.volume.mkdir(parents=True)
    os.chown(place.volume, 1000, 1000)
    spec = {
        "storageClassName": name,
        "capacity": {"storage": "1Ti"},
        "accessModes": ["ReadWriteMany"],
        "persistentVolumeReclaimPolicy": "Delete",
        "hostPath": {"path": str(place.volume)},
    }
    storage, core = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}, {"apiVersion": "v1"}
    cluster.create(
        "default",
        {**storage, "metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"},
        {**core, "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec},
    )
    return name, name


def test_a_class_gives_one_volume_to_both_namespaces_and_what_hinders_is_said_in_words(
    cluster: Cluster, places: Places, tmp_path: Path
) -> None:
    person, place = Person(cluster), places()
    told = options(place, tmp_path / "values.yaml")
    kind, volume = volume_of_a_class(cluster, place)
    told = tuple(one for one in told if one not in ("--host-path", str(place.volume)))
    told = (*told, "--storage-class", kind)
    values = json.loads((tmp_path / "values.yaml").read_text())
    (tmp_path / "values.yaml").write_text(
        json.dumps({**values, "proxy": {"resources": {"requests": {"cpu": 400}}}})
    )
    said = person.runs("setup", "existing", *told, "--patience", "0.5", ends=1)
    assert (
        "proxy does not become ready: the only node cannot take it now: it has too few free CPU cores" in said
    )
    assert "ask for less by `resources`" in said
    # One and the same folder behind both claims, which nobody deletes with a claim.
    first = cluster.get(place.namespace, "persistentvolumeclaim/blueno-volume")
    second = cluster.get(place.users, "persistentvolumeclaim/blueno-volume")
    assert first["spec"]["volumeName"] == volume
    described = [
        cluster.get("default", f"persistentvolume/{one['spec']['volumeName']}") for one in (first, second)
    ]
    assert {one["spec"]["hostPath"]["path"] for one in described} == {str(place.volume)}
    assert {one["spec"]["persistentVolumeReclaimPolicy"] for one in described} == {"Retain"}
    cluster.until(
        lambda: cluster.get(place.users, "persistentvolumeclaim/blueno-volume")["status"]["phase"] == "Bound",
        lambda: second,
    )
    person.runs("teardown", "--namespace", place.namespace, "--confirm", "blueno")
    said = person.runs("teardown", "--namespace", place.namespace, "--confirm", "blueno", ends=1)
    assert "There is no release 'blueno'" in said
    cluster.run("delete", "storageclass", kind)
    cluster.run("delete", "persistentvolume", volume, f"{place.users}-blueno-volume", "--wait=false")
