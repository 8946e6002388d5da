"""MLflow's server of a team on a cluster: a pod that sees the team's folder of MLflow, and nothing else.

It is started as a Job, whose name follows from the team's, so there is one, whichever
replica of the service asks. Its database is a file in that folder, and the pod the only
one that opens it. It has no way to the installation's database, and no password.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
from typing import Any

from jupyter_blueno.config import Config
from jupyter_blueno.errors import BluenoError, Unavailable
from jupyter_blueno.jobs.backends.kubernetes.access import Access, Refused, Unreachable
from jupyter_blueno.jobs.backends.kubernetes.objects import LEAST, PodTemplate, confined, object_of, value_of
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject
from jupyter_blueno.tracking import mlflow
from jupyter_blueno.tracking.companion import IDLE, PATIENCE, Companion
from jupyter_blueno.tracking.serve_team import HEALTH, KEY_DIGEST, KEY_HEADER, PORT
from jupyter_blueno.tracking.serve_team import IDLE as IDLE_VARIABLE

COMPONENT = "mlflow"
PROGRAM = "jupyter_blueno.tracking.serve_team"
KEPT = 60  # seconds that a Job stays after its end
BELIEVED = 5.0  # seconds for which an address is the same
REQUESTS = {"cpu": "100m", "memory": "512Mi"}
LIMITS = {"memory": "1536Mi"}


class TeamServer(Companion):
    """See `Companion`. It ends by itself when no replica has asked for long.

    Parameters
    ----------
    config : Config
        The team's.
    access : Access
    template : PodTemplate
        How the pods of jobs look here: image, claim and what else nodes want.
    secret : str
        Known to the service alone; the key of each server is made of it.
    """

    elsewhere = True

    def __init__(self, config: Config, access: Access, template: PodTemplate, secret: str) -> None:
        super().__init__("MLflow", config.home_path / mlflow.FOLDER, lambda _: [], HEALTH)
        self.team = config.team
        self._access = access
        self._template = template
        self._jobs = f"/apis/batch/v1/namespaces/{config.jobs_namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{config.jobs_namespace}/pods"
        told = b"jupyter-blueno: MLflow of a team\0" + self.team.encode()
        self._key = hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()
        self._held = False
        self._address, self._looked = "", 0.0

    @property
    def held(self) -> bool:
        return self._held

    def release(self) -> None:
        with self._lock:
            self._held = False
            self.released.set()

    def _start(self) -> None:
        try:
            with self._lock:
                self._held = True
                self.released.clear()
            if not self.answers():
                self.folder.mkdir(parents=True, exist_ok=True)  # else the node makes it, for root
                self._spawn()
        except BluenoError as error:
            self._trouble = error
        except (OSError, Refused, Unreachable) as error:
            self._trouble = Unavailable(f"MLflow cannot be started: {error}.", code="companion_failed")
        if self._trouble is not None:
            self.release()
        else:
            self.on_ready()

    def _spawn(self) -> None:
        deadline = time.monotonic() + PATIENCE
        made = False
        while not self.answers():
            made = made or self._made()
            if time.monotonic() > deadline:
                raise Unavailable(f"MLflow did not start: {self._reason()}", code="companion_failed")
            time.sleep(0.3)

    def _made(self) -> bool:
        """Have a Job that is not over; False while an old one goes away."""
        name = object_of(COMPONENT, self.team)
        try:
            self._access.ask("POST", self._jobs, JobObject, self.job())
            return True
        except Refused as error:
            if error.reason != "AlreadyExists":
                raise
        try:
            found = self._access.ask("GET", f"{self._jobs}/{name}", JobObject)
            if found.over() is None and found.metadata.deletion_timestamp is None:
                return True
            exactly = {"preconditions": {"uid": found.metadata.uid}, "propagationPolicy": "Background"}
            self._access.ask("DELETE", f"{self._jobs}/{name}", dict, exactly)
        except Refused as error:
            if error.status not in (404, 409):  # somebody else was faster
                raise
        return False

    def _reason(self) -> str:
        """Why its pod does not run, as the cluster says it."""
        for pod in self._found():
            for one in pod.status.container_statuses:
                state = one.state.waiting or one.state.terminated
                if state is not None:
                    return f"{state.reason} {state.message}".strip()[:300]
            for condition in pod.status.conditions:
                if condition.status == "False" and condition.message:
                    return condition.message[:300]
        return "the cluster does not say why."

    def _found(self) -> list[PodObject]:
        selector = f"app.kubernetes.io/component={COMPONENT},blueno.dev/team={value_of(self.team)}"
        return self._access.every(self._pods, PodObject, [("labelSelector", selector)])[0]

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if not self._address or time.monotonic() - self._looked > BELIEVED:
            try:
                pods = [one for one in self._found() if one.metadata.deletion_timestamp is None]
            except (Refused, Unreachable) as error:
                raise ConnectionRefusedError(str(error)) from error
            running = [one.status.pod_ip for one in pods if one.status.phase == "Running"]
            self._address = next(filter(None, running), "")
            self._looked = time.monotonic()
        if not self._address:
            raise ConnectionRefusedError("it does not run")
        connection = _WithKey(self._address, PORT, timeout=timeout)
        connection.key = self._key
        try:
            connection.connect()
        except OSError:
            self._address = ""
            raise
        return connection

    def job(self) -> dict[str, Any]:
        """The Job object."""
        template = self._template
        labels = {
            "app.kubernetes.io/name": "blueno",
            "app.kubernetes.io/component": COMPONENT,
            "app.kubernetes.io/managed-by": "blueno",
            "blueno.dev/team": value_of(self.team),
        }
        folder = str(self.folder)
        digest = hashlib.sha256(self._key.encode()).hexdigest()
        environment = {KEY_DIGEST: digest, IDLE_VARIABLE: str(IDLE), "HOME": "/tmp", **template.environment}
        container = {
            "name": "mlflow",
            "image": template.image,
            "imagePullPolicy": template.pull_policy,
            "command": [template.python, "-I", "-W", "ignore", "-m", PROGRAM, folder],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "ports": [{"containerPort": PORT}],
            "resources": {"requests": REQUESTS, "limits": LIMITS},
            "volumeMounts": [{"name": "data", "mountPath": folder, "subPath": self._below()}],
            "securityContext": LEAST,
            "terminationMessagePolicy": "FallbackToLogsOnError",
        }  # fmt: skip
        pod = {
            "restartPolicy": "OnFailure",
            **confined(template),
            "containers": [container],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": template.claim}}],
            "nodeSelector": template.node_selector,
            "tolerations": template.tolerations,
            "imagePullSecrets": [{"name": name} for name in template.pull_secrets],
        }
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": object_of(COMPONENT, self.team), "labels": labels},
            "spec": {
                "backoffLimit": 3,
                "ttlSecondsAfterFinished": KEPT,
                "podReplacementPolicy": "Failed",  # two would write to one file
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }

    def _below(self) -> str:
        """Its folder on the claim."""
        root = (self._template.volume or "").rstrip("/")
        folder = str(self.folder)
        if not root or not folder.startswith(f"{root}/"):
            raise Unavailable(f"{folder} is not on the volume of the jobs.", code="companion_failed")
        return folder[len(root) + 1 :]


class _WithKey(http.client.HTTPConnection):
    """A connection each of whose requests says the key."""

    key = ""

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        super().putrequest(*args, **kwargs)
        self.putheader(KEY_HEADER, self.key)
