"""The chart's own NFS server: what was asked for, a free address, its disk and what that costs."""

from __future__ import annotations

import ipaddress
import json
import re

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.backends.kubernetes.shapes import quantity
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Price, Server
from jupyter_blueno.setup.programs import Failed

UNKNOWN = "A-FREE-ADDRESS-OF-SERVICES"  # of a dry run, where there is no cluster yet
# Behind the first address of services, the API server's: those that follow are not given away by themselves.
# The tenth is often the name service's.
BEHIND = (12, 13, 14, 11, 10, 8, 7)
# What a GiB of a usual disk costs in a month, by who makes it: (US dollars, source).
DISKS = {
    "pd.csi.storage.gke.io": (0.10, "a balanced disk, cloud.google.com/compute/disks-image-pricing, 2025"),
    "disk.csi.azure.com": (0.075, "a standard SSD, azure.microsoft.com/pricing/details/managed-disks, 2025"),
    "ebs.csi.aws.com": (0.08, "gp3, aws.amazon.com/ebs/pricing, 2025"),
    "ebs.csi.eks.amazonaws.com": (0.08, "gp3, aws.amazon.com/ebs/pricing, 2025"),
}


def asked_for(size: str, address: str, nodes: tuple[str, ...], disk: str) -> Server | None:
    """What options say; None if they say nothing.

    Raises
    ------
    InvalidInput
        If something of it cannot be.
    """
    if not size:
        if address or nodes or disk:
            raise InvalidInput(
                "--nfs-address, --nfs-nodes and --nfs-disk are of the server in the cluster: add "
                "--nfs-in-cluster with the size of its disk, like --nfs-in-cluster 500Gi."
            )
        return None
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?[GT]i?", size) or quantity(size) < 2**30:
        raise InvalidInput(
            f"'{size}' is not a size of the server's disk: write it as 500Gi or 2Ti, at least 1Gi."
        )
    if address:
        _parsed(ipaddress.ip_address, address, "a free address of the cluster's services, like 10.96.0.13")
    for one in nodes:
        _parsed(ipaddress.ip_network, one, "a network of the nodes, like 10.128.0.0/20")
    return Server(size, address, nodes, disk)


def _parsed(kind: object, text: str, words: str) -> None:
    try:
        kind(text)  # type: ignore[operator]
    except ValueError:
        raise InvalidInput(f"'{text}' is not {words}.") from None


def values(server: Server, cluster: Cluster) -> Object:
    """What the chart is told of it; an address is looked for where none was named."""
    address = server.address or known_address(cluster) or free_address(cluster)
    told: Object = {"enabled": True, "address": address}
    if server.nodes:
        told["nodes"] = list(server.nodes)
    if server.disk:
        told["storageClass"] = server.disk
    return {"size": server.size, "server": told}


def of_values(storage: Object) -> Server | None:
    """The server that values have."""
    found = storage.get("server") or {}
    if not found.get("enabled"):
        return None
    return Server(
        storage.get("size") or "1Ti",
        found.get("address") or "",
        tuple(found.get("nodes") or ()),
        found.get("storageClass") or "",
        found.get("hostPath") or "",
    )


def claim(cluster: Cluster) -> str:
    """What its disk is claimed by."""
    return f"data-{cluster.release}-storage-0"


def known_address(cluster: Cluster) -> str:
    """Where the server is that runs already, which cannot be changed."""
    found = cluster.get(f"service/{cluster.release}-storage")
    return found["spec"]["clusterIP"] if found else ""


def free_address(cluster: Cluster) -> str:
    """An address of the range of services that nobody has, of those that are not given away by themselves.

    Raises
    ------
    InvalidInput
        If none can be told.
    """
    if cluster.planned:
        return UNKNOWN
    first = cluster.get("service/kubernetes", namespace="default")
    if first is not None:
        start = ipaddress.ip_address(first["spec"]["clusterIP"])
        services = cluster.items("services", "--all-namespaces")
        taken = {one["spec"].get("clusterIP") for one in services}
        for step in BEHIND:
            if str(start + step) not in taken:
                return str(start + step)
    raise InvalidInput(
        "No free address for the NFS server was found: name one of the cluster's range of services by "
        "--nfs-address (kubectl get services --all-namespaces shows those that are taken)."
    )


def hindered(cluster: Cluster, server: Server) -> str:
    """Why the server cannot be had so; empty if it can. What it has cannot be changed."""
    there = known_address(cluster)
    if there and there != server.address:
        return (
            f"The server is at {there}, from where everything is mounted, and stays there: leave out "
            "--nfs-address."
        )
    before = of_values(cluster.values(everything=True).get("storage") or {})
    if before and (quantity(before.size), before.disk) != (quantity(server.size), server.disk):
        kind = f" of class '{before.disk}'" if before.disk else ""
        return (
            f"Its disk was made with {before.size}{kind}, which a release cannot change: name the same. "
            f"A larger disk is asked for by kubectl edit pvc {claim(cluster)}, where its class allows it."
        )
    return "" if there else _refused(cluster, server.address)


def _refused(cluster: Cluster, address: str) -> str:
    """What the API server says to a service at an address, which it is asked to try; empty: nothing."""
    tried = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{cluster.release}-storage", "namespace": "default"},
        "spec": {"clusterIP": address, "ports": [{"name": "nfs", "port": 2049}]},
    }
    command = (*cluster.address, "create", "--dry-run=server", "--filename=-")
    try:
        cluster.shell.ask(*command, given=json.dumps(tried))
    except Failed as error:
        return f"Name another one by --nfs-address: {' '.join(error.said.split())[-400:]}"
    return ""


def disk(size: str, maker: str) -> Price | None:
    """What its disk costs in a month; None where that is not known."""
    if maker not in DISKS:
        return None
    price, source = DISKS[maker]
    return Price(f"disk of the NFS server, {size}", price * quantity(size) / 2**30, source=source)
