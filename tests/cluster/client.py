"""A cluster as the tests see it: kubectl, JSON in and out."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.node.node import Node

PATIENCE = 200.0  # a pod that starts beside other tests on two cores


class Refused(Exception):
    """What kubectl said when it failed."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `node` is ours, or None when KUBECONFIG named another one."""

    kubeconfig: Path
    kubectl: Path
    busybox: str
    node: Node | None = None

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl with `given` as its input; what it wrote."""
        command = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr.strip())
        return done.stdout

    def create(self, namespace: str, *objects: dict[str, Any]) -> None:
        """Create objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.run("create", "--namespace", namespace, "--filename=-", given=json.dumps(listed))

    def get(self, namespace: str, what: str, *arguments: str) -> Any:
        """Return an object (``pod/name``), or all of a kind under ``items``."""
        return json.loads(self.run("get", "--namespace", namespace, what, "--output=json", *arguments))

    def logs(self, namespace: str, what: str) -> str:
        """Return what a pod, or the pod of ``job/name``, wrote."""
        return self.run("logs", "--namespace", namespace, what)

    def until(self, condition: Callable[[], Any], about: Callable[[], object]) -> Any:
        """Wait for a condition; its value. What `about` returns is told when time is up."""
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not happen within {PATIENCE:.0f} s: {about()}")
            time.sleep(0.1)
        return value

    def pod_phase(self, namespace: str, name: str, *phases: str) -> dict[str, Any]:
        """Wait until a pod is in one of the phases; the pod."""

        def reached() -> dict[str, Any] | None:
            pod: dict[str, Any] = self.get(namespace, f"pod/{name}")
            return pod if pod["status"].get("phase") in phases else None

        found: dict[str, Any] = self.until(reached, lambda: self.get(namespace, f"pod/{name}")["status"])
        return found

    def job_condition(self, namespace: str, name: str) -> dict[str, Any]:
        """Wait until a job is complete or failed; the condition that says so."""

        def ended() -> dict[str, Any] | None:
            job = self.get(namespace, f"job/{name}")
            return next(
                (
                    one
                    for one in job["status"].get("conditions", ())
                    if one["status"] == "True" and one["type"] in ("Complete", "Failed")
                ),
                None,
            )

        found: dict[str, Any] = self.until(ended, lambda: self.get(namespace, "pods")["items"])
        return found
