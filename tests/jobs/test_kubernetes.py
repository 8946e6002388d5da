"""What Jobs and pods say, read without a cluster; with one: `tests/cluster/test_jobs.py`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs import backends
from jupyter_blueno.jobs.backends.kubernetes import objects, reading, words
from jupyter_blueno.jobs.backends.kubernetes.objects import PodTemplate
from jupyter_blueno.jobs.backends.kubernetes.settings import template_of
from jupyter_blueno.jobs.backends.kubernetes.shapes import JobObject, PodObject, quantity
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import judge
from jupyter_blueno.jobs.model import Claim, JobSpec, Resources
from jupyter_blueno.jobs.sending import plan

JOB_ID = "0123456789abcdef0123456789abcdef"
QUOTA = (
    'Error creating: pods "blueno-1" is forbidden: exceeded quota: team, requested: requests.memory=4Gi, '
    "used: requests.memory=6Gi, limited: requests.memory=8Gi"
)


def pod(phase: str = "Pending", container: dict[str, Any] | None = None, **status: Any) -> PodObject:
    states = [{"name": "job", "state": container}] if container else []
    content = {
        "metadata": {"name": "blueno-x-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "nodeName": "node7",
            "containers": [
                {"name": "job", "image": "registry/team:1", "resources": {"limits": {"memory": "300M"}}}
            ],
        },
        "status": {"phase": phase, "containerStatuses": states, **status},
    }
    return msgspec.convert(content, PodObject)


def scheduled(seconds_ago: float) -> dict[str, Any]:
    then = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return {"conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": then}]}


def job(**status: Any) -> JobObject:
    return msgspec.convert({"metadata": {"name": "blueno-x"}, "status": status}, JobObject)


def over(reason: str) -> JobObject:
    return job(conditions=[{"type": "Failed", "status": "True", "reason": reason}])


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("500m", 0.5), ("2Gi", 2**31), ("1k", 1000), ("1e3", 1000), ("", 0), ("Gi", 0)],
)
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No …",
            "the only node cannot take it now: it has too little free memory.",
        ),
        (
            "0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 "
            "nodes are available: 1 No preemption victims found for incoming pod.",
            "the only node cannot take it now: it has too little free memory.",
        ),
        (
            "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint "
            "{nvidia.com/gpu: present}. preemption: not eligible",
            "none of the 3 nodes can take it now: 1 has too few free GPUs, 2 are kept for other work "
            "(nvidia.com/gpu=present).",
        ),
        (
            "0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) didn't match Pod's node "
            "affinity/selector.",
            "1 is closed for new work, 1 is of another kind than was asked for.",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.",
            "it is not answering.",
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            "its volume is not there yet",
        ),
        ('persistentvolumeclaim "home" not found', "there is no volume claim 'home'"),
        ("", "It waits for a place in the cluster."),
    ],
)
def test_what_the_scheduler_says(message: str, sentence: str) -> None:
    assert sentence in words.unscheduled(message)


def test_what_a_quota_says() -> None:
    said = words.refused(QUOTA)
    assert "The quota 'team' allows 8.59 GB of memory in all, of which 6.44 GB are in use" in said
    assert "it asks for 4.29 GB" in said
    other = words.refused('pods "x" is forbidden: violates PodSecurity "restricted:latest": host namespaces')
    assert 'violates PodSecurity "restricted:latest"' in other


def test_waiting_starting_running() -> None:
    assert reading.place(job(), [], False).phase == "queued"
    assert reading.place(job(), [pod()], False).phase == "queued"
    assert reading.place(job(), [pod(**scheduled(1))], False) == ("starting", None, None)
    slow = reading.place(job(), [pod(**scheduled(60))], False)
    assert slow.phase == "starting"
    assert "node7" in (slow.reason or "")
    assert reading.place(job(), [pod("Running")], False).phase == "starting"
    assert reading.place(job(), [pod("Running")], True) == ("running", None, None)


def test_an_image_that_is_not_there_is_hopeless_soon() -> None:
    trouble = {"waiting": {"reason": "ImagePullBackOff", "message": 'failed: "registry/team:1": not found'}}
    place = reading.place(job(), [pod(container=trouble, **scheduled(60))], False)
    assert place.patience == reading.HOPELESS_PATIENCE
    assert "The image 'registry/team:1' cannot be fetched" in (place.reason or "")
    busy = {"waiting": {"reason": "ErrImagePull", "message": "connection reset by peer"}}
    assert reading.place(job(), [pod(container=busy, **scheduled(60))], False).patience == (
        reading.IMAGE_PATIENCE
    )


def test_a_pod_that_was_taken_away_leaves_it_running() -> None:
    place = reading.place(job(), [pod("Failed", {"terminated": {"exitCode": 75}})], True)
    assert place.phase == "running"
    assert "goes on elsewhere" in (place.reason or "")


@pytest.mark.parametrize(
    ("end", "begun", "state", "words"),
    [
        (pod("Failed", {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), True, "FAILED", "600 MB"),
        (pod("Failed", reason="Evicted", message="ephemeral storage"), True, "FAILED", "ephemeral storage"),
        (pod("Failed", {"terminated": {"exitCode": 137}}), True, "LOST", "killed on the node node7"),
        (
            pod("Failed", {"terminated": {"exitCode": 1, "message": "a\nno folder"}}),
            False,
            "FAILED",
            "no folder",
        ),
        (pod("Failed", {"terminated": {"exitCode": 1}}), True, "LOST", "exit code 1"),
        (pod("Failed", reason="OutOfcpu", message="Node didn't have enough"), False, "LOST", "have enough"),
    ],
)
def test_ends_that_nobody_wrote_down(
    tmp_path: Path, end: PodObject, begun: bool, state: str, words: str
) -> None:
    if begun:
        (tmp_path / "status.json").touch()
    record = reading.ended(over("BackoffLimitExceeded"), [end], JobFolder(tmp_path))
    seen = reading_of(record)
    assert seen.state == state
    assert words in (seen.reason or "")


def reading_of(record: Any) -> Any:
    from jupyter_blueno.jobs.lifecycle import Observation

    return judge("RUNNING", "run", Observation("ended", record=record))


def test_a_job_that_was_deleted_by_others_is_lost(tmp_path: Path) -> None:
    seen = reading_of(reading.ended(None, [], JobFolder(tmp_path)))
    assert seen.state == "LOST"
    assert "deleted from the cluster by somebody, before it began" in (seen.reason or "")


# -- the Job that is made ----------------------------------------------------------


def made(template: PodTemplate, owner: str = "alice", **resources: Any) -> dict[str, Any]:
    claim = Claim(owner, "train", "cell", Resources(**resources), time.time(), JOB_ID, "team")
    return objects.job(JOB_ID, JobFolder(Path("/home/jobs/x")), claim, template, "blueno-1", "/home")


def test_a_pod_gets_what_was_asked_for_and_no_rights() -> None:
    template = PodTemplate("image", claim="home", priority_classes={-10: "low", 0: "normal", 5: "high"})
    found = made(template, cpu=1.5, memory=10**9, gpu=1, priority=3)
    spec = found["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert found["metadata"]["name"] == f"blueno-{JOB_ID}"
    assert "ownerReferences" not in found["metadata"]
    asked = {"cpu": "1500m", "memory": "1000000000", "nvidia.com/gpu": "1"}
    assert container["resources"] == {"requests": asked, "limits": asked}
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["priorityClassName"] == "normal"
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    assert {"name": "data", "mountPath": "/home"} in container["volumeMounts"]


def test_a_pod_sees_the_folders_of_its_team_and_user_alone() -> None:
    found = made(PodTemplate("image", claim="blueno", volume="/blueno"))
    mounts = found["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    seen = {one["mountPath"]: one["subPath"] for one in mounts if one["name"] == "data"}
    assert seen == {f"/blueno/{one}": one for one in ("teams/team", "shared/team", "home/alice", "datasets")}
    assert [one["mountPath"] for one in mounts if one.get("readOnly")] == ["/blueno/datasets"]
    for name in ("..", "../bob", "", "a/b"):
        with pytest.raises(InvalidInput, match="cannot be a folder"):
            made(PodTemplate("image", claim="blueno", volume="/blueno"), owner=name)


def test_without_a_word_it_gets_the_usual_and_free_cores() -> None:
    found = made(PodTemplate("image", cpu=0.5, memory=10**9))
    resources = found["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources == {
        "requests": {"cpu": "500m", "memory": "1000000000"},
        "limits": {"memory": "1000000000"},
    }


def test_names_that_are_no_labels_stay_apart() -> None:
    plain = [objects.value_of(one) for one in ("alice", "Alice", "älice", "a lice", "a@b.c", "", "x" * 300)]
    assert plain[0] == "alice"
    assert len(set(plain)) == len(plain)
    assert all(len(one) <= 63 and one[0].isalnum() and one[-1].isalnum() for one in plain)


def test_with_a_queue_it_begins_suspended() -> None:
    found = made(PodTemplate("image", queue="team"))
    assert found["spec"]["suspend"] is True
    assert found["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"


# -- what is asked for where the pods are not ---------------------------------------


def test_a_python_that_is_only_in_the_image_is_asked_for_there(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)")
    config = Config(home=str(tmp_path), roots=[str(tmp_path)], jobs_backend="kubernetes")
    asked = "/opt/elsewhere/bin/python"
    found = plan.of(config, JOB_ID, JobSpec("cell", source="1", python=asked, folder=str(tmp_path)))
    assert found["argv"][0] == asked
    found = plan.of(config, JOB_ID, JobSpec("command", command=["python3", "train.py"], folder=str(tmp_path)))
    assert found["argv"][0] == "python3"
    with pytest.raises(InvalidInput, match="no Python at 'elsewhere'"):
        plan.of(config, JOB_ID, JobSpec("cell", source="1", python="elsewhere", folder=str(tmp_path)))


# -- settings ------------------------------------------------------------------------


def test_settings_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="BLUENO_JOBS_PODS"):
        backends.of(Config(home=str(tmp_path), jobs_backend="kubernetes"))
    (tmp_path / "pods.json").write_text('{"image": "team:1", "colour": "blue"}')
    with pytest.raises(InvalidInput, match="colour"):
        template_of(Config(home=str(tmp_path), jobs_pods=str(tmp_path / "pods.json")))
    (tmp_path / "pods.json").write_text('{"image": "team:1", "priority_classes": {"0": "normal"}}')
    assert template_of(Config(home=str(tmp_path), jobs_pods=str(tmp_path / "pods.json"))).image == "team:1"
