"""The chart's own NFS server on a real cluster, asked by a client that needs nothing of the kernel."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.client import Cluster, Refused
from tests.cluster.images import Images
from tests.cluster.installation import CHART
from tests.cluster.manifests import pod
from tests.cluster.node.programs import program
from tests.cluster.test_images import RESTRICTED

# Of the range of services those that are not given away by themselves come first.
NUMBER = 13
SIZE = 1000  # bytes: Debian's client of NFS 4 sends no longer writes
# A try that was cut off may have made the file: the next one has another name.
WRITE = f"""\
number=0
until [ -e /tmp/stop ]; do
    number=$((number + 1)) try=1
    printf '%0{SIZE}d' $number > /tmp/content
    until timeout 10 nfs-cp /tmp/content "$1/$number.$try?$2" > /dev/null 2>&1; do
        sleep 0.5
        try=$((try + 1))
    done
    echo $number.$try >> /tmp/written
done
touch /tmp/stopped
"""
OPTIONS = "version=4&uid=1000&gid=1000"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Storage:
    """The server, and a pod that is its client."""

    cluster: Cluster
    namespace: str
    volume: str
    folder: Path

    def runs(self, *command: str) -> str:
        return self.cluster.run("exec", "client", "--namespace", self.namespace, "--", *command)

    def address(self, path: str, options: str = OPTIONS) -> str:
        return f"{self.volume}/{path}?{options}"

    def says(self) -> str:
        return self.cluster.logs(self.namespace, "blueno-storage-0")[-3000:]

    def ready(self) -> None:
        what = "statefulset/blueno-storage"
        self.cluster.run("rollout", "status", what, "--namespace", self.namespace, "--timeout=120s")

    def is_killed(self) -> None:
        """kill -9 of the server's process, as the node does it."""
        assert self.cluster.node is not None
        before = self.container
        self.cluster.node.ctr("tasks", "kill", "--signal", "SIGKILL", before)
        self.cluster.until(lambda: self.container != before and self._status["ready"], self.says)

    @property
    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.get(self.namespace, "pod/blueno-storage-0")["status"]
        status: dict[str, Any] = found["containerStatuses"][0]
        return status

    @property
    def container(self) -> str:
        return str(self._status["containerID"]).removeprefix("containerd://")


@pytest.fixture
def storage(cluster: Cluster, namespace: str, images: Images, tmp_path: Path) -> Iterator[Storage]:
    node = cluster.node
    assert node is not None
    services = cluster.get("default", "service/kubernetes")["spec"]["clusterIP"]
    address = str(ipaddress.ip_address(services) + NUMBER - 1)
    folder = tmp_path / "disk"
    folder.mkdir()
    values = {
        "images": {"storage": images.load(images.storage(), node)},
        "storage": {"server": {"enabled": True, "address": address, "hostPath": str(folder)}},
    }
    command = [str(program("helm")), "template", "blueno", str(CHART), f"--namespace={namespace}"]
    told = subprocess.run(
        [*command, "--show-only=templates/storage/server.yaml", "--values=-"],
        input=json.dumps(values), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    try:
        cluster.create(namespace, *filter(None, yaml.safe_load_all(told)))
        cluster.create(namespace, _client(images.load(images.nfs_client(), node)))
        made = Storage(cluster, namespace, f"nfs://{address}/volume", folder)
        made.ready()
        cluster.pod_phase(namespace, "client", "Running")
        yield made
    finally:  # the namespace goes by and by; the address is asked for again by the next test
        cluster.run("delete", "service", "blueno-storage", f"--namespace={namespace}", "--ignore-not-found")


def _client(image: str) -> dict[str, Any]:
    context = {"securityContext": {**RESTRICTED, "runAsUser": 1000}}
    return pod("client", image, "exec sleep infinity", container=context)


def test_what_people_write_is_theirs_on_the_disk(storage: Storage) -> None:
    storage.runs("sh", "-c", f"echo hello > /tmp/a && nfs-cp /tmp/a '{storage.address('a.txt')}'")
    assert storage.runs("nfs-cat", storage.address("a.txt")) == "hello\n"
    assert "a.txt" in storage.runs("nfs-ls", storage.address(""))
    written = storage.folder / "volume" / "a.txt"
    assert (written.read_text(), written.stat().st_uid, written.stat().st_gid) == ("hello\n", 1000, 1000)
    # What somebody else keeps to themselves is not read.
    written.chmod(0o600)
    with pytest.raises(Refused):
        storage.runs("nfs-cat", storage.address("a.txt", "version=4&uid=1001&gid=1001"))


def test_a_server_that_is_killed_goes_on_with_all_that_was_written(storage: Storage) -> None:
    begin = '(sh -c "$0" - "$1" "$2" > /dev/null 2>&1 < /dev/null &); touch /tmp/written'
    storage.runs("sh", "-c", begin, WRITE, storage.volume, OPTIONS)

    def written() -> list[str]:
        return storage.runs("cat", "/tmp/written").split()

    storage.cluster.until(lambda: len(written()) >= 3, storage.says)
    storage.is_killed()
    before = len(written())
    storage.cluster.until(lambda: len(written()) >= before + 3, storage.says)
    storage.runs("touch", "/tmp/stop")
    storage.cluster.until(lambda: "stopped" in storage.runs("ls", "/tmp"), storage.says)
    for name in written():
        content = name.partition(".")[0].zfill(SIZE)
        assert (storage.folder / "volume" / name).read_text() == content
        assert storage.runs("nfs-cat", storage.address(name)) == content
