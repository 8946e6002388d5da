"""What a job is in a cluster: the Job object, made of its claim and of how the pods of jobs look here."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any

from msgspec import Struct, field

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.engine.contained import MOVED, NOT_STARTED
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import CONDUCTORS, Claim
from jupyter_blueno.jobs.sending.plan import GRACE

JOB = "blueno.dev/job"  # the label by which everything is found again
QUEUE = "kueue.x-k8s.io/queue-name"  # the label by which Kueue takes charge of a Job
USERS = "home/{user}"  # below the volume's root
LEAVING = 25  # seconds that a pod has beyond the work's own grace, to write down how it ended
CONDUCTOR_CPU, CONDUCTOR_MEMORY = 0.1, 512 << 20  # sweeps and flows wait, mostly

RANK = "batch.kubernetes.io/job-completion-index"  # a label of the pods of several workers
# What a worker tells the others of itself.
WHERE = [
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in (("BLUENO_ADDRESS", "status.podIP"), ("BLUENO_NODE", "spec.nodeName"))
]

STARTS = 3  # attempts to get a container up
# A pod that is taken away is replaced; so is one that never started, a few times. What else
# ends without a word of its supervisor has begun, and would perhaps end so again.
RULES: list[dict[str, Any]] = [
    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    {"action": "Ignore", "onExitCodes": {"containerName": "job", "operator": "In", "values": [MOVED, 255]}},
    {
        "action": "FailJob",
        "onExitCodes": {"containerName": "job", "operator": "NotIn", "values": [NOT_STARTED, 128]},
    },
]


_MADE = re.compile(r"-[0-9a-f]{16}$")  # what a name that is no folder's ends with


class PodTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """How the pods of jobs look in a cluster; its operator says so, nobody who submits a job.

    `claim` is the volume with the data folder, at the same path as here. Where it
    holds more than that, `volume` is the path at which its root lies, and of it a
    pod sees the `shares` alone: folders in which ``{team}`` and ``{user}`` stand for
    whose job it is, and `common`, to read. `volumes` and `mounts` are others, as in a
    pod. `cpu` and `memory` (bytes) are for jobs that do not say what they need;
    `environment` is no place for secrets: it can be read in the Job.
    `gpu_tolerations` are added where a job asks for a GPU.
    `priority_classes` are names by the least priority of a job that gets them.
    With a `queue` (``{team}`` stands for the team's name), jobs begin suspended, for Kueue
    to let go. `secrets` is where those of the team are mounted, if they are kept in the cluster
    (`secrets_of`).
    """

    image: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: list[str] = []
    python: str = sys.executable
    user: int = 1000
    group: int = 1000
    fs_group: int | None = None
    claim: str | None = None
    volume: str | None = None
    shares: list[str] = field(default_factory=lambda: ["teams/{team}", "shared/{team}", USERS])
    common: str = "datasets"
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    environment: dict[str, str] = {}
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    gpu_resource: str = "nvidia.com/gpu"
    gpu_tolerations: list[dict[str, Any]] = field(
        default_factory=lambda: [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    )
    cpu: float = 1.0
    memory: int = 2 << 30
    shared_memory: float = 0.5  # of the memory: the most that /dev/shm takes
    runtime_class: str | None = None
    priority_classes: dict[int, str] = {}
    queue: str | None = None
    secrets: str | None = None
    keep: int = 86400  # seconds that a Job stays after its end if nobody tidies up
    grows: bool = False  # whether the cluster adds nodes: then more may be asked for than there is


def name_of(job_id: str) -> str:
    return f"blueno-{job_id}"


def value_of(text: str) -> str:
    """A label's value, or a folder's name, that says `text`, as far as 63 small letters and digits can.

    No two texts have the same, also where a volume does not tell capitals from
    small letters, and where somebody calls themselves what another's name becomes.
    """
    plain = re.sub(r"[^a-z0-9_.-]+", "-", text.lower())[:46].strip("-_.")
    if plain and plain == text and not _MADE.search(text):
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def queue_of(pattern: str, team: str) -> str:
    """The name of the LocalQueue in which a team's jobs wait."""
    return pattern.format(team=team.replace("_", "-"))


def secrets_of(team: str) -> str:
    """The name of the Secret that holds a team's secrets."""
    return object_of("secrets", team)


def object_of(what: str, team: str) -> str:
    """The name of an object that a team has one of; such names have small letters."""
    plain = re.sub(r"[^a-z0-9-]+", "-", team.lower())[:40].strip("-")
    if plain != team or _MADE.search(team):
        plain = f"{plain or 'x'}-{hashlib.sha256(team.encode()).hexdigest()[:16]}"
    return f"blueno-{what}-{plain}"


def secrets_volume(team: str, place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The volume with a team's secrets, a file each, and its mount; it is empty while there are none."""
    volume = {"name": "secrets", "secret": {"secretName": secrets_of(team), "optional": True}}
    return volume, {"name": "secrets", "mountPath": place, "readOnly": True}


def job(
    job_id: str, folder: JobFolder, claim: Claim, template: PodTemplate, instance: str, home: str
) -> dict[str, Any]:
    """The Job object."""
    labels = {
        "app.kubernetes.io/name": "blueno",
        "app.kubernetes.io/component": "job",
        "app.kubernetes.io/managed-by": "blueno",
        "app.kubernetes.io/instance": instance,
        JOB: job_id,
        "blueno.dev/kind": claim.kind,
        "blueno.dev/user": value_of(claim.owner),
        "blueno.dev/team": value_of(claim.team),
    }
    queue = {QUEUE: queue_of(template.queue, claim.team)} if template.queue else {}
    count = claim.resources.workers
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_of(job_id),
            "labels": labels | queue,
            "annotations": {"blueno.dev/name": claim.name, "blueno.dev/owner": claim.owner},
        },
        "spec": {
            "backoffLimit": STARTS - 1,
            "completions": count,
            "parallelism": count,
            "completionMode": "Indexed" if count > 1 else "NonIndexed",
            "suspend": bool(template.queue),
            "ttlSecondsAfterFinished": template.keep,
            "podReplacementPolicy": "Failed",  # never two at a time
            "podFailurePolicy": {"rules": RULES},
            "template": {"metadata": {"labels": labels}, "spec": _pod(folder, claim, template, home)},
        },
    }


