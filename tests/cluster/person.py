"""Who types `blueno` at a shell, and where an installation of theirs is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import get_status
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError
from tests.cluster.client import Cluster
from tests.cluster.installation import Installation
from tests.cluster.node.programs import program

Places = Callable[[], Installation]


class Person:
    """Who types `blueno` where kubectl and helm are."""

    def __init__(self, cluster: Cluster) -> None:
        folders = {str(Path(program(name)).parent) for name in ("kubectl", "helm")}
        path = os.pathsep.join([*folders, os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)}

    def starts(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyter_blueno", *words],
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def runs(self, *words: str, ends: int = 0) -> str:
        running = self.starts(*words)
        said, _ = running.communicate(timeout=300)
        assert running.returncode == ends, said
        return said


@contextmanager
def places_in(cluster: Cluster, images: dict[str, str]) -> Iterator[Places]:
    """Give places for installations, and take them away with all that is in them."""
    made: list[Installation] = []

    def place() -> Installation:
        folder = Path(f"/var/tmp/blueno-setup-{uuid.uuid4().hex[:6]}")
        made.append(Installation(cluster, "blueno", f"setup-{uuid.uuid4().hex[:6]}", folder, images))
        return made[-1]

    try:
        yield place
    finally:
        for one in made:
            _removed(one)


def _removed(one: Installation) -> None:
    cluster = one.cluster
    for namespace in (one.users, one.namespace):
        cluster.run("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
    volumes = [f"{namespace}-blueno-volume" for namespace in (one.users, one.namespace)]
    cluster.run("delete", "persistentvolume", *volumes, "--ignore-not-found", "--wait=false")
    for kind in ("clusterrole", "clusterrolebinding"):
        cluster.run("delete", kind, f"{one.namespace}-blueno-service", "--ignore-not-found")
    shutil.rmtree(one.folder, ignore_errors=True)


def options(at: Installation, file: Path) -> tuple[str, ...]:
    values = at.values
    del values["storage"]
    file.write_text(json.dumps(values))
    where = ("--namespace", at.namespace, "--host-path", str(at.volume), "--values", str(file))
    return (*where, "--yes", "--no-check")


def asked_as_alice(at: Installation) -> Http:
    if not any(one["name"] == "alice" for one in at.api("GET", "/users")):
        at.api("POST", "/users/alice")
    token = at.api("POST", "/users/alice/tokens", {"note": "test"})["token"]
    made = Http(f"{at.url}/services/blueno", token)
    # The proxy has a route to the service some seconds after both run; the hub answers until then.
    at.cluster.until(lambda: _is_served(made), at.says)
    return made


def _is_served(by: Http) -> bool:
    with suppress(BluenoError):
        return by.call(get_status, Nothing()).user == "alice"
    return False
