"""Elastic Kubernetes Service in Auto Mode and EFS, by eksctl and aws.

https://docs.aws.amazon.com/eks/latest/eksctl/auto-mode.html,
https://docs.aws.amazon.com/cli/latest/reference/efs/
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_blueno.doctor.model import Finding
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Price, State, Step, Storage
from jupyter_blueno.setup.programs import Shell, written
from jupyter_blueno.setup.providers.base import HOURS, Provider, pause

REGION = "us-east-1"
SOURCE = "list prices of us-east-1 from aws.amazon.com/{eks,ec2,efs}/pricing, as of 2025"


class Here(Provider):
    programs = ("aws", "eksctl")
    title = "AWS"
    disks = "ebs.csi.eks.amazonaws.com"

    @property
    def region(self) -> str:
        return self.size.place or REGION

    @property
    def context(self) -> str:
        return self.size.name

    def signed_in(self, shell: Shell) -> Iterator[Finding]:
        found = shell.json("aws", "sts", "get-caller-identity", "--output", "json")
        yield Finding("signed in", "ok", f"{found['Arn']}")

    def aws(self, *words: str) -> tuple[str, ...]:
        return ("aws", *words, "--region", self.region, "--output", "json")

    def steps(self, shell: Shell) -> list[Step]:
        size = self.size
        made = [
            Step(
                f"a cluster '{size.name}' in {self.region} with its own network (Auto Mode)",
                lambda: self.make_cluster(shell),
                lambda: self.state(self.cluster(shell)),
                lambda: self.let_in(shell),
                takes="about 15 minutes",
                ground=True,
            ),
            Step(
                "disks by default, network policies that are enforced",
                lambda: self.apply(shell, *self.ground()),
            ),
        ]
        if not size.server:
            made += [
                Step(
                    "a file system for everybody's files (EFS)",
                    lambda: self.make_files(shell),
                    lambda: self.files_state(shell),
                ),
                Step("the file system is reached from the cluster's network", lambda: self.mount(shell)),
            ]
        if size.gpus:
            words = f"up to {size.gpus} GPUs; no machine as long as nobody asks"
            made.append(Step(words, lambda: self.apply(shell, self.gpus())))
        return made

    # The cluster

    def cluster(self, shell: Shell) -> Object | None:
        found = shell.found(*self.aws("eks", "describe-cluster", "--name", self.size.name))
        return found and found["cluster"]  # type: ignore[no-any-return]

    def state(self, found: Object | None) -> State:
        if found is None:
            return "absent"
        if found["status"] == "ACTIVE":
            return "there"
        if found["status"] in ("CREATING", "UPDATING"):
            return "coming"
        raise Unavailable(
            f"'{found['name']}' is there, but in the state {found['status']}: if it was never ready, take it "
            "away (blueno teardown --from eks) and run this again.",
            code="half_made",
        )

    def make_cluster(self, shell: Shell) -> None:
        asked = {
            "apiVersion": "eksctl.io/v1alpha5",
            "kind": "ClusterConfig",
            "metadata": {"name": self.size.name, "region": self.region, "tags": {"blueno": self.size.name}},
            "autoModeConfig": {"enabled": True},
        }
        shell.do(
            "eksctl", "create", "cluster", "--config-file=-", "--write-kubeconfig=false", given=written(asked)
        )

    def let_in(self, shell: Shell) -> None:
        while not shell.dry and self.state(self.cluster(shell)) != "there":
            pause(shell, "the cluster is being made …")
        shell.do(*self.aws("eks", "update-kubeconfig", "--name", self.size.name, "--alias", self.context))

    def apply(self, shell: Shell, *objects: Object) -> None:
        Cluster(shell, context=self.context, namespace="kube-system").apply(*objects)

    def ground(self) -> tuple[Object, ...]:
        """What Auto Mode leaves to its owner."""
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        return (
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": "auto-ebs", "annotations": default},
                "provisioner": "ebs.csi.eks.amazonaws.com",
                "volumeBindingMode": "WaitForFirstConsumer",
                "parameters": {"type": "gp3", "encrypted": "true"},
            },
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
                "data": {"enable-network-policy-controller": "true"},
            },
        )

    def gpus(self) -> Object:
        """Machines with a GPU, which Auto Mode starts and stops."""
        requirements = [
            {"key": "eks.amazonaws.com/instance-gpu-count", "operator": "In", "values": ["1"]},
            {"key": "eks.amazonaws.com/instance-gpu-manufacturer", "operator": "In", "values": ["nvidia"]},
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
        ]
        kind = self.size.gpu_machine
        if kind:
            requirements.append(
                {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [kind]}
            )
        spec = {
            "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"},
            "requirements": requirements,
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
        }
        limits = {"nvidia.com/gpu": self.size.gpus}
        meta = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "gpu"}}
        return {**meta, "spec": {"limits": limits, "template": {"spec": spec}}}

    # The file system

    def file_system(self, shell: Shell) -> Object | None:
        """Ours: found by the word it was asked for with, which AWS keeps unique."""
        found = shell.json(*self.aws("efs", "describe-file-systems", "--creation-token", self.size.name))
        return next(iter(found["FileSystems"]), None)

    def files_state(self, shell: Shell) -> State:
        found = self.file_system(shell)
        if found is None or found["LifeCycleState"] in ("deleting", "deleted"):
            return "absent"
        return "there"

    def make_files(self, shell: Shell) -> None:
        kind = ("--encrypted", "--performance-mode", "generalPurpose", "--throughput-mode", "elastic")
        tags = ("--tags", f"Key=Name,Value={self.size.name}")
        shell.do(*self.aws("efs", "create-file-system", "--creation-token", self.size.name, *kind, *tags))

    def mount(self, shell: Shell) -> None:
        """Have an address of the file system in each zone where there is none."""
        if shell.dry and self.file_system(shell) is None:
            shell.say(
                "(aws efs create-mount-target, in one subnet of each zone, in the cluster's security group)"
            )
            return
        files, cluster = self.file_system(shell), self.cluster(shell)
        assert files is not None
        assert cluster is not None
        name, network = files["FileSystemId"], cluster["resourcesVpcConfig"]
        while not shell.dry and (self.file_system(shell) or {})["LifeCycleState"] == "creating":
            pause(shell, "the file system is being made …", 5)
        targets = ("efs", "describe-mount-targets", "--file-system-id", name)
        served = {one["AvailabilityZoneName"] for one in shell.json(*self.aws(*targets))["MountTargets"]}
        subnets = shell.json(*self.aws("ec2", "describe-subnets", "--subnet-ids", *network["subnetIds"]))
        zones = {one["AvailabilityZone"]: one["SubnetId"] for one in subnets["Subnets"]}
        for zone, subnet in zones.items():
            if zone not in served:
                where = ("--file-system-id", name, "--subnet-id", subnet)
                group = ("--security-groups", network["clusterSecurityGroupId"])  # what its machines are in
                shell.do(*self.aws("efs", "create-mount-target", *where, *group))
        while not shell.dry and not self._mounted(shell, targets):
            pause(shell, "its addresses are being made …", 5)

    def _mounted(self, shell: Shell, targets: tuple[str, ...]) -> bool:
        found = shell.json(*self.aws(*targets))["MountTargets"]
        return all(one["LifeCycleState"] == "available" for one in found)

    def storage(self, shell: Shell) -> Storage:
        if self.size.server:
            return Storage(server=self.size.server)
        found = self.file_system(shell)
        name = found["FileSystemId"] if found else "FILE-SYSTEM"
        return Storage(nfs=f"{name}.efs.{self.region}.amazonaws.com:/", fresh=True)

    def values(self) -> Object:
        return self.gpu_profile() if self.size.gpus else {"jobs": {"grows": True}}

    def prices(self) -> tuple[Price, ...]:
        node, gpu = 0.192 * 1.12 * HOURS, 0.526 * 1.12 * HOURS
        return (
            Price("Kubernetes", 0.10 * HOURS, source=SOURCE),
            self.machines("of 4 cores in Auto Mode", node),
            self.files(Price("EFS, for each 100 GB that are used", 30)),
            *self.gpu_machines("a T4", gpu),
            Price("gateway of the network, disks and address", 60),
        )

    def removal(self, shell: Shell) -> list[Step]:
        def files() -> None:
            name = (self.file_system(shell) or {"FileSystemId": "FILE-SYSTEM"})["FileSystemId"]
            targets = shell.json(*self.aws("efs", "describe-mount-targets", "--file-system-id", name))[
                "MountTargets"
            ]
            for one in targets:
                shell.do(*self.aws("efs", "delete-mount-target", "--mount-target-id", one["MountTargetId"]))
            while (
                not shell.dry
                and shell.json(*self.aws("efs", "describe-mount-targets", "--file-system-id", name))[
                    "MountTargets"
                ]
            ):
                pause(shell, "its addresses are being removed …", 5)
            shell.do(*self.aws("efs", "delete-file-system", "--file-system-id", name))

        def cluster() -> None:
            shell.do(
                "eksctl", "delete", "cluster", "--name", self.size.name, "--region", self.region, "--wait"
            )

        return [
            Step(
                "the file system with everybody's files",
                files,
                lambda: "absent" if self.file_system(shell) else "there",
                there="is not there",
            ),
            Step(
                f"the cluster '{self.size.name}' and its network",
                cluster,
                lambda: "absent" if self.cluster(shell) else "there",
                there="is not there",
            ),
        ]
