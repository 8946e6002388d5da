"""The chart, installed in the cluster with this checkout's images: what its tests share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_blueno.client.transport import Http
from tests.cluster.client import Cluster, Refused
from tests.cluster.node.programs import program

CHART = Path(__file__).parents[2] / "charts" / "blueno"
ADMIN_TOKEN = "a-token-of-the-tests-themselves-0123456789"
TEAMS = {"radiology": ["alice", "bob"], "pathology": ["carol"]}
# An administrator who is no person, for what the tests ask the hub itself.
ADMIN = f"""\
c.JupyterHub.services.append({{"name": "tests", "api_token": "{ADMIN_TOKEN}"}})
c.JupyterHub.load_roles.append({{"name": "tests", "services": ["tests"], "scopes": [
    "admin:users", "admin:servers", "admin:groups", "tokens", "access:servers", "proxy"]}})
c.KubeSpawner.args.append("--LabApp.expose_app_in_browser=True")
"""
SMALL = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}


@dataclass(frozen=True)
class Installation:
    """A release of the chart."""

    cluster: Cluster
    name: str
    namespace: str
    folder: Path
    images: dict[str, str]
    given: dict[str, Any] = field(default_factory=dict)  # values beside those of the tests

    @property
    def users(self) -> str:
        """The namespace of notebooks and jobs."""
        return f"{self.namespace}-users"

    @property
    def volume(self) -> Path:
        """The shared volume, as this machine sees it."""
        return self.folder / "volume"

    @property
    def values(self) -> dict[str, Any]:
        small = {"replicas": 1, "resources": SMALL}
        return {
            "images": {name: image for name, image in self.images.items() if name != "postgresql"},
            "storage": {"hostPath": str(self.volume), "size": "10Gi"},
            "postgresql": {
                "image": self.images["postgresql"],
                "hostPath": str(self.folder / "database"),
                "resources": SMALL,
            },
            "hub": {
                "authentication": {"authenticator_class": "dummy", "allow_all": True},
                "extraConfig": ADMIN,
                "resources": SMALL,
            },
            "proxy": {"resources": SMALL},
            "service": small,
            "teams": TEAMS,
            "profiles": [
                {
                    "name": "Small",
                    "slug": "small",
                    "cpu": {"guarantee": 0.05, "limit": 1},
                    "memory": {"guarantee": "256Mi", "limit": "1536Mi"},
                }
            ],
            "jobs": {"cpu": 0.05, "memory": 1 << 30},
        }

    def helm(self, *words: str, **values: Any) -> str:
        """Run helm on this release; `values` are added to those of the tests."""
        told = json.dumps(_merged(self.values, values))
        command = [str(program("helm")), f"--kubeconfig={self.cluster.kubeconfig}", *words]
        if words[0] in ("install", "upgrade"):
            command += [self.name, str(CHART), "--values=-"]
        elif words[0] in ("uninstall", "test"):
            command.insert(3, self.name)
        done = subprocess.run(
            [*command, f"--namespace={self.namespace}"], input=told, capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(f"helm {words[0]}: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def having(self, **values: Any) -> None:
        """Upgrade to these values, unless the release has them; ready when it returns."""
        if self.given != values:
            self.helm("upgrade", **values)
            self.given.clear()
            self.given.update(values)
            self.ready()

    def ready(self, *parts: str) -> None:
        """Wait until these parts run as they are described now; if none is named all, and the hub answers."""
        kinds = {"database": "statefulset"}
        for part in parts or ("database", "hub", "proxy", "service"):
            what = f"{kinds.get(part, 'deployment')}/{self.name}-{part}"
            try:
                self.cluster.run("rollout", "status", what, "--namespace", self.namespace, "--timeout=180s")
            except Refused as reason:
                raise AssertionError(f"{what} does not become ready ({reason}):\n{self.says()}") from None
        # Who was replaced works on until it is gone, by what it was told before.
        self.cluster.until(lambda: not self._leaving(), self.says)
        if not parts:
            self.cluster.until(self._answers, self.says)

    def _answers(self) -> bool:
        """Whether the hub answers; a new proxy learns of it a moment after both run."""
        with suppress(OSError):
            return bool(self.api("GET", "/"))
        return False

    def _leaving(self) -> list[str]:
        """Pods of the release that are being deleted."""
        pods = self.cluster.get(self.namespace, "pods")["items"]
        return [one["metadata"]["name"] for one in pods if "deletionTimestamp" in one["metadata"]]

    @property
    def url(self) -> str:
        """Where people find the hub; pods' networks are reached from here."""
        found = self.cluster.get(self.namespace, f"service/{self.name}-proxy")
        return f"http://{found['spec']['clusterIP']}"

    def pods(self, **labels: str) -> list[dict[str, Any]]:
        """The pods of notebooks and jobs."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found: list[dict[str, Any]] = self.cluster.get(self.users, "pods", f"--selector={selector}")["items"]
        return found

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cluster.get(self.users, "jobs")["items"]
        return found

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub itself, as an administrator."""
        request = urllib.request.Request(
            f"{self.url}/hub/api{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {ADMIN_TOKEN}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def server(self, person: str) -> dict[str, Any] | None:
        """What the hub says of a person's notebook server; None when there is none."""
        try:
            found: dict[str, Any] | None = self.api("GET", f"/users/{person}")["servers"].get("")
        except urllib.error.HTTPError as error:
            if error.code == 404:  # nobody of that name was here yet
                return None
            if error.code != 503:
                raise
            self.cluster.until(self._answers, self.says)  # the hub was away
            return self.server(person)
        return found

    def start_server(self, person: str, profile: str = "small") -> Http:
        """Have a person's notebook server running, and return it as they ask it."""
        with suppress(urllib.error.HTTPError):  # known already
            self.api("POST", f"/users/{person}")

        def started() -> bool:
            found = self.server(person)
            if found is None:
                with suppress(urllib.error.HTTPError):  # it is on its way, or was refused for now
                    self.api("POST", f"/users/{person}/server", {"profile": profile})
            return found is not None and found["ready"]

        self.cluster.until(started, self.says)
        token: str = self.api("POST", f"/users/{person}/tokens", {"note": "test"})["token"]
        # Who was about to connect when a pod was killed waits for it in vain.
        return Http(f"{self.url}/user/{person}", token, timeout=10)

    def runs(self, namespace: str, pod: str, *command: str) -> str:
        """Run a command in a pod; what it wrote, whatever it ended with."""
        always = ("sh", "-c", '"$0" "$@" 2>&1 || true', *command)
        return self.cluster.run("exec", pod, "--namespace", namespace, "--", *always)

    def stop_server(self, person: str) -> None:
        """Do what the culler does, and wait for the pod's end; nothing if there is none."""
        if self.server(person) is None:
            return
        self.api("DELETE", f"/users/{person}/server")
        name = f"hub.jupyter.org/username={person}"
        self.cluster.run(
            "wait", "--namespace", self.users, "pod", f"--selector={name}", "--for=delete", "--timeout=60s"
        )

    def says(self) -> str:
        """What can be told of an installation that does not do what it should."""
        told = [self.cluster.run("get", "pods", "--all-namespaces", "--output=wide")]
        told.append(self.cluster.run("get", "events", "--namespace", self.users, "--sort-by=.lastTimestamp"))
        for part in ("hub", "service"):
            told.append(
                self.cluster.run(
                    "logs",
                    f"deployment/{self.name}-{part}",
                    "--all-containers",
                    "--ignore-errors",
                    "--tail=40",
                    "--namespace",
                    self.namespace,
                )
            )
        return "\n".join(one[-4000:] for one in told)


@contextmanager
def installed(cluster: Cluster, images: dict[str, str]) -> Iterator[Installation]:
    """Install the chart, and take it away with its files."""
    namespace = f"blueno-{uuid.uuid4().hex[:6]}"
    folder = Path(tempfile.mkdtemp(prefix="blueno-chart-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Installation(cluster, "blueno", namespace, folder, images)
    for name, owner in {"volume": 1000, "database": 999}.items():
        place = folder / name
        place.mkdir(mode=0o755)
        os.chown(place, owner, owner)
    try:
        made.helm("install", "--create-namespace")
        made.ready()
        yield made
    finally:
        for one in (made.users, namespace):
            cluster.run("delete", "namespace", one, "--ignore-not-found", "--wait=false")
        label = f"--selector=app.kubernetes.io/instance={made.name}"
        cluster.run("delete", "persistentvolume,clusterrole,clusterrolebinding", label, "--wait=false")
        shutil.rmtree(folder, ignore_errors=True)


def _merged(values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    both = dict(values)
    for name, other in others.items():
        one = both.get(name)
        both[name] = _merged(one, other) if isinstance(one, dict) and isinstance(other, dict) else other
    return both
