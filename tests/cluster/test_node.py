"""The cluster of our own leaves this machine as it was, even when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.node.node import BUSYBOX, CannotRun, Node, check
from tests.cluster.node.settings import KERNEL


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node beside that of the checkout."""
    try:
        check()
    except CannotRun as reason:
        pytest.skip(f"no Kubernetes here: {reason}")
    made = Node(tmp_path)
    yield made
    made.down()


def _links() -> set[str]:
    return set(os.listdir("/sys/class/net"))


def _kernel() -> dict[str, str]:
    return {name: Path("/proc/sys", name).read_text() for name in KERNEL}


def _processes(command: str) -> list[str]:
    return subprocess.run(["pgrep", "-f", command], capture_output=True, text=True).stdout.split()


def test_a_killed_node_takes_everything_with_it(node: Node) -> None:
    links, kernel = _links(), _kernel()
    node.up()
    mine = json.loads((node.state / "network.json").read_text())["link"]
    node.kubectl("run", "long", f"--image={BUSYBOX}", "--restart=Never", "--", "sleep", "86399")
    node.kubectl("wait", "--for=condition=Ready", "pod/long", "--timeout=60s")
    assert _links() == links | {mine}
    assert len(_processes("sleep 86399")) == 1

    (first,) = node.first()
    os.kill(first, signal.SIGKILL)
    node.down()
    assert not _processes("sleep 86399") + _processes(f"{node.state}(/|$)")
    assert _links() == links
    assert _kernel() == kernel
    assert not node.state.exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**{node.cgroup}"))
