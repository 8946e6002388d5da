"""The folders of people who left: moved to ``home/.left``, where nobody's notebook looks."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from jupyter_blueno.errors import Conflict, Unavailable
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.objects import LEAST, PodTemplate, confined, value_of

LEFT = ".left"
# Both are names of one volume: moving is one step, which was done or was not.
MOVE = """\
set -eu
cd "$1"
mkdir -p -m 700 .left
[ -e ".left/$3" ] || [ ! -e "$2" ] || mv -T -- "$2" ".left/$3"
"""


class LocalHomes:
    """Moves folders of this machine, ``home/{person}`` of the volume."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def archive(self, person: str, name: str) -> str | None:
        if person.startswith(".") or "/" in person + name or "\0" in person + name:
            raise Conflict(f"'{person[:80]}' can be no folder, so there is none to move.", code="bad_name")
        left = self.folder / LEFT
        if (left / name).is_symlink() or (left / name).exists() or not (self.folder / person).is_dir():
            return None
        left.mkdir(mode=0o700, exist_ok=True)
        try:
            os.rename(self.folder / person, left / name)
        except FileNotFoundError:  # another replica did
            pass
        except OSError as error:
            raise Unavailable(
                f"The folder of {person} cannot be moved: {error}.", code="home_stays"
            ) from error
        return None


class _Conditions(Struct, frozen=True):
    succeeded: int = 0
    failed: int = 0


class _Job(Struct, frozen=True):
    status: _Conditions = field(default_factory=_Conditions)


class _Phase(Struct, frozen=True):
    phase: str = ""


class _Pod(Struct, frozen=True):
    status: _Phase = field(default_factory=_Phase)


class ClusterHomes:
    """Has a Job of the cluster move them, which sees ``home`` of the volume and nothing else. Thread-safe."""

    def __init__(self, access: Access, namespace: str, template: PodTemplate) -> None:
        self.access = access
        self.namespace = namespace
        self.template = template

    def archive(self, person: str, name: str) -> str | None:
        job = f"blueno-home-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        path = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
        try:
            if self._in_use(person):
                return f"a job that {person} started still works in their folder"
            try:
                found = self.access.ask("GET", f"{path}/{job}", _Job)
            except Refused as error:
                if error.status != 404:
                    raise
                found = self._made(path, job, value_of(person), name)
        except (Refused, Unreachable) as error:
            raise Unavailable(
                f"The folder of {person} is not moved yet: the cluster says {error}. Try again.",
                code="home_stays",
            ) from error
        if found.status.succeeded:
            return None
        if found.status.failed:
            raise Unavailable(
                f"The folder of {person} could not be moved: see the Job {job} in {self.namespace}; delete "
                "it and try again.",
                code="home_stays",
            )
        return f"the folder of {person} is being moved"

    def _in_use(self, person: str) -> bool:
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        pods, _ = self.access.every(path, _Pod, [("labelSelector", f"blueno.dev/user={value_of(person)}")])
        return any(one.status.phase in ("Pending", "Running") for one in pods)

    def _made(self, path: str, job: str, folder: str, name: str) -> _Job:
        try:
            return self.access.ask("POST", path, _Job, body=self._job(job, folder, name))
        except Refused as error:
            if error.reason != "AlreadyExists":
                raise
            return _Job()

    def _job(self, job: str, folder: str, name: str) -> dict[str, Any]:
        template = self.template
        labels = {"app.kubernetes.io/managed-by": "blueno", "app.kubernetes.io/component": "home"}
        place = f"{(template.volume or '').rstrip('/')}/home"
        container = {
            "name": "move",
            "image": template.image,
            "imagePullPolicy": template.pull_policy,
            "command": ["sh", "-c", MOVE, "move", place, folder, name],
            "resources": {
                "requests": {"cpu": "10m", "memory": "32Mi"},
                "limits": {"cpu": "500m", "memory": "128Mi"},
            },
            "volumeMounts": [{"name": "home", "mountPath": place, "subPath": "home"}],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": {**LEAST, "readOnlyRootFilesystem": True},
        }
        pod = {
            "restartPolicy": "Never",
            **confined(template),
            "imagePullSecrets": [{"name": one} for one in template.pull_secrets],
            "containers": [container],
            "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": template.claim}}],
        }
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": job, "labels": labels},
            "spec": {
                "backoffLimit": 3,
                "ttlSecondsAfterFinished": 3600,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
