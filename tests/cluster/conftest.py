"""A real Kubernetes: the one that KUBECONFIG names, else one of our own, else the tests are skipped."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.client import Cluster
from tests.cluster.images import STAND_IN, TARGETS, Images
from tests.cluster.installation import Installation, installed
from tests.cluster.node.node import BUSYBOX, CannotRun, Node, check
from tests.cluster.node.programs import program
from tests.cluster.person import Places, places_in


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


@pytest.fixture(scope="session")
def images(cluster: Cluster) -> Images:
    """Return what knows the images; they are built before the tests, as that takes minutes."""
    if cluster.node is None:
        pytest.skip("images are loaded into the cluster of our own")
    if shutil.which("buildah") is None:
        pytest.skip("images are built by buildah, which is not installed")
    return Images(os.environ.get("BLUENO_BASE_IMAGE") or STAND_IN)


def loaded(cluster: Cluster, images: Images, target: str) -> str:
    """Have the node hold an image with this checkout's package, and return its name."""
    if images.found(target) is None:  # the package is renewed in seconds, what lies below it in minutes
        pytest.skip(f"the image is not built: scripts/images {target} --stand-in")
    assert cluster.node is not None
    return images.load(images.build(target), cluster.node)


@pytest.fixture(scope="session")
def ours(cluster: Cluster, images: Images) -> dict[str, str]:
    """Return the names of this checkout's images, which the node has."""
    names = {target: loaded(cluster, images, target) for target in TARGETS}
    assert cluster.node is not None
    names["postgresql"] = images.load(images.postgres(), cluster.node)
    return names


@pytest.fixture
def places(cluster: Cluster, ours: dict[str, str]) -> Iterator[Places]:
    """Return what gives places for installations by hand."""
    with places_in(cluster, ours) as place:
        yield place


@pytest.fixture(scope="session")
def release(cluster: Cluster, ours: dict[str, str]) -> Iterator[Installation]:
    """Return the chart, installed once for all tests of a process, as the last of them left it."""
    with installed(cluster, ours) as made:
        yield made


@pytest.fixture
def chart(release: Installation) -> Installation:
    """Return the installed chart with the values that most tests want."""
    release.having()
    return release