def among_themselves(job_id: str, owner: str) -> dict[str, Any]:
    """A network policy that lets the workers of one job reach each other, and goes with its Job.

    Parameters
    ----------
    job_id : str
    owner : str
        The Job's uid.
    """
    its = {"podSelector": {"matchLabels": {JOB: job_id}}}
    name = name_of(job_id)
    whole = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": owner}
    labels = {"app.kubernetes.io/managed-by": "blueno", JOB: job_id}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [whole]},
        "spec": {
            **its,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [its]}],
            "egress": [{"to": [its]}],
        },
    }


def _pod(folder: JobFolder, claim: Claim, template: PodTemplate, home: str) -> dict[str, Any]:
    volumes = [*template.volumes, _shared_memory(claim, template)]
    mounts = [*template.mounts, {"name": "shared-memory", "mountPath": "/dev/shm"}]
    if template.claim:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": template.claim}})
        mounts += _of_claim(claim, template, home)
    if template.secrets:
        volume, mount = secrets_volume(claim.team, template.secrets)
        volumes.append(volume)
        mounts.append(mount)
    own = (
        template.volume
        and USERS in template.shares
        and f"{template.volume}/{USERS}".format(user=value_of(claim.owner))
    )
    environment = {"HOME": own or str(folder.path), **template.environment, "BLUENO_HOME": home}
    spread = claim.resources.workers > 1
    program = "jupyter_blueno.jobs.engine." + ("spread" if spread else "contained")
    container = {
        "name": "job",
        "image": template.image,
        "imagePullPolicy": template.pull_policy,
        "command": [template.python, "-I", "-m", program, str(folder.path)],
        "env": [{"name": name, "value": value} for name, value in environment.items()]
        + (WHERE if spread else []),
        "resources": resources(claim, template),
        "volumeMounts": mounts,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": LEAST,
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        **confined(template),
        "terminationGracePeriodSeconds": int(GRACE) + LEAVING,
        "containers": [container],
        "volumes": volumes,
    }
    if template.fs_group is not None:
        pod["securityContext"] |= {"fsGroup": template.fs_group, "fsGroupChangePolicy": "OnRootMismatch"}
    tolerations = template.tolerations + (template.gpu_tolerations if claim.resources.gpu else [])
    optional = {
        "nodeSelector": template.node_selector,
        "tolerations": tolerations,
        "imagePullSecrets": [{"name": name} for name in template.pull_secrets],
        "runtimeClassName": template.runtime_class,
        "priorityClassName": priority_class(claim.resources.priority, template),
    }
    return pod | {name: value for name, value in optional.items() if value}


