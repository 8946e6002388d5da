"""The chart while its parts are killed and replaced, its node is drained, and it is installed again."""

from __future__ import annotations

import json
import os
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError, Unavailable
from jupyter_blueno.hub.cluster import USER
from jupyter_blueno.jobs.model import Job, JobSpec, Resources
from tests.cluster.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAITS = """\
import os, time
print("begun", flush=True)
while not os.path.exists(os.environ["HOME"] + "/{name}"):
    time.sleep(0.1)
"""
# Writes down when it begins and when it is done; fails where it is there twice.
ALONE = """\
import fcntl, os, time
home, rank = os.environ["HOME"], os.environ.get("RANK", "0")
record = open(f"{home}/{name}-{rank}", "a")
fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("begun", os.environ.get("BLUENO_ATTEMPT", "1"), file=record, flush=True)
while not os.path.exists(f"{home}/{gate}"):
    time.sleep(0.1)
print("done", file=record, flush=True)
"""
# In the notebook's pod: tell its kernel something.
TELL = """
import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=f"/tmp/jupyter-runtime/kernel-{sys.argv[1]}.json")
client.load_connection_file()
client.start_channels()
client.wait_for_ready(60)
client.execute_interactive(sys.argv[2], timeout=60)
"""


def kernel(at: Http) -> str:
    """Start a kernel as Lab does; its id."""
    request = urllib.request.Request(
        f"{at.url}/api/kernels", b"{}", {"Authorization": f"token {at.token}"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        made: str = json.loads(response.read())["id"]
    return made


def submitted(at: Http, gate: str) -> str:
    spec = JobSpec("cell", source=WAITS.replace("{name}", gate))
    return at.call(submit_job, SubmitJob(uuid.uuid4().hex, gate, spec)).id


def known(chart: Installation, at: Http, job_id: str, state: str) -> Job:
    """The job once it is in this state, whoever has to come back before that can be told."""
    last: list[object] = []

    def told() -> Job | None:
        try:
            found = at.call(get_job, JobRef(job_id))
        except BluenoError as error:
            last[:] = [error]
            return None
        last[:] = [found]
        return found if found.state == state else None

    job: Job = chart.cluster.until(told, lambda: f"{last}\n{chart.says()}")
    return job


def only_pod(chart: Installation, job_id: str) -> str:
    """The job's one pod."""
    (one,) = chart.pods(**{"blueno.dev/job": job_id})
    assert one["status"]["phase"] in {"Pending", "Running"}  # the kubelet says so after the job itself
    # The hub has Jobs of its own there, when somebody leaves.
    assert sum(job["metadata"]["labels"].get("blueno.dev/job") == job_id for job in chart.jobs()) == 1
    uid: str = one["metadata"]["uid"]
    return uid


def test_work_goes_on_while_all_else_is_killed_in_turn_and_upgraded(
    chart: Installation, request: pytest.FixtureRequest
) -> None:
    alice = chart.start_server("alice")
    started = kernel(alice)

    def told(code: str) -> str:
        return chart.runs(chart.users, "jupyter-alice", "python", "-c", TELL, started, code).strip()

    assert told("remembered = 6") == ""
    gate = f"gate-{uuid.uuid4().hex[:6]}"
    path = chart.volume / "home" / "alice" / gate
    request.addfinalizer(path.touch)  # whatever happens: what runs would count in other tests
    job = submitted(alice, gate)
    known(chart, alice, job, "RUNNING")
    before = only_pod(chart, job)

    for part in ("service", "proxy", "hub", "database"):
        selector = f"--selector=app.kubernetes.io/component={part}"
        # Not by force: then the next PostgreSQL may begin while the last one still writes.
        chart.cluster.run("delete", "pod", selector, "--namespace", chart.namespace, "--grace-period=1")
        # While it is away: the kernel answers.
        assert told("print(remembered * 7)") == "42", part
        chart.ready(part)
        known(chart, alice, job, "RUNNING")
        assert only_pod(chart, job) == before

    # What was submitted while the database was coming back is not lost either.
    second = submitted(alice, gate)
    known(chart, alice, second, "RUNNING")

    # Other settings, by an upgrade: passwords stay, and so does what runs.
    chart.having(networkPolicies={"enabled": False}, hub={"idle": {"timeout": 7200}})
    assert told("print(remembered * 7)") == "42"
    assert only_pod(chart, job) == before

    path.touch()
    os.chown(path, USER, USER)
    for one in (job, second):
        ended = known(chart, alice, one, "SUCCEEDED")
        assert ended.attempt == 1
        assert alice.call(get_log, LogRange(one, 0, 1000)).body == b"begun\n"


@contextmanager
def drained(chart: Installation) -> Iterator[None]:
    """The node without anything of the chart, taken from it as `kubectl drain` does, and taking nothing."""
    cluster = chart.cluster
    found = [(at, pod) for at in (chart.users, chart.namespace) for pod in cluster.get(at, "pods")["items"]]
    (node,) = {pod["spec"]["nodeName"] for _, pod in found}
    cluster.run("cordon", node)
    try:
        for namespace, pod in found:
            meta = {"name": pod["metadata"]["name"], "namespace": namespace}
            eviction = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta})
            path = f"/api/v1/namespaces/{namespace}/pods/{meta['name']}/eviction"
            cluster.run("create", "--raw", path, "--filename=-", given=eviction)

        def there() -> list[object]:
            pods = [pod for at in (chart.users, chart.namespace) for pod in cluster.get(at, "pods")["items"]]
            return [
                one["metadata"]["name"]
                for one in pods
                if "nodeName" in one["spec"] and one["status"]["phase"] in ("Pending", "Running")
            ]

        cluster.until(lambda: not there(), lambda: f"{there()}\n{chart.says()}")
        yield
    finally:
        cluster.run("uncordon", node)


