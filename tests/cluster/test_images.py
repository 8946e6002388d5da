"""The images that users' pods, the hub and the service run in, with this checkout's package in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.client import Cluster
from tests.cluster.conftest import loaded
from tests.cluster.images import Images
from tests.cluster.manifests import pod

LARGEST = 1.2  # GB, of a notebook's image, without TensorFlow
# What a namespace that enforces Pod Security `restricted` asks for; the image names the user.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def _pod(cluster: Cluster, image: str, script: str, **container: Any) -> dict[str, Any]:
    return pod("one", image, script, container={"securityContext": RESTRICTED, **container})


def test_a_notebook_serves_lab_to_a_person_without_rights(
    cluster: Cluster, namespace: str, images: Images
) -> None:
    name = loaded(cluster, images, "notebook")
    assert images.size(name) <= LARGEST
    lab = "jupyter lab --ip=0.0.0.0 --no-browser --IdentityProvider.token=test"
    probe = {"httpGet": {"path": "/api", "port": 8888}, "periodSeconds": 1}
    cluster.create(namespace, _pod(cluster, name, f"blueno --version; id -u; {lab}", readinessProbe=probe))
    try:
        cluster.run("wait", "--namespace", namespace, "--for=condition=Ready", "pod/one", "--timeout=90s")
    finally:
        said = cluster.logs(namespace, "one")
        print(said)
    assert "0.1.0" in said.splitlines()[0]
    assert said.splitlines()[1] == "1000"
    assert "jupyter_blueno | extension was successfully loaded" in said
    program = (
        "import mlflow, nilearn.datasets, numpy.testing, pandas, pyarrow.parquet, scipy.stats, sklearn.svm"
    )
    cluster.run("exec", "--namespace", namespace, "one", "--", "python", "-c", program)


@pytest.mark.parametrize(
    ("target", "script"),
    [
        (
            "hub",
            "jupyterhub --version && configurable-http-proxy --version && python -c '"
            "import jupyterhub_idle_culler, kubespawner, psycopg2; from jupyter_blueno.hub import settings'",
        ),
        ("service", "python -m jupyter_blueno.hub --help && python -c 'import kubernetes'"),
    ],
)
def test_an_image_has_its_programs(
    cluster: Cluster, namespace: str, images: Images, target: str, script: str
) -> None:
    name = loaded(cluster, images, target)
    cluster.create(namespace, _pod(cluster, name, f"{script} && id -u"))
    ended = cluster.pod_phase(namespace, "one", "Succeeded", "Failed")
    said = cluster.logs(namespace, "one")
    assert ended["status"]["phase"] == "Succeeded", said
    assert said.splitlines()[-1] == "1000"
