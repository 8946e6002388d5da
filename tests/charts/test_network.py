"""Who reaches whom, as the chart's network policies say it: read as Kubernetes reads them."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any

import pytest

from tests.charts.test_chart import NFS, SETS, of_kind, rendered

Pod = tuple[str, dict[str, str]]  # its namespace and its labels
PART = "app.kubernetes.io/component"


@functools.cache
def installed() -> list[dict[str, Any]]:
    return rendered(NFS)


def part(name: str) -> Pod:
    """A pod of the chart."""
    objects = installed()
    works = of_kind(objects, "Deployment") | of_kind(objects, "StatefulSet")
    return "imaging", works[f"blueno-{name}"]["spec"]["template"]["metadata"]["labels"]


def person(name: str, component: str = "notebook") -> Pod:
    """A notebook, or a job, of somebody."""
    return "imaging-users", {PART: component, "hub.jupyter.org/username": name}


def chosen(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    if selector is None:
        return False
    exact = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert {one["operator"] for one in among} <= {"In", "NotIn"}
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        (labels.get(one["key"]) in one["values"]) == (one["operator"] == "In") for one in among
    )


def is_peer(peer: dict[str, Any], own: str, other: Pod | str) -> bool:
    if isinstance(other, str):
        block = peer.get("ipBlock")
        address = ipaddress.ip_address(other)
        return (
            block is not None
            and address in ipaddress.ip_network(block["cidr"])
            and not any(address in ipaddress.ip_network(one) for one in block.get("except", []))
        )
    namespace, labels = other
    there = {"kubernetes.io/metadata.name": namespace}
    if "namespaceSelector" in peer:
        return chosen(peer["namespaceSelector"], there) and chosen(peer.get("podSelector", {}), labels)
    return namespace == own and chosen(peer.get("podSelector"), labels)


def lets(policies: list[dict[str, Any]], pod: Pod, way: str, other: Pod | str, port: int) -> bool:
    """Whether the policies that choose a pod let something in or out; all may pass where none does."""
    kind, side = {"in": ("Ingress", "from"), "out": ("Egress", "to")}[way]
    concerned = [
        one["spec"]
        for one in policies
        if one["metadata"].get("namespace", "imaging") == pod[0]
        and kind in one["spec"]["policyTypes"]
        and chosen(one["spec"]["podSelector"], pod[1])
    ]
    return not concerned or any(
        (side not in rule or any(is_peer(peer, pod[0], other) for peer in rule[side]))
        and ("ports" not in rule or port in [one["port"] for one in rule["ports"]])
        for spec in concerned
        for rule in spec.get(kind.lower(), [])
    )


def reaches(one: Pod, other: Pod | str, port: int) -> bool:
    policies = list(of_kind(installed(), "NetworkPolicy").values())
    inside = isinstance(other, str) or lets(policies, other, "in", one, port)
    return inside and lets(policies, one, "out", other, port)


ALICE, BOB, JOB = person("alice"), person("bob"), person("alice", "job")
INTERNET, METADATA = "93.184.216.34", "169.254.169.254"


@pytest.mark.parametrize("one", [ALICE, JOB], ids=["notebook", "job"])
def test_people_reach_hub_service_and_internet_and_nothing_else(one: Pod) -> None:
    assert reaches(one, part("hub"), 8081)
    assert reaches(one, part("service"), 8890)
    assert reaches(one, INTERNET, 443)
    for address in (METADATA, "10.1.2.3", "172.20.0.1", "192.168.1.1", "100.100.100.200", "169.254.170.2"):
        assert not reaches(one, address, 80), address
    for address in ("fd00:ec2::254", "fe80::1", "2001:db8::1"):
        assert not reaches(one, address, 80), address
    for other in (BOB, person("alice"), JOB, person("bob", "job"), ("elsewhere", {PART: "hub"})):
        for port in (22, 80, 8888, 29500):
            assert not reaches(one, other, port), other
    assert not reaches(one, part("database"), 5432)
    assert not reaches(one, part("proxy"), 8001)


def test_a_notebook_is_reached_by_hub_and_proxy_alone() -> None:
    assert reaches(part("hub"), ALICE, 8888)
    assert reaches(part("proxy"), ALICE, 8888)
    for one in (part("service"), part("database"), ("elsewhere", {PART: "proxy"}), ("default", {})):
        assert not reaches(one, ALICE, 8888)
    assert not reaches(part("hub"), ALICE, 9999)


def test_the_database_is_reached_by_hub_and_service_alone() -> None:
    database = part("database")
    assert reaches(part("hub"), database, 5432)
    assert reaches(part("service"), database, 5432)
    for one in (part("proxy"), ALICE, JOB, ("imaging", {}), ("elsewhere", {PART: "hub"})):
        assert not reaches(one, database, 5432)
    assert not reaches(part("hub"), database, 22)


def test_the_proxy_obeys_the_hub_alone() -> None:
    assert reaches(part("hub"), part("proxy"), 8001)
    assert reaches(("default", {}), part("proxy"), 8000)
    for one in (part("service"), ALICE, ("elsewhere", {PART: "hub"})):
        assert not reaches(one, part("proxy"), 8001)


def test_mlflow_of_a_team_answers_the_service_and_asks_nobody() -> None:
    mlflow = ("imaging-users", {PART: "mlflow", "blueno.dev/team": "radiology"})
    assert reaches(part("service"), mlflow, 5000)
    for one in (ALICE, JOB, part("hub"), part("proxy"), ("default", {})):
        assert not reaches(one, mlflow, 5000)
    for other, port in (
        (part("hub"), 8081),
        (part("database"), 5432),
        (part("service"), 8890),
        (ALICE, 8888),
    ):
        assert not reaches(mlflow, other, port)
    for address in (INTERNET, METADATA, "10.1.2.3"):
        assert not reaches(mlflow, address, 443)


def test_the_nfs_server_of_the_chart_is_reached_by_nodes_alone() -> None:
    policies = list(of_kind(rendered(SETS["server"]), "NetworkPolicy").values())
    server = ("imaging", {**part("hub")[1], PART: "storage"})
    assert lets(policies, server, "in", "10.128.0.7", 2049)
    assert not lets(policies, server, "in", "10.128.0.7", 22)
    for one in (ALICE, JOB, part("hub"), part("service"), "10.200.0.5", INTERNET):
        assert not lets(policies, server, "in", one, 2049)
    assert not lets(policies, server, "out", INTERNET, 443)
    for one in (ALICE, JOB):
        assert not lets(policies, one, "out", server, 2049)
        assert not lets(policies, one, "out", "10.96.0.49", 2049)
