"""Managers whose jobs run in the cluster: fixtures of the tests of that backend.

Images of ours are not needed: the pods get this machine's Python and libraries
from a volume, and run what lies in this working tree.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from jupyter_blueno.config import Config
from jupyter_blueno.jobs.backends.kubernetes.objects import PodTemplate
from jupyter_blueno.jobs.manager import JobManager
from tests.cluster.client import Cluster
from tests.cluster.manifests import shared_volume
from tests.managers import managers

TREE = Path(__file__).resolve().parents[2]
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Space:
    """A namespace for jobs, with a claim on all of this machine's files."""

    cluster: Cluster
    namespace: str

    def get(self, what: str) -> Any:
        return self.cluster.get(self.namespace, what)

    def run(self, *words: str) -> str:
        return self.cluster.run(*words, "--namespace", self.namespace)

    def template(self, *places: Path, **fields: Any) -> PodTemplate:
        """Pods that see this machine's programs, and may write into `places`."""
        programs = {"/usr": "usr", "/lib": "usr/lib", "/lib64": "usr/lib64", "/bin": "usr/bin"}
        programs |= {one: one.lstrip("/") for one in {sys.base_prefix, str(TREE), sys.prefix}}
        mounts = [
            {"name": "machine", "mountPath": path, "subPath": below, "readOnly": True}
            for path, below in sorted(programs.items())
        ]
        mounts += [
            {"name": "machine", "mountPath": str(one), "subPath": str(one).lstrip("/")} for one in places
        ]
        usual: dict[str, Any] = {
            "image": self.cluster.busybox,
            "volumes": [{"name": "machine", "persistentVolumeClaim": {"claimName": "machine"}}],
            "mounts": mounts,
            "environment": {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
            "cpu": 0.05,
            "memory": 1 << 30,
        }
        return PodTemplate(**(usual | fields))


@pytest.fixture(scope="module")
def space(cluster: Cluster) -> Iterator[Space]:
    if cluster.node is None:
        pytest.skip("the jobs' volume is this machine's: that needs the cluster of our own")
    with spaced(cluster) as made:
        yield made


@contextmanager
def spaced(cluster: Cluster) -> Iterator[Space]:
    """A namespace at Pod Security `restricted`, with the volume."""
    name = f"jobs-{uuid.uuid4().hex[:8]}"
    meta = {"name": name, "labels": RESTRICTED}
    cluster.create(name, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    cluster.create(name, *shared_volume("machine", name, "/"))
    cluster.until(
        lambda: cluster.get(name, "pvc/machine")["status"].get("phase") == "Bound", lambda: "the claim"
    )
    yield Space(cluster, name)
    cluster.run("delete", "namespace", name, "--wait=false")
    cluster.run("delete", "persistentvolume", f"{name}-machine", "--wait=false")


@pytest.fixture
def folder(tmp_path: Path, config: Config, space: Space, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The jobs' working folder; the settings lead into the cluster."""
    monkeypatch.setenv("KUBECONFIG", str(space.cluster.kubeconfig))
    place = tmp_path / "files"
    place.mkdir()
    place.chmod(0o777)
    config.home_path.chmod(0o755)
    config.roots = [str(place)]
    settings(config, space, space.template(config.home_path, place))
    return place


def settings(config: Config, space: Space, template: PodTemplate) -> None:
    """Have managers that are made from now on run jobs so."""
    file = config.home_path / "pods.json"
    file.write_text(json.dumps(msgspec.to_builtins(template)))
    config.jobs_backend, config.jobs_namespace, config.jobs_pods = "kubernetes", space.namespace, str(file)


@pytest.fixture
def another_manager(config: Config, folder: Path) -> Iterator[Callable[[], JobManager]]:
    with managers(config) as make:
        yield make


@pytest.fixture
def manager(another_manager: Callable[[], JobManager]) -> JobManager:
    return another_manager()


@pytest.fixture
def account(space: Space, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of an account that may do what the documentation says, and no more."""
    text = (TREE / "docs" / "kubernetes.md").read_text()
    rules = yaml.safe_load(text.rpartition("```yaml\n")[2].partition("```")[0])
    name, who = space.namespace, f"system:serviceaccount:{space.namespace}:service"
    space.run("create", "serviceaccount", "service")

    def role(kind: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        meta = {"name": name, "namespace": name}
        group = "rbac.authorization.k8s.io"
        subject = {"kind": "User", "apiGroup": group, "name": who}
        bound = {"roleRef": {"kind": kind, "apiGroup": group, "name": name}, "subjects": [subject]}
        return [
            {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "rules": rules},
            {"apiVersion": f"{group}/v1", "kind": f"{kind}Binding", "metadata": meta, **bound},
        ]

    space.cluster.create(name, *role("Role", rules[:-1]), *role("ClusterRole", rules[-1:]))
    content = yaml.safe_load(space.cluster.kubeconfig.read_text())
    content["users"][0]["user"] = {"token": space.run("create", "token", "service").strip()}
    file = tmp_path / "account"
    file.write_text(yaml.safe_dump(content))
    yield file
    space.cluster.run("delete", f"clusterrole/{name}", f"clusterrolebinding/{name}")
