"""Jobs in the queues of a real Kueue: they wait suspended, say what for, and start when there is room."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any

import helm_python as helm
import pytest
import yaml

from jupyter_blueno.config import Config
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, Resources
from jupyter_blueno.jobs.testing import ALICE, command, start, until, wait
from tests.cluster.installation import CHART
from tests.cluster.jobs import Space, account, another_manager, folder, settings, space
from tests.cluster.node.programs import SOURCES, build, missing, program

__all__ = ["account", "another_manager", "folder", "space"]

pytestmark = pytest.mark.slow


def settings_of(ports: list[int], folder: Path) -> dict[str, Any]:
    """Of the controller: it is a process of this machine, so nothing in the cluster can call it."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta1",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": f"127.0.0.1:{ports[0]}"},
        "metrics": {"bindAddress": f"127.0.0.1:{ports[1]}"},
        "webhook": {"host": "127.0.0.1", "port": ports[2], "certDir": str(folder)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "integrations": {"frameworks": ["batch/job"]},
    }


def free_ports(count: int) -> list[int]:
    with_ports = [socket() for _ in range(count)]
    for one in with_ports:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in with_ports]
    for one in with_ports:
        one.close()
    return found


@pytest.fixture(scope="module")
def kueue(space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Have Kueue run, with the queues of the chart; return the pattern of their names."""
    if missing(["kueue"]):
        build("kueue")
    place = tmp_path_factory.mktemp("kueue")
    asked = ["go", "mod", "download", "-json", "sigs.k8s.io/kueue"]
    told = subprocess.run(asked, cwd=SOURCES / "kueue", check=True, capture_output=True, text=True).stdout
    definitions = Path(json.loads(told)["Dir"]) / "config" / "components" / "crd" / "bases"
    space.cluster.run("apply", "--server-side", "--filename", str(definitions))
    for path in sorted(definitions.glob("*.yaml")):
        name = "{1}.{0}".format(*path.stem.split("_"))
        space.cluster.run("wait", f"crd/{name}", "--for=condition=Established", "--timeout=60s")
    certificate = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    certificate += [
        "-nodes",
        "-keyout",
        str(place / "tls.key"),
        "-out",
        str(place / "tls.crt"),
        "-subj",
        "/CN=kueue",
    ]
    subprocess.run(certificate, check=True, capture_output=True)
    ports = free_ports(3)
    (place / "settings.json").write_text(json.dumps(settings_of(ports, place)))
    with open(place / "log", "wb") as log:
        process = subprocess.Popen(
            [
                program("kueue"),
                f"--kubeconfig={space.cluster.kubeconfig}",
                f"--config={place}/settings.json",
                "--feature-gates=VisibilityOnDemand=false",  # it would need an account in a pod
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        space.cluster.create(space.namespace, *queues(space.namespace))
        until(lambda: active(space), f"the queues to be taken up; see {place}/log")
        yield "{team}"
    finally:
        process.terminate()
        process.wait(30)
        for kind in ("clusterqueues", "resourceflavors"):
            space.cluster.run("delete", kind, "--all", "--wait=false")


def queues(namespace: str) -> list[dict[str, Any]]:
    """What the chart makes of quotas: two teams have 0.1 cores each, a third one none."""
    values = {
        "storage": {"hostPath": "/srv"},
        "users": {"namespace": namespace},
        "kueue": {"enabled": True},
        "teams": {ALICE.team: [], "pathology": []},
        "quotas": {"team": {"cpu": 0.1}, "teams": {"team": {"team": {"cpu": 0}}}},
    }
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(values, name="blueno", namespace=namespace)
    (text,) = (one for path, one in texts.items() if path.endswith("/kueue.yaml"))
    return list(yaml.safe_load_all(text))


def active(space: Space) -> bool:
    found = space.get("localqueues")["items"]
    ready = [
        one["type"] == "Active" and one["status"] == "True"
        for queue in found
        for one in queue.get("status", {}).get("conditions", [])
    ]
    return len(ready) == 3 and all(ready)


@pytest.fixture
def manager(
    folder: Path, config: Config, space: Space, kueue: str, another_manager: Callable[[], JobManager]
) -> JobManager:
    settings(config, space, space.template(config.home_path, folder, queue=kueue))
    return another_manager()


def sleeps(manager: JobManager, name: str, cpu: float) -> Job:
    return start(manager, command("sleep", "1000", resources=Resources(cpu=cpu)), name)


def test_what_kueue_has_no_room_for_waits_and_says_what_it_lacks(manager: JobManager, space: Space) -> None:
    first = sleeps(manager, "first", 0.15)  # borrows what the other team does not use
    wait(manager, first, "RUNNING")
    second = sleeps(manager, "second", 0.1)
    said = until(
        lambda: (one := manager.get(ALICE, second.id)).reason and "It needs" in one.reason and one.reason,
        "the queue to say what it lacks",
    )
    assert "It waits in the queue" in said
    assert "CPU cores" in said
    assert "more than is free now" in said
    assert manager.get(ALICE, second.id).state == "QUEUED"
    large = sleeps(manager, "large", 0.5)
    until(
        lambda: "the queue may have" in str(manager.get(ALICE, large.id).reason),
        "a job that can never fit to say so",
    )
    manager.cancel(ALICE, large.id)
    wait(manager, large, "CANCELLED")
    manager.cancel(ALICE, first.id)
    wait(manager, second, "RUNNING")
    manager.cancel(ALICE, second.id)
    wait(manager, second, "CANCELLED")
