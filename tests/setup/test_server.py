"""The chart's own NFS server is planned, priced, written down, and not taken away without a word."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.setup.conftest import CLASS, Shell
from tests.setup.test_providers import PROJECT, google

WISH = ("setup", "existing", "--yes", "--no-check", "--nfs-in-cluster", "500Gi")
GOOGLES = {**CLASS, "provisioner": "pd.csi.storage.gke.io"}


def service(address: str) -> dict[str, Any]:
    return {"spec": {"clusterIP": address}}


def cluster(*kinds: dict[str, Any]) -> list[dict[str, Any]]:
    """A cluster whose services begin at 10.96.0.1; 10.96.0.13 is somebody's."""
    services = {"items": [service(f"10.96.0.{last}") for last in (1, 10, 13)]}
    return [
        {"asked": "get service/kubernetes", "out": json.dumps(service("10.96.0.1"))},
        {"asked": "get services --all-namespaces", "out": json.dumps(services)},
        {"asked": "get storageclasses", "out": json.dumps({"items": kinds or (CLASS,)})},
    ]


def installed(**server: Any) -> list[dict[str, Any]]:
    """A release that has the server already."""
    storage = {"size": "500Gi", "server": {"enabled": True, "address": "10.96.0.14", **server}}
    values = {"storage": storage, "hub": {"authentication": {"authenticator_class": "passwords"}}}
    known = [{"name": "blueno", "status": "deployed", "chart": "blueno-0.1.0", "revision": "1"}]
    return [
        {"asked": "helm list", "out": json.dumps(known)},
        {"asked": "helm get values", "out": json.dumps(values)},
        {"asked": "get persistentvolumeclaim/data-blueno-storage-0", "out": json.dumps({"metadata": {}})},
        {"asked": "get service/blueno-storage", "out": json.dumps(service("10.96.0.14"))},
        {"asked": "get namespace/blueno", "out": json.dumps({"metadata": {}, "status": {}})},
        *cluster(),
    ]


def written(shell: Shell) -> dict[str, Any]:
    storage: dict[str, Any] = yaml.safe_load(shell.given("helm upgrade"))["storage"]
    return storage


def test_a_server_is_planned_priced_and_told_to_the_chart(shell: Shell) -> None:
    shell.rules = cluster(GOOGLES)
    said = shell.run(*WISH, "--images", "registry.example/blueno:0.1")
    # The first address that is free, of those that are not given away by themselves; the API server agreed.
    what = "an NFS server in the cluster at 10.96.0.14, with a disk of 500Gi of the default class"
    assert what in said
    assert "disk of the NFS server, 500Gi       50" in said
    assert "any pod that may speak to it reads everybody's files" in said
    tried = json.loads(shell.given("create --dry-run=server"))
    assert tried["spec"]["clusterIP"] == "10.96.0.14"
    assert written(shell) == {
        "size": "500Gi",
        "server": {"enabled": True, "address": "10.96.0.14"},
        "nfs": {"server": "", "path": ""},
        "hostPath": "",
        "existingClaim": "",
    }
    images = yaml.safe_load(shell.given("helm upgrade"))["images"]
    assert images["storage"] == "registry.example/blueno/storage:0.1"


def test_what_was_named_is_taken_and_an_unknown_price_is_said(shell: Shell) -> None:
    shell.rules = cluster(CLASS, {"metadata": {"name": "fast"}, "provisioner": "local"})
    said = shell.run(*WISH, "--nfs-address=10.96.0.15", "--nfs-nodes=10.128.0.0/20", "--nfs-disk=fast")
    assert "at 10.96.0.15, with a disk of 500Gi of class 'fast'" in said
    assert "The disk of 500Gi costs each month what local takes for it: that is not known here." in said
    assert "any pod that may speak to it" not in said
    server = {"address": "10.96.0.15", "nodes": ["10.128.0.0/20"], "storageClass": "fast"}
    assert written(shell)["server"] == {"enabled": True, **server}


def test_a_dry_run_prints_the_server_and_makes_nothing(shell: Shell) -> None:
    shell.rules = cluster(GOOGLES)
    said = shell.run(*WISH, "--dry-run")
    assert "an NFS server in the cluster at 10.96.0.14" in said
    assert "disk of the NFS server, 500Gi" in said
    assert "server: {enabled: true, address: 10.96.0.14}" in said
    changes = [one for one in shell.asked("kubectl", "helm") if " create " in one or "upgrade" in one]
    assert all("--dry-run=server" in one or "SelfSubject" in shell.given(one) for one in changes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--nfs-in-cluster", "much"), "'much' is not a size of the server's disk: write it as 500Gi or 2Ti"),
        (("--nfs-in-cluster", "0.5Gi"), "at least 1Gi"),
        (("--nfs-in-cluster", "500Gi", "--nfs-address", "nfs.local"), "'nfs.local' is not a free address of"),
        (("--nfs-in-cluster", "500Gi", "--nfs-nodes", "10.0.0.1/8"), "'10.0.0.1/8' is not a network of"),
        (("--nfs-nodes", "10.0.0.0/8"), "add --nfs-in-cluster with the size of its disk"),
        (
            ("--nfs-in-cluster", "500Gi", "--nfs", "10.0.0.2:/export"),
            "Everybody's files are in one place: --nfs and --nfs-in-cluster cannot be together.",
        ),
        (("--nfs-in-cluster", "500Gi", "--nfs-disk", "fast"), "class 'fast' is not there"),
    ],
)
def test_what_cannot_be_is_said(shell: Shell, options: tuple[str, ...], told: str) -> None:
    shell.rules = cluster()
    said = " ".join(
        shell.run("setup", "existing", "--yes", *options, ends=2 if "one place" in told else 1).split()
    )
    assert told in said
    assert "Traceback" not in said
    assert not [one for one in shell.asked("helm") if "upgrade" in one]


