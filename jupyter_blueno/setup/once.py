"""A pod that runs once, to its end."""

from __future__ import annotations

import time
from typing import Any

from jupyter_blueno.errors import Unavailable
from jupyter_blueno.setup import waiting
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.programs import Failed, written


def run_once(cluster: Cluster, name: str, pod: Object, patience: float) -> str:
    """Run a pod to its end, as a job that is taken away after; what it wrote.

    Raises
    ------
    Unavailable
        If it does not end well, with what it wrote or why it did not start.
    """
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": cluster.namespace,
            "labels": {"app.kubernetes.io/instance": cluster.release},
        },
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 600,
            "template": {"metadata": {"labels": {"blueno.dev/once": name}}, "spec": pod},
        },
    }
    cluster.shell.do(*cluster.here, "delete", f"job/{name}", "--ignore-not-found")
    cluster.shell.do(*cluster.here, "create", "--filename=-", given=written(job))
    return finished(cluster, name, patience)


def finished(cluster: Cluster, name: str, patience: float) -> str:
    """Wait for a job's end, and take it away; what it wrote."""
    if cluster.shell.dry:
        cluster.shell.say(f"(waits until the job {name} is complete)")
        return ""
    deadline = time.monotonic() + patience
    told_of = ""
    try:
        while True:
            job: Any = cluster.get(f"job/{name}") or {}
            ended = [
                one["type"] for one in job.get("status", {}).get("conditions", []) if one["status"] == "True"
            ]
            if "Complete" in ended:
                return cluster.shell.ask(*cluster.here, "logs", f"job/{name}")
            trouble = waiting.of_pods(cluster, cluster.items("pods", f"--selector=job-name={name}"))
            if "Failed" in ended:
                raise Unavailable(f"{name} failed: {_log(cluster, name)}", code="job_failed")
            if time.monotonic() > deadline:
                raise Unavailable(f"{name} did not end: {trouble or 'it still runs'}", code="job_failed")
            if trouble and trouble != told_of:
                cluster.shell.say(f"    {name}: {trouble}")
                told_of = trouble
            time.sleep(0.5)
    finally:
        cluster.shell.do(*cluster.here, "delete", f"job/{name}", "--ignore-not-found", "--wait=false")


def _log(cluster: Cluster, name: str) -> str:
    try:
        return cluster.shell.ask(
            *cluster.here, "logs", f"job/{name}", "--all-containers", "--tail=20"
        ).strip()
    except Failed as error:
        return error.said
