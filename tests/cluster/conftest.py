"""A real Kubernetes: the one that KUBECONFIG names, else one of our own, else the tests are skipped."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Cluster
from tests.cluster.node.node import BUSYBOX, CannotRun, Node, check
from tests.cluster.node.programs import program


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Return a running cluster; one of our own is stopped with the last session that uses it."""
    if given := os.environ.get("KUBECONFIG"):
        built = program("kubectl")
        kubectl = built if built.exists() else shutil.which("kubectl") or "kubectl"
        ours = Node()
        mine = Path(given) == ours.kubeconfig
        yield Cluster(Path(given), Path(kubectl), BUSYBOX if mine else "busybox:1.36", ours if mine else None)
        return
    try:
        check()
    except CannotRun as reason:
        pytest.skip(f"no Kubernetes here: {reason}")
    with Node().used() as node:
        yield Cluster(node.kubeconfig, program("kubectl"), BUSYBOX, node)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Return a namespace for one test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.run("create", "namespace", name)
    cluster.until(
        lambda: cluster.get(name, "serviceaccounts")["items"], lambda: "a namespace has no service account"
    )
    yield name
    cluster.run("delete", "namespace", name, "--wait=false")
