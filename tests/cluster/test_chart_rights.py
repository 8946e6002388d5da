"""What the chart lets its parts, and people's pods, do: seen in the running cluster."""

from __future__ import annotations

import json
import re
import urllib.error
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.jobs.model import TERMINAL, JobSpec
from tests.cluster.client import Refused
from tests.cluster.installation import Installation
from tests.cluster.manifests import pod

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def may(chart: Installation, account: str, namespace: str) -> set[tuple[str, str]]:
    """All (resource, verb) that an account of the chart may in a namespace, as the API server says."""
    name = f"system:serviceaccount:{chart.namespace}:{chart.name}-{account}"
    said = chart.cluster.run("auth", "can-i", "--list", f"--as={name}", "--namespace", namespace)
    found = set()
    for line in said.splitlines()[1:]:
        resource, _, rest = line.partition(" ")
        verbs = rest.rpartition("[")[2].rstrip("]").split()
        if resource and not resource.startswith(("[", "selfsubject")):
            found |= {(resource, verb) for verb in verbs}
    return found


def every(resource: str, *verbs: str) -> set[tuple[str, str]]:
    return {(resource, verb) for verb in verbs}


def test_hub_and_service_may_do_exactly_what_they_need(chart: Installation) -> None:
    anywhere = every("nodes", "list") | every("pods", "list")
    assert may(chart, "hub", chart.namespace) == set()
    assert may(chart, "hub", "default") == set()
    assert may(chart, "hub", chart.users) == (
        every("pods", "get", "list", "watch", "create", "delete") | every("events", "get", "list", "watch")
    )
    assert may(chart, "service", chart.namespace) == anywhere
    assert may(chart, "service", chart.users) == anywhere | (
        every("jobs.batch", "create", "get", "list", "watch", "delete")
        | every("pods", "get", "list", "watch")
        | every("events", "list")
        | every("resourcequotas", "list")
        | every("secrets", "create", "patch")  # of teams: it sets what it cannot ask for
        | every("networkpolicies.networking.k8s.io", "create")  # for jobs of several workers
    )


