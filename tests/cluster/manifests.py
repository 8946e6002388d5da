"""Kubernetes objects as the tests need them."""

from __future__ import annotations

from typing import Any


def pod(
    name: str, image: str, script: str, labels: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """Return a pod that runs a shell script once; `spec` is added, `container` in it to its container."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        **spec.pop("container", {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            **spec,
        },
    }


def job(name: str, image: str, script: str, **spec: Any) -> dict[str, Any]:
    """Return a job of one such pod, which is not tried again."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod(name, image, script, **spec)["spec"]}},
    }


def service(name: str, labels: dict[str, str], port: int) -> dict[str, Any]:
    """Return a service for the pods with these labels."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": port}]},
    }


def shared_volume(name: str, namespace: str, path: str) -> list[dict[str, Any]]:
    """Return a volume that many may write, a folder of the node, and the claim that takes it."""
    size = {"storage": "1Gi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{name}"},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "capacity": size,
                "claimRef": {"name": name, "namespace": namespace},
                "hostPath": {"path": path, "type": "DirectoryOrCreate"},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": size},
                "storageClassName": "",
                "volumeName": f"{namespace}-{name}",
            },
        },
    ]


def gpu_node(name: str, gpus: int) -> dict[str, Any]:
    """Return a node that exists in the API alone, with GPUs; only pods that tolerate it land there."""
    capacity = {"cpu": "32", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "type": "kwok",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "nvidia.com/gpu.product": "NVIDIA-L4",
            },
        },
        "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
        "status": {"allocatable": capacity, "capacity": capacity},
    }
