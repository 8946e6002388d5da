"""What is told of an installation that runs: whether it is well, where it is, who comes in."""

from __future__ import annotations

import base64
import time

from jupyter_blueno.setup.cluster import Cluster
from jupyter_blueno.setup.programs import Failed

LOOKING = "10m"
BALANCER = 300.0  # seconds that a cloud gets for an address


def looked_at(cluster: Cluster) -> bool:
    """Have the installation look at itself (`helm test`), and tell what it found; whether all is well."""
    well = True
    for pod, namespace in (("check-service", cluster.namespace), ("check-notebook", cluster.users)):
        name = f"{cluster.release}-{pod}"
        # One after the other: helm leaves the second out when the first one finds something.
        one = ("test", cluster.release, "--filter", f"name={name}", "--timeout", LOOKING)
        try:
            cluster.shell.do(*cluster.helm(*one), patience=900)
        except Failed:
            well = False
        if cluster.shell.dry:
            continue
        try:
            said = cluster.shell.ask(*cluster.address, f"--namespace={namespace}", "logs", name)
        except Failed as error:
            said = error.said
        for line in said.splitlines():
            cluster.shell.say(f"    {line}")
    return well


def address(cluster: Cluster) -> str:
    """Where people find the hub, as a URL or as what to do for one."""
    found = cluster.get(f"service/{cluster.release}-proxy")
    if found is None:
        return "its address is told when it runs"
    spec, port = found["spec"], found["spec"]["ports"][0]
    if spec["type"] == "LoadBalancer":
        place = _balancer(cluster)
        if place:
            return f"http://{place}" + ("" if port["port"] == 80 else f":{port['port']}")
        return f"not known yet: kubectl --namespace {cluster.namespace} get service {cluster.release}-proxy"
    if spec["type"] == "NodePort":
        nodes = cluster.items("nodes")
        addresses = [
            one["address"]
            for node in nodes
            for one in node["status"]["addresses"]
            if one["type"] in ("ExternalIP", "InternalIP")
        ]
        return f"http://{addresses[0] if addresses else 'ANY-NODE'}:{port['nodePort']}"
    forward = (*cluster.here, "port-forward", f"service/{cluster.release}-proxy", f"8000:{port['port']}")
    return f"http://127.0.0.1:8000, as long as this runs:\n  {' '.join(forward)}"


def _balancer(cluster: Cluster) -> str:
    deadline = time.monotonic() + BALANCER
    told = False
    while time.monotonic() < deadline:
        found = cluster.get(f"service/{cluster.release}-proxy")
        for one in found["status"].get("loadBalancer", {}).get("ingress", []):
            place: str = one.get("hostname") or one.get("ip") or ""
            if place:
                return place
        if not told:
            cluster.shell.say("    the cloud makes an address …")
            told = True
        time.sleep(2)
    return ""


def first_sign_in(cluster: Cluster, address: str) -> str:
    """How the first person comes in, in words with a link."""
    values = cluster.values(everything=True)
    hub = values.get("hub") or {}
    if (hub.get("authentication") or {}).get("authenticator_class") == "dummy":
        return "Nobody proves who they are: leave hub.authentication out before others can reach it."
    if hub["authentication"]["authenticator_class"] != "passwords":
        return "People sign in with the identity provider; who may, hub.authentication says, and invitations."
    secret = cluster.get(f"secret/{cluster.release}-hub") or {}
    code = base64.b64decode(secret.get("data", {}).get("setup-token", "")).decode()
    url = (hub.get("publicUrl") or address.partition(",")[0]).rstrip("/")
    return (
        f"Its first administrator is who opens this link first (it is good once):\n"
        f"  {url}/hub/invite?code={code}\n"
        "They invite the others: in Lab, or by blueno invite."
    )
