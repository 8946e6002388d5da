"""Takes an installation away: the programs alone, or everything that the cluster has of it."""

from __future__ import annotations

from jupyter_blueno.errors import NotFound
from jupyter_blueno.setup import server
from jupyter_blueno.setup.cluster import Cluster
from jupyter_blueno.setup.model import Plan, Server, Step, listed
from jupyter_blueno.setup.programs import Failed, is_absence


def plan(cluster: Cluster, everything: bool) -> Plan:
    """What is done.

    Raises
    ------
    NotFound
        If there is nothing to be taken away.
    """
    release = cluster.known()
    users = cluster.users
    namespaces = [one for one in (users, cluster.namespace) if cluster.get(f"namespace/{one}")]
    if release is None and not (everything and namespaces):
        raise NotFound(
            f"There is no release '{cluster.release}' in {cluster.namespace}; "
            "helm list --all-namespaces shows all."
        )
    shell = cluster.shell
    steps = []
    away = {
        one: _step(
            cluster,
            f"namespace {one}, with all that is in it",
            *(*cluster.address, "delete", "namespace", one, "--timeout=5m"),
        )
        for one in (namespaces if everything else ())
    }
    if server_of(cluster):  # who has its volume mounted when it is gone waits for it
        steps += [away.pop(users)] if users in away else []
        steps += (
            [Step("hub and service end, before their files do", lambda: _ended(cluster))] if release else []
        )
    if release:
        words = f"release '{cluster.release}': hub, proxy, service and database end"
        steps.append(
            _step(cluster, words, *cluster.helm("uninstall", cluster.release, "--wait", "--timeout=5m"))
        )
    steps += away.values()
    if everything and (volumes := _volumes(cluster)):
        forget = (*cluster.address, "delete", "persistentvolume", *volumes, "--wait=false")
        steps.append(_step(cluster, "the descriptions of its volumes", *forget))
    where = (
        shell.ask("kubectl", "config", "current-context").strip() if not cluster.context else cluster.context
    )
    return Plan(f"cluster '{where}', namespaces {listed(namespaces)}", tuple(steps))


def _step(cluster: Cluster, words: str, *command: str) -> Step:
    return Step(words, lambda: _run(cluster, command))


def _run(cluster: Cluster, command: tuple[str, ...]) -> None:
    try:
        cluster.shell.do(*command)
    except Failed as error:
        if not is_absence(error.said):  # an earlier run was cut off after it
            raise


def _ended(cluster: Cluster) -> None:
    parts = ("hub", "service")
    names = [f"deployment/{cluster.release}-{one}" for one in parts]
    _run(cluster, (*cluster.here, "scale", *names, "--replicas=0"))
    for one in parts:
        label = f"--selector=app.kubernetes.io/instance={cluster.release},app.kubernetes.io/component={one}"
        _run(cluster, (*cluster.here, "wait", "pod", label, "--for=delete", "--timeout=120s"))


def server_of(cluster: Cluster) -> Server | None:
    """The NFS server that the release brought, if it did."""
    return server.of_values(cluster.values(everything=True).get("storage") or {})


def lost(cluster: Cluster) -> list[str]:
    """What goes with everything, as sentences."""
    lines = ["The databases are lost: datasets, jobs, accounts. So are notebooks and jobs that run."]
    found = server_of(cluster)
    if found and not found.folder:
        lines.append(
            f"Everybody's files are lost, too: they are on the NFS server's disk of {found.size} "
            f"({server.claim(cluster)}), which goes with the namespace."
        )
    return lines


def _volumes(cluster: Cluster) -> list[str]:
    """Volumes that were described for this release; not those that a class made."""
    label = f"--selector=app.kubernetes.io/name=blueno,app.kubernetes.io/instance={cluster.release}"
    mine = (cluster.users, cluster.namespace)
    found = cluster.items("persistentvolumes", label)
    return [
        one["metadata"]["name"] for one in found if one["spec"].get("claimRef", {}).get("namespace") in mine
    ]


def stays(cluster: Cluster, everything: bool) -> list[str]:
    """What is still there afterwards, and where."""
    storage = cluster.values(everything=True).get("storage") or {}
    address = (storage.get("nfs") or {}).get("server")
    if own := server.of_values(storage):
        place = f"in {own.folder} of the node"
        if not own.folder:
            place = f"on the NFS server's disk of {own.size} (the claim {server.claim(cluster)})"
        files = f"everybody's files, {place}"
    elif address:
        files = f"everybody's files, at {address}:{storage['nfs']['path']}"
    elif storage.get("hostPath"):
        files = f"everybody's files, in {storage['hostPath']} of the node"
    else:
        files = "everybody's files, on the volume of the claim (it is retained)"
    if everything:
        return [files] if not own or own.folder else []
    still = "; without the server they stand still until it is installed again" if own else ""
    return [
        files,
        "the databases, in their volume",
        f"passwords and claims in {cluster.namespace} and {cluster.users}",
        f"notebooks and jobs that run, in {cluster.users}{still}",
    ]