def test_an_address_that_the_cluster_refuses_is_told_before(shell: Shell) -> None:
    refusal = "failed to allocate IP 10.0.0.9: the provided IP is not in the valid range"
    shell.rules = [{"asked": "create --dry-run=server", "err": refusal, "ends": 1}, *cluster()]
    said = shell.run(*WISH, "--nfs-address", "10.0.0.9", ends=1)
    assert "Name another one by --nfs-address" in said
    assert refusal in said


def test_a_server_that_is_there_stays_as_it_is(shell: Shell) -> None:
    shell.rules = installed(storageClass="fast")
    shell.run("setup", "existing", "--yes", "--no-check")  # nobody asks again where files are
    assert written(shell)["server"]["address"] == "10.96.0.14"
    shell.forget()
    shell.run(*WISH)
    assert written(shell)["server"] == {"enabled": True, "address": "10.96.0.14", "storageClass": "fast"}
    shell.forget()
    said = shell.run(*WISH[:-1], "800Gi", ends=1)
    assert "made with 500Gi of class 'fast', which a release cannot change" in said
    assert "kubectl edit pvc data-blueno-storage-0" in said
    said = shell.run(*WISH, "--nfs-address", "10.96.0.7", ends=1)
    assert "The server is at 10.96.0.14, from where everything is mounted, and stays there" in said
    # Somewhere else from now on: the chart is told that there is none.
    shell.run("setup", "existing", "--yes", "--no-check", "--nfs", "10.0.0.2:/export")
    assert written(shell)["server"]["enabled"] is False


def test_teardown_says_that_the_disk_is_lost_and_ends_who_has_it_mounted_first(shell: Shell) -> None:
    shell.rules = installed()
    said = shell.run("teardown", "--confirm", "blueno", "--yes")
    assert "on the NFS server's disk of 500Gi (the claim data-blueno-storage-0)" in said
    assert "without the server they stand still until it is installed again" in said
    assert "files are lost" not in said

    shell.forget()
    said = shell.run("teardown", "--everything", "--confirm", "blueno", "--yes")
    assert "Everybody's files are lost, too: they are on the NFS server's disk of 500Gi" in said
    assert "It leaves nothing." in said
    done = [one for one in shell.asked("kubectl", "helm") if " delete namespace" in one or "uninstall" in one]
    assert ["blueno-users" in done[0], "helm uninstall" in done[1], "blueno-users" in done[2]] == [
        True, True, False,
    ]  # fmt: skip
    scaled = next(one for one in shell.asked("kubectl", "helm") if "--replicas=0" in one)
    asked = shell.asked("kubectl", "helm")
    assert asked.index(scaled) < asked.index(done[1])


def test_a_provider_has_the_server_instead_of_its_share(shell: Shell) -> None:
    shell.rules = [*google(), *cluster(GOOGLES)]
    said = shell.run("setup", "gke", *PROJECT, "--nfs-in-cluster", "200Gi")
    assert said.count("disk of the NFS server, 200Gi") == 1
    assert "Filestore, " not in said
    assert not [one for one in shell.asked("gcloud") if "filestore instances create" in one]
    assert written(shell)["server"] == {"enabled": True, "address": "10.96.0.14"}

    # Google leaves disks behind with a cluster: so they go first.
    shell.forget()
    shell.rules = [*google(), *installed()]
    said = shell.run("teardown", "--from", "gke", "--project", "imaging", "--confirm", "blueno")
    assert "Everybody's files are lost, too: they are on the NFS server's disk of 500Gi" in said
    assert "the Filestore with everybody's files: is not there" in said
    asked = shell.asked("kubectl", "gcloud")
    (inside,) = [n for n, one in enumerate(asked) if one.endswith("delete namespace blueno --timeout=5m")]
    (whole,) = [n for n, one in enumerate(asked) if "container clusters delete" in one]
    assert inside < whole


def test_a_dry_run_without_a_cluster_names_the_address_that_will_be_found(shell: Shell) -> None:
    shell.rules = google()
    said = shell.run("setup", "gke", *PROJECT, "--nfs-in-cluster", "200Gi", "--dry-run")
    assert "address: A-FREE-ADDRESS-OF-SERVICES" in said
    assert "disk of the NFS server, 200Gi" in said


@pytest.mark.parametrize(
    ("name", "cost", "share", "rules"),
    [
        (
            "aks",
            "disk of the NFS server, 200Gi 15",
            "Azure Files",
            [
                {"asked": "az account show", "out": json.dumps({"user": {"name": "a"}, "name": "Research"})},
                {"asked": "az .* show", "err": "was not found", "ends": 3},
            ],
        ),
        (
            "eks",
            "disk of the NFS server, 200Gi 16",
            "EFS",
            [
                {"asked": "sts get-caller-identity", "out": json.dumps({"Arn": "arn:aws:iam::1:user/a"})},
                {"asked": "eks describe-cluster", "err": "No cluster found", "ends": 254},
            ],
        ),
    ],
)
def test_other_clouds_make_no_share_beside_it(
    shell: Shell, name: str, cost: str, share: str, rules: list[dict[str, Any]]
) -> None:
    shell.rules = rules
    said = shell.run("setup", name, "--nfs-in-cluster", "200Gi", "--dry-run")
    assert cost in " ".join(said.split())
    assert share not in said
    assert "efs" not in " ".join(shell.asked("aws"))
    assert "size: 200Gi" in said
