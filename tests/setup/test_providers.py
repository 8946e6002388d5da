"""Each provider is asked as its own pages say it, and its refusals become sentences with a next step."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.setup.conftest import Shell

PROJECT = ("--project", "imaging", "--yes", "--no-check")


def google(**more: object) -> list[dict[str, object]]:
    running = {"name": "blueno", "status": "RUNNING"}
    share = {"name": "projects/imaging/x", "state": "READY", "networks": [{"ipAddresses": ["10.0.0.9"]}]}
    absent = {
        "err": "ERROR: (gcloud.container.clusters.describe) ResponseError: code=404, message=Not found",
        "ends": 1,
    }
    gone = {
        "err": "ERROR: (gcloud.filestore.instances.describe) NOT_FOUND: Resource was not found",
        "ends": 1,
    }
    return [
        {"asked": "gcloud auth list", "out": "alice@example.org\n"},
        {"asked": "gcloud container clusters describe", "before": "cluster", **absent},
        {"asked": "gcloud container clusters describe", "out": json.dumps(running)},
        {"asked": "gcloud container clusters create", "marks": "cluster", **more},
        {"asked": "gcloud filestore instances describe", "before": "share", **gone},
        {"asked": "gcloud filestore instances describe", "out": json.dumps(share)},
        {"asked": "gcloud filestore instances create", "marks": "share"},
        {"asked": "gcloud container node-pools describe", "before": "pool", **absent},
        {
            "asked": "gcloud container node-pools describe",
            "out": json.dumps({"name": "gpu", "status": "RUNNING"}),
        },
        {"asked": "gcloud container node-pools create", "marks": "pool"},
        {"asked": "gcloud"},
    ]


def test_google_from_nothing_and_again(shell: Shell) -> None:
    shell.rules = google()
    said = shell.run("setup", "gke", *PROJECT, "--gpus", "2")
    assert "a cluster 'blueno' in us-central1-a, up to 3 machines e2-standard-4" in said
    assert "These are estimates" in said
    assert "idle" in said
    made = [one for one in shell.asked("gcloud") if " create " in one]
    assert [one.split(" create")[0] for one in made] == [
        "gcloud container clusters",
        "gcloud filestore instances",
        "gcloud container node-pools",
    ]
    assert "--enable-dataplane-v2" in made[0]
    assert "--project=imaging --zone=us-central1-a" in made[0]
    assert "--min-nodes=0 --max-nodes=2" in made[2]
    values = yaml.safe_load(shell.given("helm upgrade"))
    assert values["storage"]["nfs"] == {"server": "10.0.0.9", "path": "/blueno"}
    assert [one["slug"] for one in values["profiles"]] == ["small", "gpu"]
    # The share is root's: its folder is given to the people first.
    folders = yaml.safe_load(next(given for _, given in shell.log() if "chown" in given))
    folders = folders["spec"]["template"]["spec"]
    assert folders["volumes"] == [{"name": "folder-0", "nfs": {"server": "10.0.0.9", "path": "/blueno"}}]
    assert "chown 1000:1000" in folders["containers"][0]["command"][-1]
    assert "hub/invite?code=once" in said
    # All is spoken to under the cluster's own name.
    assert all("gke_imaging_us-central1-a_blueno" in one for one in shell.asked("helm"))

    shell.forget()
    again = shell.run("setup", "gke", *PROJECT, "--gpus", "2")
    assert any("get-credentials" in one for one in shell.asked("gcloud"))  # from another machine, too
    assert not [one for one in shell.asked("gcloud") if " create " in one]
    assert "is there" in again


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "ERROR: (gcloud.container.clusters.create) ResponseError: code=403, message=Insufficient "
            "regional quota to satisfy request: resource \"CPUS\": request requires '12.0'.",
            "quota at Google Cloud does not allow it. Ask for more (it says where), or for less: --nodes",
        ),
        (
            "code=409, message=Already exists: projects/imaging/zones/x/clusters/blueno.",
            "choose another --cluster",
        ),
        ("code: ZONE_RESOURCE_POOL_EXHAUSTED", "has no such machine free"),
        ("ResponseError: code=403, message=PERMISSION_DENIED: container.clusters.create", "may not do that"),
        ("This API method requires billing to be enabled.", "wants an account that pays"),
        ("Something nobody knows.", "Something nobody knows."),
    ],
)
def test_what_google_refuses_is_said_with_what_to_do(shell: Shell, said: str, told: str) -> None:
    refusal = {"asked": "gcloud container clusters create", "err": said, "ends": 1}
    shell.rules = [refusal, *google()]
    shown = shell.run("setup", "gke", *PROJECT, ends=1)
    assert told in shown
    assert "Traceback" not in shown
    assert not [one for one in shell.asked("helm") if "upgrade" in one]


def test_nobody_signed_in_is_told_before_anything_is_made(shell: Shell) -> None:
    shell.rules = [{"asked": "gcloud auth list", "out": ""}, *google()]
    said = shell.run("setup", "gke", *PROJECT, ends=1)
    assert "FAIL  signed in: nobody" in said
    assert "gcloud auth login" in said
    assert not [one for one in shell.asked("gcloud") if "create" in one]


def test_a_cluster_that_was_half_made_is_not_taken_for_one(shell: Shell) -> None:
    error = {"name": "blueno", "status": "ERROR", "statusMessage": "Subnet is full"}
    shell.rules = [{"asked": "clusters describe", "out": json.dumps(error)}, *google()]
    said = shell.run("setup", "gke", *PROJECT, ends=1)
    assert "'blueno' is there, but in the state ERROR (Subnet is full)" in said
    assert "blueno teardown --from gke" in said


def test_a_dry_run_prints_every_command_and_makes_nothing(shell: Shell) -> None:
    shell.rules = google()
    said = shell.run("setup", "gke", *PROJECT, "--gpus", "1", "--dry-run")
    for command in (
        "clusters create",
        "clusters get-credentials",
        "filestore instances create",
        "node-pools create",
    ):
        assert command in said
    assert "$ helm upgrade blueno" in said
    assert "ADDRESS-OF-THE-SHARE" in said
    assert not [
        one for one in shell.asked("gcloud", "helm", "kubectl") if " create " in one or "upgrade" in one
    ]


def test_azure(shell: Shell) -> None:
    account = {"user": {"name": "alice"}, "name": "Research"}
    absent = {"err": "ERROR: (ResourceNotFound) The Resource was not found.", "ends": 3}
    shell.rules = [
        {"asked": "az account show", "out": json.dumps(account)},
        {
            "asked": "az group show",
            "err": "ERROR: (ResourceGroupNotFound) Resource group not found",
            "ends": 3,
        },
        {"asked": "az aks show", "before": "cluster", **absent},
        {"asked": "az aks show", "out": json.dumps({"name": "blueno", "provisioningState": "Succeeded"})},
        {"asked": "az aks create", "marks": "cluster"},
        {"asked": "az"},
        {
            "asked": "get persistentvolumeclaim/blueno-volume",
            "before": "claim",
            "err": "not found",
            "ends": 1,
        },
        {"asked": "kind: PersistentVolumeClaim", "marks": "claim"},
        {
            "asked": "get persistentvolumeclaim/blueno-volume",
            "out": json.dumps(
                {"metadata": {}, "status": {"phase": "Bound"}, "spec": {"volumeName": "pvc-1"}}
            ),
        },
        {
            "asked": "get persistentvolume/pvc-1",
            "out": json.dumps(
                {
                    "metadata": {"name": "pvc-1"},
                    "spec": {"capacity": {"storage": "1Ti"}, "csi": {"driver": "file.csi.azure.com"}},
                }
            ),
        },
        {
            "asked": "get storageclasses",
            "out": json.dumps(
                {
                    "items": [
                        {"metadata": {"name": "blueno-nfs"}, "provisioner": "file.csi.azure.com"},
                        {
                            "metadata": {
                                "name": "default",
                                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                            },
                            "provisioner": "disk",
                        },
                    ]
                }
            ),
        },
    ]
    said = shell.run("setup", "aks", "--yes", "--no-check")
    made = shell.asked("az")
    assert any(one.startswith("az group create --name blueno-group --location eastus") for one in made)
    assert any("--network-dataplane cilium" in one for one in made)
    assert "class 'blueno-nfs'" in said
    assert yaml.safe_load(shell.given("helm upgrade"))["storage"]["existingClaim"] == "blueno-volume"

    shell.rules = [{"asked": "az account show", "err": "Please run 'az login' to setup account.", "ends": 1}]
    assert "Nobody is signed in to Azure: az login" in shell.run("setup", "aks", "--yes", ends=1)


def test_aws(shell: Shell) -> None:
    network = {"subnetIds": ["s-1", "s-2", "s-3"], "clusterSecurityGroupId": "sg-1"}
    cluster = {"cluster": {"name": "blueno", "status": "ACTIVE", "resourcesVpcConfig": network}}
    zones = [{"SubnetId": f"s-{n}", "AvailabilityZone": f"us-east-1{'aab'[n - 1]}"} for n in (1, 2, 3)]
    none = "An error occurred (ResourceNotFoundException): No cluster found for name: blueno."
    files = {"FileSystems": [{"FileSystemId": "fs-1", "LifeCycleState": "available"}]}
    served = {"MountTargets": [{"AvailabilityZoneName": "us-east-1a", "LifeCycleState": "available"}]}
    shell.rules = [
        {"asked": "sts get-caller-identity", "out": json.dumps({"Arn": "arn:aws:iam::1:user/alice"})},
        {"asked": "eks describe-cluster", "before": "cluster", "err": none, "ends": 254},
        {"asked": "eks describe-cluster", "out": json.dumps(cluster)},
        {"asked": "eksctl create cluster", "marks": "cluster"},
        {"asked": "efs describe-file-systems", "before": "files", "out": json.dumps({"FileSystems": []})},
        {"asked": "efs describe-file-systems", "out": json.dumps(files)},
        {"asked": "efs create-file-system", "marks": "files"},
        {"asked": "efs describe-mount-targets", "out": json.dumps(served)},
        {"asked": "ec2 describe-subnets", "out": json.dumps({"Subnets": zones})},
        {"asked": "aws"},
    ]
    shell.run("setup", "eks", "--yes", "--no-check", "--gpus", "4")
    asked = yaml.safe_load(shell.given("eksctl create cluster"))
    assert asked["autoModeConfig"] == {"enabled": True}
    # One address for each zone, and not where there is one already.
    (target,) = [one for one in shell.asked("aws") if "create-mount-target" in one]
    assert "--subnet-id s-3 --security-groups sg-1" in target
    values = yaml.safe_load(shell.given("helm upgrade"))
    assert values["storage"]["nfs"]["server"] == "fs-1.efs.us-east-1.amazonaws.com"
    assert any("kind: NodePool" in given and "nvidia.com/gpu: 4" in given for _, given in shell.log())

    shell.rules = [{"asked": "sts", "err": "Unable to locate credentials. You can configure", "ends": 253}]
    assert "Nobody is signed in to AWS: aws configure" in shell.run("setup", "eks", "--yes", ends=1)


@pytest.mark.parametrize(
    ("name", "made", "rules"),
    [
        (
            "kind",
            "kind create cluster --name blueno --wait 120s",
            [
                {"asked": "kind get clusters", "before": "made", "out": "No kind clusters found.\n"},
                {"asked": "kind get clusters", "out": "blueno\n"},
                {"asked": "kind create", "marks": "made"},
            ],
        ),
        (
            "minikube",
            "minikube start --profile blueno --cpus 4 --memory 8g --cni calico",
            [
                {"asked": "minikube status", "before": "made", "err": "Profile not found", "ends": 85},
                {"asked": "minikube status", "out": '{"APIServer": "Running"}'},
                {"asked": "minikube start", "marks": "made"},
            ],
        ),
    ],
)
def test_a_cluster_of_this_machine(
    shell: Shell, name: str, made: str, rules: list[dict[str, object]]
) -> None:
    shell.rules = rules  # type: ignore[assignment]
    shell.run("setup", name, "--yes", "--no-check")
    assert made in shell.asked(name)
    assert yaml.safe_load(shell.given("helm upgrade"))["storage"]["hostPath"]
    shell.forget()
    shell.run("setup", name, "--yes", "--no-check")
    assert made not in shell.asked(name)


def test_what_was_made_is_taken_away_after_its_name_was_typed(shell: Shell) -> None:
    shell.rules = google()
    shell.run("setup", "gke", *PROJECT)
    shell.forget()
    away = ("teardown", "--from", "gke", "--project", "imaging", "--confirm")
    said = shell.run(*away, "something", ends=1)
    assert "the Filestore with everybody's files: to do" in said
    assert "Nothing was done" in said
    assert not [one for one in shell.asked("gcloud") if " delete " in one]
    shell.run(*away, "blueno")
    deleted = [one for one in shell.asked("gcloud") if " delete " in one]
    assert [one.split(" delete")[0] for one in deleted] == [
        "gcloud container clusters",
        "gcloud filestore instances",
    ]