def test_a_node_that_is_drained_and_comes_back_has_lost_nothing(
    chart: Installation, request: pytest.FixtureRequest
) -> None:
    chart.stop_server("bob")  # another test's
    alice = chart.start_server("alice")
    kernel(alice)
    gate = f"gate-{uuid.uuid4().hex[:6]}"
    home = chart.volume / "home" / "alice"
    request.addfinalizer((home / gate).touch)

    def begun(name: str, workers: int) -> str:
        code = ALONE.replace("{name}", name).replace("{gate}", gate)
        spec = JobSpec("cell", source=code, resources=Resources(workers=workers))
        return alice.call(submit_job, SubmitJob(uuid.uuid4().hex, name, spec)).id

    def said(name: str) -> list[str]:
        return (home / name).read_text().splitlines() if (home / name).exists() else []

    one, two = begun(f"{gate}-one", 1), begun(f"{gate}-two", 2)
    ranks = [f"{gate}-one-0", f"{gate}-two-0", f"{gate}-two-1"]
    chart.cluster.until(lambda: all(said(rank) == ["begun 1"] for rank in ranks), chart.says)

    with drained(chart):
        assert {job["metadata"]["name"] for job in chart.jobs()} >= {f"blueno-{one}", f"blueno-{two}"}
        assert [said(rank) for rank in ranks] == [["begun 1"]] * 3

    chart.ready()
    again = chart.start_server("alice")  # what was computed in its kernels is gone, and they can begin anew
    kernel(again)
    chart.cluster.until(lambda: all(len(said(rank)) > 1 for rank in ranks), chart.says)
    for job in (one, two):
        known(chart, again, job, "RUNNING")
    (home / gate).touch()
    for job in (one, two):
        ended = known(chart, again, job, "SUCCEEDED")
        assert ended.attempt > 1
        log = again.call(get_log, LogRange(job, 0, 1000)).body.decode()
        assert "was taken from the machine that it ran on. The next begins." in log
    assert [said(rank).count("done") for rank in ranks] == [1, 1, 1]


RESCUE = {"name": "Make room", "slug": "rescue", "rescue": True, "memory": {"limit": "1Gi"}}


def test_who_has_not_a_byte_left_gets_in_and_makes_room(release: Installation, tmp_path: Path) -> None:
    chart = release
    chart.having(profiles=[*chart.values["profiles"], RESCUE])
    chart.start_server("dora")  # which makes the folders
    chart.stop_server("dora")
    home, team = (chart.volume / one for one in ("home/dora", "teams/team"))
    assert chart.cluster.node is not None
    with ExitStack() as disks:  # which the service, there before, does not see
        for place in (home, team):
            disks.enter_context(chart.cluster.node.disk(tmp_path / place.name, place, "4M"))
            os.chown(place, USER, USER)
            place.chmod(0o2775)
            with suppress(OSError), open(place / "large", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            os.chown(place / "large", USER, USER)
        try:
            dora = chart.start_server("dora", "rescue")
            kernel(dora)
            with pytest.raises(Unavailable, match="No space left on device"):
                submitted(dora, "more")
            for name in ("home/dora", "teams/team"):
                code = f"cd /blueno/{name} && rm large && echo room > small && cat small"
                assert chart.runs(chart.users, "jupyter-dora", "sh", "-c", code) == "room\n"
        finally:
            chart.stop_server("dora")


def test_what_was_uninstalled_by_mistake_is_there_again_after_an_installation(release: Installation) -> None:
    chart = release
    alice = chart.start_server("alice")
    job = alice.call(submit_job, SubmitJob(uuid.uuid4().hex, "kept", JobSpec("command", command=["true"]))).id
    known(chart, alice, job, "SUCCEEDED")
    dumped = chart.runs(chart.namespace, f"{chart.name}-database-0", "pg_dumpall", "--username", "postgres")
    assert "CREATE DATABASE hub" in dumped  # the guide's backup
    assert job in dumped
    chart.helm("uninstall", "--wait")
    chart.helm("install")
    chart.given.clear()
    chart.ready()
    again = chart.start_server("alice")  # the address is another one, the server the same
    assert known(chart, again, job, "SUCCEEDED").owner == "alice"
