"""Azure Kubernetes Service and Azure Files, by az.

https://learn.microsoft.com/cli/azure/aks, https://learn.microsoft.com/azure/aks/azure-csi-files-storage-provision
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_blueno.doctor.model import Finding
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Price, State, Step, Storage
from jupyter_blueno.setup.programs import Shell
from jupyter_blueno.setup.providers.base import HOURS, Provider, pause

REGION, MACHINE, GPU_MACHINE = "eastus", "Standard_D4s_v5", "Standard_NC4as_T4_v3"
CLASS = "blueno-nfs"
SOURCE = "list prices of eastus from azure.microsoft.com/pricing, as of 2025"


class Here(Provider):
    programs = ("az",)
    title = "Azure"
    disks = "disk.csi.azure.com"

    @property
    def context(self) -> str:
        return self.size.name

    @property
    def group(self) -> str:
        return self.size.project or f"{self.size.name}-group"

    @property
    def at(self) -> tuple[str, ...]:
        return ("--resource-group", self.group)

    def signed_in(self, shell: Shell) -> Iterator[Finding]:
        found = shell.json("az", "account", "show", "--output", "json")
        yield Finding("signed in", "ok", f"{found['user']['name']}, subscription '{found['name']}'")

    def steps(self, shell: Shell) -> list[Step]:
        size, place = self.size, self.size.place or REGION
        made = [
            Step(
                f"a resource group '{self.group}' in {place}",
                lambda: self.make_group(shell),
                lambda: self.group_state(shell),
            ),
            Step(
                f"a cluster '{size.name}', 1 to {size.nodes} machines {size.machine or MACHINE}",
                lambda: self.make_cluster(shell),
                lambda: self.state(self.cluster(shell)),
                lambda: self.let_in(shell),
                takes="about 6 minutes",
                ground=True,
            ),
        ]
        if not size.server:
            made.append(Step("a class of storage: Azure Files by NFS", lambda: self.make_class(shell)))
        if size.gpus:
            words = f"up to {size.gpus} machines with a GPU; none as long as nobody asks"
            made.append(
                Step(
                    words,
                    lambda: self.make_gpus(shell),
                    lambda: self.state(self.pool(shell)),
                    takes="some minutes",
                )
            )
        return made

    def group_state(self, shell: Shell) -> State:
        return (
            "there"
            if shell.found("az", "group", "show", "--name", self.group, "--output", "json")
            else "absent"
        )

    def make_group(self, shell: Shell) -> None:
        shell.do("az", "group", "create", "--name", self.group, "--location", self.size.place or REGION)

    def cluster(self, shell: Shell) -> Object | None:
        found: Object | None = shell.found(
            "az", "aks", "show", "--name", self.size.name, *self.at, "--output", "json"
        )
        return found

    def pool(self, shell: Shell) -> Object | None:
        where = ("az", "aks", "nodepool", "show", "--cluster-name", self.size.name, "--name", "gpu", *self.at)
        found: Object | None = shell.found(*where, "--output", "json")
        return found

    def state(self, found: Object | None) -> State:
        if found is None:
            return "absent"
        status = found["provisioningState"]
        if status == "Succeeded":
            return "there"
        if status in ("Creating", "Updating", "Upgrading"):
            return "coming"
        raise Unavailable(
            f"'{found['name']}' is there, but in the state {status}: if it was never ready, take it away "
            "(blueno teardown --from aks) and run this again.",
            code="half_made",
        )

    def make_cluster(self, shell: Shell) -> None:
        most = (
            "--node-count",
            "1",
            "--enable-cluster-autoscaler",
            "--min-count",
            "1",
            "--max-count",
            str(self.size.nodes),
        )
        # Cilium enforces network policies.
        network = (
            "--network-plugin",
            "azure",
            "--network-plugin-mode",
            "overlay",
            "--network-dataplane",
            "cilium",
        )
        machine = ("--node-vm-size", self.size.machine or MACHINE)
        command = ("az", "aks", "create", "--name", self.size.name, *self.at)
        shell.do(*command, *machine, *most, *network, "--generate-ssh-keys", "--output", "none")

    def let_in(self, shell: Shell) -> None:
        while not shell.dry and self.state(self.cluster(shell)) != "there":
            pause(shell, "the cluster is being made …")
        name = ("--name", self.size.name)
        shell.do("az", "aks", "get-credentials", *name, *self.at, "--overwrite-existing")

    def make_class(self, shell: Shell) -> None:
        Cluster(shell, context=self.context, namespace="default").apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": CLASS},
                "provisioner": "file.csi.azure.com",
                "parameters": {"protocol": "nfs", "skuName": "Premium_LRS", "rootSquashType": "NoRootSquash"},
                "mountOptions": ["nconnect=4", "noresvport", "actimeo=1"],
                "reclaimPolicy": "Retain",
                "allowVolumeExpansion": True,
            }
        )

    def make_gpus(self, shell: Shell) -> None:
        most = (
            "--node-count",
            "0",
            "--enable-cluster-autoscaler",
            "--min-count",
            "0",
            "--max-count",
            str(self.size.gpus),
        )
        machine = ("--node-vm-size", self.size.gpu_machine or GPU_MACHINE)
        taint = ("--node-taints", "nvidia.com/gpu=present:NoSchedule")
        command = (
            "az",
            "aks",
            "nodepool",
            "add",
            "--cluster-name",
            self.size.name,
            "--name",
            "gpu",
            *self.at,
        )
        shell.do(*command, *machine, *taint, *most, "--output", "none")

    def storage(self, shell: Shell) -> Storage:
        return Storage(server=self.size.server) if self.size.server else Storage(storage_class=CLASS)

    def values(self) -> Object:
        grows = self.gpu_profile() if self.size.gpus else {"jobs": {"grows": True}}
        return {"storage": {"size": f"{self.size.storage}Ti"}, **grows}

    def notes(self) -> tuple[str, ...]:
        plugin = "Machines with a GPU need NVIDIA's device plugin: https://learn.microsoft.com/azure/aks/gpu-cluster."
        return (plugin,) if self.size.gpus else ()

    def prices(self) -> tuple[Price, ...]:
        node, gpu = 0.192 * HOURS, 0.526 * HOURS
        return (
            Price("Kubernetes (the free tier)", 0, source=SOURCE),
            self.machines(self.size.machine or MACHINE, node),
            self.files(
                Price(f"Azure Files Premium, {self.size.storage} TB", 0.16 * 1024 * self.size.storage)
            ),
            *self.gpu_machines("a T4", gpu),
            Price("disks and address", 25),
        )

    def removal(self, shell: Shell) -> list[Step]:
        def delete() -> None:
            shell.do("az", "group", "delete", "--name", self.group, "--yes")

        words = f"the resource group '{self.group}' with all that is in it: cluster, disks, everybody's files"
        return [
            Step(
                words,
                delete,
                lambda: "absent" if self.group_state(shell) == "there" else "there",
                there="is gone",
            )
        ]
