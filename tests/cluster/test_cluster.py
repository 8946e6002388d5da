"""What everything else stands on: the cluster runs pods, tells why they end, and connects them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.client import Cluster
from tests.cluster.manifests import gpu_node, job, pod, service, shared_volume
from tests.cluster.node.settings import PROCESSES

GPU_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}


def test_a_node_is_ready(cluster: Cluster) -> None:
    nodes = cluster.get("default", "nodes")["items"]
    conditions = [condition for node in nodes for condition in node["status"]["conditions"]]
    assert ("Ready", "True") in {(one["type"], one["status"]) for one in conditions}


def test_a_job_leaves_its_log(cluster: Cluster, namespace: str) -> None:
    cluster.create(namespace, job("hello", cluster.busybox, "echo from $HOSTNAME; id -u"))
    assert cluster.job_condition(namespace, "hello")["type"] == "Complete"
    said = cluster.logs(namespace, "job/hello").splitlines()
    assert said[0].startswith("from hello-")
    assert said[1] == "0"


def test_a_job_that_fails_is_told_with_its_status(cluster: Cluster, namespace: str) -> None:
    cluster.create(namespace, job("fails", cluster.busybox, "exit 7"))
    assert cluster.job_condition(namespace, "fails")["reason"] == "BackoffLimitExceeded"
    (only,) = cluster.get(namespace, "pods")["items"]
    assert only["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7


def test_a_pod_that_takes_too_much_memory_is_told_from_others(cluster: Cluster, namespace: str) -> None:
    limits = {"resources": {"limits": {"memory": "24Mi"}}}
    # tail keeps a line until it ends, and this one never does
    greedy = pod("greedy", cluster.busybox, "tail -n 1 /dev/zero", container=limits)
    cluster.create(namespace, greedy)
    ended = cluster.pod_phase(namespace, "greedy", "Failed", "Succeeded")
    terminated = ended["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("OOMKilled", 137)


def test_a_pod_has_so_many_processes_and_no_more(cluster: Cluster, namespace: str) -> None:
    if cluster.node is None:
        pytest.skip("how many is said by whoever runs the node")
    script = f"i=0; while [ $i -lt {2 * PROCESSES} ]; do sleep 1000 & i=$((i+1)); done"
    cluster.create(namespace, pod("forks", cluster.busybox, script))
    ended = cluster.pod_phase(namespace, "forks", "Succeeded", "Failed")
    assert ended["status"]["phase"] == "Failed"
    assert "can't fork" in cluster.logs(namespace, "forks")


def test_an_image_that_is_not_there_is_told(cluster: Cluster, namespace: str) -> None:
    cluster.create(
        namespace, pod("lost", "localhost/nobody-made-this:1", "true", container={"imagePullPolicy": "Never"})
    )

    def reason() -> str:
        (status,) = cluster.get(namespace, "pod/lost")["status"].get("containerStatuses") or [{}]
        return str(status.get("state", {}).get("waiting", {}).get("reason", ""))

    cluster.until(lambda: reason() == "ErrImageNeverPull", reason)


def test_pods_find_a_service_by_its_name(cluster: Cluster, namespace: str) -> None:
    serve = "mkdir /tmp/www; echo it is me > /tmp/www/index.html; httpd -f -p 8000 -h /tmp/www"
    ask = f"until wget -qO- http://web.{namespace}.svc.cluster.local:8000/; do sleep 0.1; done"
    labels = {"app": "web"}
    cluster.create(
        namespace,
        service("web", labels, 8000),
        pod("web", cluster.busybox, serve, labels),
        pod("asks", cluster.busybox, ask),
    )
    cluster.pod_phase(namespace, "asks", "Succeeded")
    assert cluster.logs(namespace, "asks").splitlines()[-1] == "it is me"


def test_two_pods_share_a_folder_as_the_same_user(cluster: Cluster, namespace: str) -> None:
    folder = f"/var/tmp/blueno-cluster-{namespace}"
    person = {"securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "runAsNonRoot": True}}
    volumes = [{"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}]
    mounted = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}

    def one(name: str, script: str, **spec: Any) -> dict[str, Any]:
        return pod(name, cluster.busybox, script, volumes=volumes, container=mounted, **spec)

    try:
        cluster.create(namespace, *shared_volume("shared", namespace, folder))
        cluster.create(namespace, one("prepares", "chown 1000:1000 /shared"))
        cluster.pod_phase(namespace, "prepares", "Succeeded")
        cluster.create(
            namespace,
            one("reads", "until [ -f /shared/word ]; do sleep 0.1; done; cat /shared/word", **person),
            one("writes", "echo $(id -u) wrote this > /shared/new && mv /shared/new /shared/word", **person),
        )
        cluster.pod_phase(namespace, "reads", "Succeeded")
        assert cluster.logs(namespace, "reads") == "1000 wrote this\n"
    finally:
        cluster.run("delete", "persistentvolume", f"{namespace}-shared", "--wait=false")
        if cluster.node is not None:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def gpus(cluster: Cluster) -> Iterator[str]:
    """A node with two GPUs, which only the API believes in."""
    if cluster.node is None:
        pytest.skip("simulated GPU nodes need the cluster of our own, where kwok plays their kubelet")
    name = f"gpu-{uuid.uuid4().hex[:6]}"
    cluster.create("default", gpu_node(name, 2))
    yield name
    cluster.run("delete", "node", name)


def _wants(cluster: Cluster, node: str, name: str, gpus: int) -> dict[str, Any]:
    return pod(
        name,
        cluster.busybox,
        "nvidia-smi",
        tolerations=[GPU_TOLERATION],
        nodeSelector={"kubernetes.io/hostname": node},
        container={"resources": {"limits": {"nvidia.com/gpu": gpus}}},
    )


def test_a_pod_gets_a_node_with_a_gpu(cluster: Cluster, namespace: str, gpus: str) -> None:
    cluster.create(namespace, _wants(cluster, gpus, "trains", 1))
    placed = cluster.pod_phase(namespace, "trains", "Running", "Succeeded")
    assert placed["spec"]["nodeName"] == gpus


def test_a_pod_that_wants_too_many_gpus_waits_and_the_scheduler_says_why(
    cluster: Cluster, namespace: str, gpus: str
) -> None:
    cluster.create(namespace, _wants(cluster, gpus, "dreams", 8))

    def told() -> str:
        selector = "involvedObject.name=dreams,reason=FailedScheduling"
        events = cluster.get(namespace, "events", f"--field-selector={selector}")["items"]
        return " ".join(str(event["message"]) for event in events)

    # At first it may say that the node is not ready.
    cluster.until(lambda: "Insufficient nvidia.com/gpu" in told(), told)
    assert cluster.get(namespace, "pod/dreams")["status"]["phase"] == "Pending"