@pytest.mark.parametrize(
    ("what", "change"),
    [
        (
            "privileged",
            lambda one: one["containers"][0]["securityContext"].update(
                privileged=True, allowPrivilegeEscalation=True
            ),
        ),
        ("hostPath", lambda one: one.update(volumes=[{"name": "node", "hostPath": {"path": "/"}}])),
        ("hostNetwork", lambda one: one.update(hostNetwork=True)),
        ("runAsNonRoot", lambda one: one["containers"][0]["securityContext"].pop("runAsNonRoot")),
        ("runAsUser=0", lambda one: one["containers"][0]["securityContext"].update(runAsUser=0)),
        (
            "unrestricted capabilities",
            lambda one: one["containers"][0]["securityContext"].pop("capabilities"),
        ),
    ],
)
def test_the_namespace_of_people_takes_no_pod_with_rights(
    chart: Installation, what: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    made = pod("one", chart.cluster.busybox, "true")
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    made["spec"]["containers"][0]["securityContext"] = context
    trial = ("create", "--dry-run=server", "--namespace", chart.users, "--filename=-")
    chart.cluster.run(*trial, given=json.dumps(made))
    change(made["spec"])
    with pytest.raises(Refused, match=f'violates PodSecurity "restricted.*{re.escape(what)}'):
        chart.cluster.run(*trial, given=json.dumps(made))


def test_a_notebook_s_doctor_finds_what_is_so_and_what_is_not(chart: Installation) -> None:
    chart.start_server("alice")
    said = chart.runs(chart.users, "jupyter-alice", "blueno", "doctor", "--json")
    found = {one["what"]: one for one in json.loads(said[said.index("[") : said.rindex("]") + 1])}
    assert {
        "account of the cluster", "rights of the pod", "home", "team's data folder", "team's folder",
        "folder for everybody",
        "hub", "service", "database", "role in the database", "data folder", "cluster",
        "rights of the service", "rights it should not have", "tokens in pods", "image of jobs", "nodes",
    } <= set(found)  # fmt: skip
    assert "may not change them" in found["role in the database"]["words"]
    missed = {what: one["words"] for what, one in found.items() if one["state"] != "ok"}
    assert set(missed) <= {"network policies", "extra 'tfds'", "extra 'tensorflow'"}, missed
    assert found["network policies"]["state"] == "fail"
    # This cluster has nothing that enforces them.
    assert f"{chart.name}-database.{chart.namespace}:5432" in found["network policies"]["words"]
    assert "Calico" in found["network policies"]["advice"]
    assert "none with a GPU" in found["nodes"]["words"]


def test_curators_write_to_what_everybody_reads(chart: Installation) -> None:
    group = "blueno:curators"
    with suppress(urllib.error.HTTPError):
        chart.api("POST", f"/groups/{group}")
    for person in ("alice", "bob"):
        chart.stop_server(person)
        with suppress(urllib.error.HTTPError):
            chart.api("POST", f"/users/{person}")
    chart.api("POST", f"/groups/{group}/users", {"users": ["alice"]})
    try:
        for person in ("alice", "bob"):
            chart.start_server(person)
        file = "/blueno/datasets/told-by-alice"
        write = ("sh", "-c", f"echo once > {file} && cat {file}")
        assert chart.runs(chart.users, "jupyter-alice", *write) == "once\n"
        assert "Read-only file system" in chart.runs(chart.users, "jupyter-bob", *write)
        assert chart.runs(chart.users, "jupyter-bob", "cat", file) == "once\n"
        # It is a role, and no team: she works in the one that she is in.
        team = chart.runs(chart.users, "jupyter-alice", "sh", "-c", "echo $BLUENO_TEAM")
        assert team == "radiology\n"
        # Nobody's job writes there, a curator's neither.
        alice = chart.start_server("alice")
        spec = JobSpec(kind="command", command=["sh", "-c", f"cat {file} && touch {file}"])
        job = alice.call(submit_job, SubmitJob(uuid.uuid4().hex, "reads", spec)).id
        chart.cluster.until(lambda: alice.call(get_job, JobRef(job)).state in TERMINAL, chart.says)
        said = alice.call(get_log, LogRange(job)).body.decode()
        assert said.startswith("once\n")
        assert "Read-only file system" in said
    finally:
        chart.api("DELETE", f"/groups/{group}/users", {"users": ["alice"]})
        chart.stop_server("alice")


def test_the_second_server_of_a_person_makes_no_folders(chart: Installation) -> None:
    chart.start_server("bob")
    chart.stop_server("bob")
    chart.start_server("bob")
    (notebook,) = chart.pods(**{"hub.jupyter.org/username": "bob"})
    assert "initContainers" not in notebook["spec"]


def test_nothing_runs_as_root_nor_an_image_without_a_version(chart: Installation) -> None:
    chart.start_server("alice")
    own = chart.cluster.get(chart.namespace, "pods", "--field-selector=status.phase=Running")["items"]
    parts = {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in own}
    assert {"database", "hub", "proxy", "service"} <= set(parts)
    (notebook,) = chart.pods(**{"hub.jupyter.org/username": "alice"})
    for one in [*parts.values(), notebook]:
        name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
        status = chart.runs(namespace, name, "cat", "/proc/1/status")
        told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        assert int(told["Uid"].split()[0]) in {999, 1000}, name
        assert int(told["CapBnd"], 16) == 0, name
        assert (told["NoNewPrivs"].strip(), told["Seccomp"].strip()) == ("1", "2"), name
        if one is notebook:  # a full disk would be its node's
            assert one["spec"]["containers"][0]["resources"]["limits"]["ephemeral-storage"] == "20Gi"
        for container in one["spec"]["containers"]:
            assert re.search(r":(?!latest$)[\w.-]+$|@sha256:", container["image"]), container["image"]


def test_helm_test_fails_where_policies_are_not_enforced_and_says_so(chart: Installation) -> None:
    with pytest.raises(AssertionError, match="check-notebook"):
        chart.helm("test")
    notebook = ("logs", f"{chart.name}-check-notebook", "--namespace", chart.users)
    said = chart.cluster.run(*notebook)
    failed = [line for line in said.splitlines() if line.startswith("FAIL")]
    assert [line.partition(":")[0] for line in failed] == ["FAIL  network policies"], said

    chart.having(networkPolicies={"enabled": False}, hub={"idle": {"timeout": 7200}})
    chart.helm("test")
    assert "warn  network policies: not in use" in chart.cluster.run(*notebook)
    said = chart.cluster.run("logs", f"{chart.name}-check-service", "--namespace", chart.namespace)
    assert "ok    database: PostgreSQL" in said
    assert "ok    rights of the service" in said