def confined(template: PodTemplate) -> dict[str, Any]:
    """What holds for every pod that is made here: nobody's rights in the cluster, and not root."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": template.user,
            "runAsGroup": template.group,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


LEAST = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}  # of a container in it


def _of_claim(claim: Claim, template: PodTemplate, home: str) -> list[dict[str, Any]]:
    """What a job sees of the volume: of its team and its user, and nobody else's."""
    if template.volume is None:
        return [{"name": "data", "mountPath": home}]
    for name in (claim.team, claim.owner):
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise InvalidInput(
                f"'{name[:80]}' cannot be a folder, so its jobs can have none.", code="bad_name"
            )
    below = [one.format(team=claim.team, user=value_of(claim.owner)) for one in template.shares]
    place = template.volume.rstrip("/")
    mounts: list[dict[str, Any]] = [
        {"name": "data", "mountPath": f"{place}/{one}", "subPath": one} for one in below
    ]
    if template.common:
        common = {"mountPath": f"{place}/{template.common}", "subPath": template.common, "readOnly": True}
        mounts.append({"name": "data", **common})
    return mounts


def resources(claim: Claim, template: PodTemplate) -> dict[str, dict[str, str]]:
    """Requests and limits: what is asked for is kept to; without a word, cores may be used that are free."""
    asked = claim.resources
    small = claim.kind in CONDUCTORS
    cpu = asked.cpu or (min(CONDUCTOR_CPU, template.cpu) if small else template.cpu)
    memory = str(memory_of(claim, template))
    requests = {"cpu": _cores(cpu), "memory": memory}
    limits = {"memory": memory}
    if asked.cpu is not None:
        limits["cpu"] = _cores(asked.cpu)
    if asked.gpu:
        requests[template.gpu_resource] = limits[template.gpu_resource] = str(asked.gpu)
    return {"requests": requests, "limits": limits}


def memory_of(claim: Claim, template: PodTemplate) -> int:
    """Bytes that a job may use."""
    if claim.resources.memory is not None:
        return claim.resources.memory
    return min(CONDUCTOR_MEMORY, template.memory) if claim.kind in CONDUCTORS else template.memory


def priority_class(priority: int, template: PodTemplate) -> str | None:
    """The class of the highest priority that is not above the job's; the lowest for those below all."""
    steps = sorted(template.priority_classes)
    if not steps:
        return None
    return template.priority_classes[max((one for one in steps if one <= priority), default=steps[0])]


def _shared_memory(claim: Claim, template: PodTemplate) -> dict[str, Any]:
    limit = int(template.shared_memory * memory_of(claim, template))
    return {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": str(limit)}}


def _cores(count: float) -> str:
    return f"{round(1000 * count)}m"
