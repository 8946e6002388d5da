"""The chart, rendered: what would be installed is valid, and asks for no more than it needs."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from jupyter_blueno.jobs.backends.kubernetes.objects import queue_of

CHART = Path(__file__).parents[2] / "charts" / "blueno"
NFS = {"storage": {"nfs": {"server": "10.0.0.2", "path": "/export"}}}
SETS: dict[str, dict[str, Any]] = {
    "nfs": NFS,
    "one node": {"storage": {"hostPath": "/srv/blueno"}, "postgresql": {"hostPath": "/srv/database"}},
    "server": {
        "storage": {
            "server": {"enabled": True, "address": "10.96.0.49", "nodes": ["10.128.0.0/20"]},
            "size": "200Gi",
        },
    },
    "existing": {
        "storage": {"existingClaim": "shared"},
        "postgresql": {"existingSecret": "cloud-sql"},
        "users": {"namespace": "people", "createNamespace": False},
        "networkPolicies": {"enabled": False},
        "images": {"pullSecrets": ["registry"]},
    },
    "gpu": {
        **NFS,
        "profiles": [
            {
                "name": "A100",
                "slug": "a100",
                "gpu": 1,
                "groups": ["radiology"],
                "node_selector": {"gpu": "a100"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
            }
        ],
        "teams": {"radiology": ["alice"]},
        "users": {"quota": {"requests.cpu": 64, "requests.memory": "256Gi", "requests.nvidia.com/gpu": 4}},
        "jobs": {"queue": "team", "grows": True, "priorityClasses": {"0": "low", "10": "high"}},
        "proxy": {"service": {"type": "LoadBalancer"}},
    },
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(str(CHART)) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="blueno", namespace="imaging")
    found = [yaml.safe_load_all(text) for path, text in texts.items() if path.endswith(".yaml")]
    return [one for objects in found for one in objects if one]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_everything_is_what_kubernetes_takes(values: dict[str, Any]) -> None:
    objects = rendered(values)
    assert len(objects) > 10
    for version in ("1.28", "1.35"):
        for one in objects:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_helm_finds_nothing_to_complain_about(values: dict[str, Any]) -> None:
    report = helm.lint(str(CHART), values, strict=True, namespace="imaging")
    assert [one["error"] for one in report["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "storage: name an NFS server"),
        ({"storage": {"server": {"enabled": True}}}, "storage.server.address"),
        ({"storage": {"server": {"enabled": True, "address": "nfs.cluster"}}}, "address"),
        ({**NFS, "replicas": 3}, "replicas"),
        ({**NFS, "hub": {"authentication": {"client_secret": "x"}}}, "authentication"),
        ({**NFS, "teams": {"a": []}, "hub": {"authentication": {"manage_groups": True}}}, "leave them out"),
        ({**NFS, "service": {"replicas": 0}}, "replicas"),
        ({**NFS, "teams": {"../etc": []}}, "etc"),
        ({**NFS, "profiles": [{"name": "x"}]}, "slug"),
        ({**NFS, "proxy": {"service": {"type": "Ingress"}}}, "type"),
    ],
)
def test_wrong_values_are_refused_in_words(values: dict[str, Any], said: str) -> None:
    with pytest.raises(helm.HelmError, match=said):
        rendered(values)


def test_the_values_of_the_guide_are_taken() -> None:
    page = (CHART.parents[1] / "docs" / "operator.md").read_text()
    objects = rendered(yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0]))
    assert "nfs" in str(of_kind(objects, "PersistentVolume"))


def test_every_pod_is_restricted() -> None:
    objects = rendered(NFS)
    works = [*of_kind(objects, "Deployment").values(), *of_kind(objects, "StatefulSet").values()]
    assert len(works) == 4
    for work in works:
        pod = work["spec"]["template"]["spec"]
        for container in pod["containers"]:
            context = {**pod.get("securityContext", {}), **container["securityContext"]}
            assert context["runAsNonRoot"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["resources"]["limits"]["memory"]


def test_an_nfs_server_of_its_own_is_what_both_volumes_are_mounted_from() -> None:
    objects = rendered(SETS["server"])
    assert of_kind(objects, "Service")["blueno-storage"]["spec"]["clusterIP"] == "10.96.0.49"
    volumes = of_kind(objects, "PersistentVolume").values()
    assert [one["spec"]["nfs"] for one in volumes] == [{"server": "10.96.0.49", "path": "/volume"}] * 2
    assert {one["spec"]["claimRef"]["namespace"] for one in volumes} == {"imaging", "imaging-users"}
    server = of_kind(objects, "StatefulSet")["blueno-storage"]["spec"]
    assert server["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOnce"]
    pod = server["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    rights = pod["containers"][0]["securityContext"]
    assert rights["allowPrivilegeEscalation"] is False
    assert "privileged" not in rights
    assert rights["capabilities"]["drop"] == ["ALL"]
    assert not any(one.startswith(("SYS", "NET")) for one in rights["capabilities"]["add"])
    told = json.dumps([*of_kind(objects, "ConfigMap").values()])
    assert "blueno-storage.imaging:2049" in told, "the doctor looks whether notebooks reach it"


def test_only_hub_and_service_speak_to_the_cluster_and_read_no_secrets() -> None:
    objects = rendered(NFS)
    works = of_kind(objects, "Deployment") | of_kind(objects, "StatefulSet")
    speaking = {name for name, one in works.items() if _mounts_token(one)}
    assert speaking == {"blueno-hub", "blueno-service"}
    granted = {
        (name, resource, verb)
        for name, role in {**of_kind(objects, "Role"), **of_kind(objects, "ClusterRole")}.items()
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert not {one for one in granted if "*" in one or one[1] in ("pods/exec", "pods/attach")}
    writes = {one for one in granted if one[2] not in ("get", "list", "watch")}
    assert writes == {
        ("blueno-hub", "pods", "create"),
        ("blueno-hub", "pods", "delete"),
        ("blueno-service", "jobs", "create"),
        ("blueno-service", "jobs", "delete"),
        ("blueno-service", "networkpolicies", "create"),
        ("blueno-service", "secrets", "create"),
        ("blueno-service", "secrets", "patch"),
    }
    assert not {one for one in granted - writes if one[1] == "secrets"}


def test_the_service_may_do_what_is_written_down() -> None:
    page = (CHART.parents[1] / "docs" / "kubernetes.md").read_text()
    written = yaml.safe_load(page.rpartition("```yaml\n")[2].partition("```")[0])
    objects = rendered({**NFS, "kueue": {"enabled": True}})
    roles = (
        of_kind(objects, "Role")["blueno-service"],
        of_kind(objects, "ClusterRole")["imaging-blueno-service"],
    )
    assert [rule for role in roles for rule in role["rules"]] == written


def test_namespaced_rights_are_in_the_namespace_of_the_users() -> None:
    assert {one["metadata"]["namespace"] for one in of_kind(rendered(NFS), "Role").values()} == {
        "imaging-users"
    }


def test_passwords_are_in_secrets_alone() -> None:
    objects = rendered(NFS)
    secret = of_kind(objects, "Secret")["blueno-database"]["data"]
    password = base64.b64decode(secret["service-password"]).decode()
    assert len(password) == 64
    assert f":{password}@" in base64.b64decode(secret["service-url"]).decode()
    others = yaml.safe_dump([one for one in objects if one["kind"] != "Secret"])
    assert password not in others


def test_what_the_hub_is_told_is_what_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from traitlets.config import Config

    from jupyter_blueno.hub import cluster

    told = tmp_path / "values.json"
    told.write_text(of_kind(rendered(SETS["gpu"]), "ConfigMap")["blueno-hub"]["data"]["values.json"])
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("BLUENO_SERVICE_TOKEN", "0" * 64)
    c = Config()
    cluster.configure(c, told)
    assert c.JupyterHub.authenticator_class.sets_passwords  # nobody comes in who was not invited
    assert c.KubeSpawner.namespace == "imaging-users"
    assert c.JupyterHub.load_groups == {"radiology": {"users": ["alice"]}}
    assert [one["name"] for one in c.JupyterHub.services] == ["idle", "blueno"]


def test_what_the_service_is_told_is_what_it_reads(tmp_path: Path) -> None:
    from jupyter_blueno.config import Config
    from jupyter_blueno.jobs.backends.kubernetes.settings import template_of

    told = tmp_path / "pods.json"
    told.write_text(of_kind(rendered(SETS["gpu"]), "ConfigMap")["blueno-service"]["data"]["pods.json"])
    template = template_of(Config(jobs_pods=str(told)))
    assert (template.claim, template.volume, template.queue) == ("blueno-volume", "/blueno", "team")
    assert template.priority_classes == {0: "low", 10: "high"}


def _mounts_token(work: dict[str, Any]) -> bool:
    told = work["spec"]["template"]["spec"].get("automountServiceAccountToken", True)
    return bool(told)


def test_all_notebooks_and_jobs_together_have_a_quota() -> None:
    (quota,) = of_kind(rendered(SETS["gpu"]), "ResourceQuota").values()
    assert quota["metadata"]["namespace"] == "imaging-users"
    assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == 4
    (limits,) = of_kind(rendered(SETS["gpu"]), "LimitRange").values()
    assert limits["spec"]["limits"][0]["default"] == {"ephemeral-storage": "20Gi", "memory": "1Gi"}
    assert of_kind(rendered(NFS), "ResourceQuota") == {}


def test_a_pod_of_people_fills_no_node_s_disk() -> None:
    (limits,) = of_kind(rendered(NFS), "LimitRange").values()
    assert limits["metadata"]["namespace"] == "imaging-users"
    (one,) = limits["spec"]["limits"]
    assert one["default"] == {"ephemeral-storage": "20Gi"}
    assert of_kind(rendered({**NFS, "users": {"ephemeralStorage": ""}}), "LimitRange") == {}


def test_notebooks_have_domains_of_their_own_if_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyterhub.app import JupyterHub
    from traitlets.config import Config

    from jupyter_blueno.hub import cluster

    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("BLUENO_SERVICE_TOKEN", "0" * 64)
    for address, prefix in (("", False), ("https://hub.example.org", True), ("http://hub.local:8000", False)):
        told = tmp_path / "values.json"
        objects = rendered({**NFS, "hub": {"subdomainHost": address}})
        told.write_text(of_kind(objects, "ConfigMap")["blueno-hub"]["data"]["values.json"])
        c = Config()
        cluster.configure(c, told)
        hub = JupyterHub(config=c)
        assert (hub.subdomain_host, hub.cookie_host_prefix_enabled) == (address, prefix)
        assert hub.tornado_settings["cookie_options"] == {"SameSite": "Lax"}


def test_each_team_has_a_queue_of_kueue_with_its_quota() -> None:
    quotas = {"team": {"gpu": 2}, "teams": {"radiology": {"team": {"gpu": 0, "memory": "1Ti"}}}}
    teams = {"radiology": ["alice"], "deep_learning": ["bob"]}
    objects = rendered({**NFS, "kueue": {"enabled": True}, "quotas": quotas, "teams": teams})
    most = {
        name: [one["nominalQuota"] for one in queue["spec"]["resourceGroups"][0]["flavors"][0]["resources"]]
        for name, queue in of_kind(objects, "ClusterQueue").items()
    }
    assert most == {
        "imaging-blueno-deep-learning": ["100000", "1Pi", "2"],
        "imaging-blueno-radiology": ["100000", "1Ti", "0"],
        "imaging-blueno-team": ["100000", "1Pi", "2"],
    }
    queues = of_kind(objects, "LocalQueue")
    assert set(queues) == {"deep-learning", "radiology", "team"}
    pods = json.loads(of_kind(objects, "ConfigMap")["blueno-service"]["data"]["pods.json"])
    assert {queue_of(pods["queue"], team) for team in [*teams, "team"]} == set(queues)
    assert of_kind(rendered(NFS), "ClusterQueue") == {}


def test_databases_are_written_to_the_volume_unless_nobody_wants_it() -> None:
    jobs = of_kind(rendered(NFS), "CronJob")
    jobs.pop("blueno-storage")
    suspended = {name: one["spec"]["suspend"] for name, one in jobs.items()}
    assert suspended == {"blueno-backup": False, "blueno-restore": True}
    by_hand = of_kind(rendered({**NFS, "postgresql": {"backup": {"schedule": ""}}}), "CronJob")
    by_hand.pop("blueno-storage")
    assert all(one["spec"]["suspend"] for one in by_hand.values())


def test_who_looks_at_everybody_s_folders_changes_none_and_speaks_to_nobody() -> None:
    looks = of_kind(rendered(NFS), "CronJob")["blueno-storage"]["spec"]
    pod = looks["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (looks["schedule"], pod["automountServiceAccountToken"]) == ("41 * * * *", False)
    assert "env" not in container
    writable = [one for one in container["volumeMounts"] if not one.get("readOnly")]
    assert [(one["mountPath"], one["subPath"]) for one in writable] == [("/blueno/teams", "teams")]
    never = rendered({**NFS, "storage": {**NFS["storage"], "look": ""}})
    assert "blueno-storage" not in of_kind(never, "CronJob")


def test_each_line_of_what_is_guarded_names_tests_that_there_are() -> None:
    page = (CHART.parents[1] / "docs" / "operator.md").read_text()
    lines = page.partition("### What is guarded")[2].partition("###")[0].splitlines()[4:]
    rows = [line for line in lines if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows] == [str(number + 1) for number in range(15)]
    for row in rows:
        named = re.findall(r"`(\w+/test_\w+\.py)(?:::(\w+))?`", row)
        assert named, row
        for path, function in named:
            text = (CHART.parents[1] / "tests" / path).read_text()
            assert not function or f"def {function}(" in text, function
