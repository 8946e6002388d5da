"""What is looked at before anything is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jupyter_blueno.doctor.model import Check, Finding, finding
from jupyter_blueno.jobs.backends.kubernetes.shapes import quantity
from jupyter_blueno.setup import server
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Server, Storage, listed
from jupyter_blueno.setup.programs import Failed

OLDEST = (1, 28)
GIB = 2**30
# What the chart installs, and what looks after it: (verb, group, resource).
RIGHTS = (
    *(
        ("create", group, resource)
        for group, resources in {
            "": (
                "namespaces", "persistentvolumes", "persistentvolumeclaims", "secrets", "configmaps",
                "services", "serviceaccounts", "pods", "resourcequotas",
            ),
            "apps": ("deployments", "statefulsets"),
            "batch": ("jobs", "cronjobs"),
            "networking.k8s.io": ("networkpolicies",),
            "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
        }.items()
        for resource in resources
    ),
    ("list", "", "nodes"),
    ("list", "storage.k8s.io", "storageclasses"),
    ("get", "", "secrets"),
)  # fmt: skip
# Kinds of storage that many nodes may write to at once, by who makes it.
SHARED = (
    "nfs", "efs.csi.aws.com", "filestore", "file.csi.azure.com", "azure-file", "cephfs", "glusterfs",
    "lustre", "beegfs",
    "longhorn", "portworx", "trident", "juicefs", "weka", "quobyte", "smb.csi", "fsx.csi.aws.com",
)  # fmt: skip
# Who enforces network policies, by a word of the names of its pods.
ENFORCERS = {
    "calico": "Calico", "cilium": "Cilium", "anetd": "Cilium (GKE Dataplane V2)", "antrea": "Antrea",
    "weave": "Weave", "kube-router": "kube-router", "azure-npm": "Azure NPM", "ovnkube": "OVN-Kubernetes",
    "canal": "Canal", "kindnet": "kindnet", "network-policy": "its own controller",
}  # fmt: skip


def before(cluster: Cluster, storage: Storage, values: Object) -> tuple[Check, ...]:
    """What has to be right before an installation."""
    looked = Looked(cluster, storage, values)
    return (
        ("cluster", looked.version),
        ("rights", looked.rights),
        ("nodes", looked.nodes),
        ("storage", looked.storage),
        ("database's volume", looked.database),
        ("network policies", looked.policies),
        ("Pod Security", looked.pod_security),
    )


class Looked:
    """The cluster as it is found."""

    def __init__(self, cluster: Cluster, storage: Storage, values: Object) -> None:
        self.cluster, self.wanted, self.values = cluster, storage, values

    def version(self) -> Iterator[Finding]:
        said = self.cluster.shell.json(*self.cluster.address, "version", "--output=json")["serverVersion"]
        number = int(said["major"]), int("".join(one for one in said["minor"] if one.isdigit()))
        yield finding(
            "cluster", number >= OLDEST, f"Kubernetes {said['gitVersion'].removeprefix('v')}",
            f"Blueno needs Kubernetes {OLDEST[0]}.{OLDEST[1]} or newer.",
        )  # fmt: skip

    def rights(self) -> Iterator[Finding]:
        lacking = [f"{verb} {resource}" for verb, _, resource in self.cluster.may(*RIGHTS)]
        yield finding(
            "rights", not lacking, f"may not {listed(lacking)}" if lacking else "all that are needed",
            "Ask who runs the cluster for an account that may (cluster-admin has all), or to do this for "
            "you: the same command with --dry-run prints what is to be done.",
        )  # fmt: skip

    def nodes(self) -> Iterator[Finding]:
        ready = [one for one in self.cluster.items("nodes") if _ready(one)]
        room = [one["status"].get("allocatable", {}) for one in ready]
        cores = sum(quantity(one.get("cpu", "0")) for one in room)
        memory = sum(quantity(one.get("memory", "0")) for one in room) / GIB
        gpus = sum(int(quantity(one.get("nvidia.com/gpu", "0"))) for one in room)
        words = f"{len(ready)} with {cores:.0f} cores, {memory:.0f} GB" + (f", {gpus} GPUs" if gpus else "")
        yield finding(
            "nodes", cores >= 2 and memory >= 3.5, words,
            "Hub, proxy, service and database ask for half a core and 1.2 GB, and each notebook for what its "
            "profile says: with less than 2 cores and 4 GB not much will start.", "warn",
        )  # fmt: skip
        other = {one["status"]["nodeInfo"]["architecture"] for one in ready} - {"amd64"}
        if other:
            yield Finding(
                "architecture", "warn", f"there are nodes of {listed(sorted(other))}",
                "Build the images for them too, or keep Blueno off them by node selectors.",
            )  # fmt: skip

    def storage(self) -> Iterator[Finding]:
        wanted = self.wanted
        if wanted.storage_class:
            known = {one["metadata"]["name"]: one for one in classes(self.cluster)}
            found = known.get(wanted.storage_class)
            yield finding(
                "storage", found is not None,
                f"class '{wanted.storage_class}'" + ("" if found else " is not there"),
                f"There is {listed(sorted(known)) if known else 'no class at all'}.",
            )  # fmt: skip
            if found and not shared(found):
                yield Finding(
                    "storage", "warn", f"class '{wanted.storage_class}' is made by {found['provisioner']}",
                    "It is not known here to give volumes that many nodes write to (ReadWriteMany). If it "
                    "does not, the claim stays pending, and that will be said.",
                )  # fmt: skip
        elif wanted.claim:
            claim = self.cluster.get(f"persistentvolumeclaim/{wanted.claim}")
            modes = (claim or {}).get("spec", {}).get("accessModes", [])
            yield finding(
                "storage", "ReadWriteMany" in modes,
                f"claim '{wanted.claim}'" + ("" if claim else " is not there"),
                "It must be in both namespaces, ReadWriteMany, of one and the same folder.",
            )  # fmt: skip
        elif wanted.host_path:
            count = len(self.cluster.items("nodes"))
            yield finding(
                "storage", count == 1, f"{wanted.host_path} of the node",
                f"The cluster has {count} nodes: a folder of one is not seen by the others. Use --nfs.",
            )  # fmt: skip
        elif wanted.server:
            yield from self.server(wanted.server)
        elif wanted.nfs:
            yield Finding("storage", "ok", f"NFS at {wanted.nfs}")

    def server(self, wanted: Server) -> Iterator[Finding]:
        hindered = server.hindered(self.cluster, wanted)
        words = f"an NFS server in the cluster at {wanted.address}, with {wanted.size}"
        yield finding("storage", not hindered, words, hindered)
        if wanted.folder:
            return
        found = disk_class(self.cluster, wanted.disk)
        if not self.cluster.get(f"persistentvolumeclaim/{server.claim(self.cluster)}"):
            known = sorted(one["metadata"]["name"] for one in classes(self.cluster))
            there = f"There is {listed(known)}." if known else "There is no class at all."
            yield finding(
                "server's disk", found is not None,
                f"class '{found['metadata']['name']}'" if found
                else f"class '{wanted.disk}' is not there" if wanted.disk else "no class is the default one",
                f"Name one that gives ReadWriteOnce by --nfs-disk. {there}",
            )  # fmt: skip
        if not wanted.nodes:
            yield Finding(
                "server's clients", "warn", "any pod that may speak to it reads everybody's files",
                "Notebooks and jobs may not. For all others name the nodes' networks, with no pods in them, "
                "by --nfs-nodes; not with Cilium, which counts no node among networks.",
            )  # fmt: skip

    def database(self) -> Iterator[Finding]:
        mine: dict[str, Any] = self.values.get("postgresql") or {}
        if mine.get("existingSecret"):
            yield Finding("database", "ok", f"yours, by the secret '{mine['existingSecret']}'")
        elif mine.get("hostPath"):
            yield Finding("database's volume", "ok", f"{mine['hostPath']} of the node")
        elif self.cluster.get(f"persistentvolumeclaim/data-{self.cluster.release}-database-0"):
            yield Finding("database's volume", "ok", "is there")
        else:
            usual = disk_class(self.cluster)
            name = mine.get("storageClass") or (usual["metadata"]["name"] if usual else "")
            yield finding(
                "database's volume", bool(name), f"class '{name}'" if name else "no class is the default one",
                "Name one by postgresql.storageClass in the values, or a folder of a node by "
                "postgresql.hostPath, or your own PostgreSQL by postgresql.existingSecret.",
            )  # fmt: skip

    def policies(self) -> Iterator[Finding]:
        names = [one["metadata"]["name"] for one in self.cluster.items("pods", namespace="kube-system")]
        names += [one["metadata"]["name"] for one in self.cluster.items("daemonsets", "--all-namespaces")]
        found = next((said for word, said in ENFORCERS.items() if any(word in one for one in names)), "")
        yield finding(
            "network policies", bool(found), found or "nothing is known here that enforces them",
            "Without it a notebook reaches the database's port and other people's pods. Install Calico or "
            "Cilium; the check at the end tries it.", "warn",
        )  # fmt: skip

    def pod_security(self) -> Iterator[Finding]:
        """Whether Pod Security is enforced, by trying: who enforces it refuses a level that is none."""
        label = "pod-security.kubernetes.io/enforce=no-such-level"
        command = ("label", "namespace", "kube-system", label, "--overwrite", "--dry-run=server")
        try:
            self.cluster.shell.ask(*self.cluster.address, *command)
            enforces = False
        except Failed as error:
            enforces = "must be one of" in error.said
            if not enforces:
                yield Finding("Pod Security", "warn", f"could not be tried: {error.said}")
                return
        yield finding(
            "Pod Security", enforces, "is enforced" if enforces else "is not enforced here",
            "Notebooks and jobs keep to 'restricted' by themselves, but nothing stops whoever may make pods. "
            "Turn the admission plugin PodSecurity on.", "warn",
        )  # fmt: skip


def classes(cluster: Cluster) -> list[Object]:
    return cluster.items("storageclasses")


def disk_class(cluster: Cluster, name: str = "") -> Object | None:
    """The class of a name; of none: the default one."""
    found = classes(cluster)
    return next(
        (one for one in found if (one["metadata"]["name"] == name if name else _is_default(one))), None
    )


def shared(found: Object) -> bool:
    """Whether a class is known to give volumes that many nodes write to."""
    maker = f"{found['provisioner']} {json.dumps(found.get('parameters', {}))}".lower()
    return any(word in maker for word in SHARED)


def _is_default(found: Object) -> bool:
    marks = found["metadata"].get("annotations", {})
    return bool(marks.get("storageclass.kubernetes.io/is-default-class") == "true")


def _ready(node: Object) -> bool:
    conditions = node["status"].get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not node["spec"].get("unschedulable")
