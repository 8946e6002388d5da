"""The service reads nothing that a request names, and follows no link out of a team's folder."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from jupyter_blueno.api.catalog import (
    CreateDataset,
    DataRef,
    create_dataset,
    load_data,
    register_sample,
)
from jupyter_blueno.api.environments import BuildEnvironment, build_environment
from jupyter_blueno.api.images import PictureRef, get_picture
from jupyter_blueno.api.ingest import finish_version, open_version, start_ingest
from jupyter_blueno.api.jobs import (
    DescribeWork,
    JobRef,
    LaunchJobs,
    RerunJob,
    SubmitJob,
    cancel_job,
    delete_job,
    get_job,
    get_workbench,
    launch_jobs,
    list_jobs,
    preview_work,
    rerun_job,
    submit_job,
)
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound
from jupyter_blueno.ingest.model import (
    BeginVersion,
    FileSource,
    FinishVersion,
    FolderSource,
    RegisterSample,
    StartIngest,
)
from jupyter_blueno.jobs import intent
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import TERMINAL, JobPage, JobSpec
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import Hub
from tests.hub.test_service import ended

pytestmark = pytest.mark.usefixtures("nothing_looked_at")


def looked_at(hub: Hub) -> list[str]:
    """What the service opened outside of the teams' folders, and what it started."""
    lines = (hub.folder / "looked-at").read_text().splitlines()
    return [line for line in lines if "jobs/engine/dispatch.py" not in line]  # jobs are processes here


def named(hub: Hub) -> dict[str, str]:
    """Ways to name a file of carol's, as alice might."""
    secret = hub.volume / "home" / "carol" / "secret.py"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("raise SystemExit('seen')")
    own = hub.volume / "home" / "alice"
    own.mkdir(parents=True, exist_ok=True)
    link = own / "link.py"
    if not link.is_symlink():
        link.symlink_to(secret)
    other = hub.volume / "teams" / "pathology" / "data" / "secret.py"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text("raise SystemExit('seen')")
    return {
        "another person's": str(secret),
        "upwards": f"{own}/../carol/secret.py",
        "a link": str(link),
        "another team's": str(other),
    }


@pytest.mark.parametrize("way", ["another person's", "upwards", "a link", "another team's"])
def test_the_service_refuses_to_read_what_somebody_names(hub: Hub, way: str) -> None:
    path = named(hub)[way]
    folder = str(Path(path).parent)
    alice = hub.asks(hub.sign_in("alice"))
    new = uuid.uuid4().hex
    command = JobSpec(kind="command", command=["python", path])
    asked: list[tuple[Operation[Any, Any], Any]] = [
        (submit_job, SubmitJob(new, "script", command)),
        (submit_job, SubmitJob(new, "files", JobSpec(kind="cell", source="1", files=[path]))),
        (submit_job, SubmitJob(new, "folder", JobSpec(kind="cell", source="1", folder=folder))),
        (
            submit_job,
            SubmitJob(new, "modules", JobSpec(kind="cell", source="import secret", search=[folder])),
        ),
        (submit_job, SubmitJob(new, "python", JobSpec(kind="cell", source="1", python=path))),
        (preview_work, DescribeWork("script", command)),
        (build_environment, BuildEnvironment(new, [f"-r {path}"], path)),
        (start_ingest, StartIngest("theirs", FolderSource(folder))),
        (start_ingest, StartIngest("theirs", FileSource([path]))),
        (register_sample, RegisterSample(1, "theirs", Path(path).as_uri())),
        (load_data, DataRef(Path(path).as_uri())),
        (get_picture, PictureRef(path=path)),
        (get_workbench, JobRef(new)),
        (rerun_job, RerunJob(job_id=new, command_line=f"python {path}")),
    ]
    for operation, ask in asked:
        with pytest.raises(NotFound, match="reads no files that somebody names") as refused:
            alice.call(operation, ask)
        assert refused.value.code == "files_elsewhere"
    assert looked_at(hub) == []


@pytest.mark.parametrize("way", ["another person's", "upwards", "a link", "another team's"])
def test_what_an_intent_names_is_shown_and_not_read(hub: Hub, way: str) -> None:
    """The job is one that was laid out; its row says what it likes."""
    path = named(hub)[way]
    at, service = hub.beside("alice"), hub.asks(hub.sign_in("alice"))
    new = uuid.uuid4().hex
    spec = JobSpec(kind="command", command=["true"])
    at.context.platform.staging.lay_out(new, "named", spec, "0" * 64)
    said = intent.of(new, "named", JobSpec(kind="command", command=["python", path]), "0" * 64)
    said = intent.Intent(
        **{name: getattr(said, name) for name in ("id", "name", "digest", "kind", "command")},
        folder=str(Path(path).parent), python=path, requirements=[f"-r {path}"],
    )  # fmt: skip
    (job,) = service.call(launch_jobs, LaunchJobs([said])).jobs
    assert ended(service, job.id).state == "SUCCEEDED"
    begun = service.call(open_version, BeginVersion(f"rooted {new}", root=str(Path(path).parent)))
    service.call(finish_version, FinishVersion(begun.version_id, "only tried"))
    assert looked_at(hub) == []


def test_an_intent_that_was_not_laid_out_or_says_more_is_refused(hub: Hub) -> None:
    service = hub.asks(hub.sign_in("alice"))
    said = intent.of(uuid.uuid4().hex, "nothing", JobSpec(kind="command", command=["true"]), "0" * 64)
    with pytest.raises(InvalidInput, match="Nothing is laid out"):
        service.call(launch_jobs, LaunchJobs([said]))
    for more in ({"files": ["/etc/passwd"]}, {"source": "1"}, {"pod": {"hostNetwork": True}}):
        with pytest.raises(InvalidInput, match="unknown field"):
            raw(service, "/work/launch", {"jobs": [{**told(said), **more}]})
    wrong = [{**told(said), "id": "../x"}, {**told(said), "digest": "x"}, {**told(said), "kind": "flow"}]
    for one in wrong:
        with pytest.raises(InvalidInput):
            raw(service, "/work/launch", {"jobs": [one]})


def told(said: intent.Intent) -> dict[str, Any]:
    return {
        "id": said.id,
        "name": said.name,
        "digest": said.digest,
        "kind": said.kind,
        "command": said.command,
    }


def raw(service: Any, path: str, body: Any) -> None:
    """A request as no client of ours makes it."""

    class Raw:
        method, raw_body, path_fields, json_body = "POST", None, (), True
        answer = Any

    Raw.path = path  # type: ignore[attr-defined]
    service.call(Raw, body)


def test_a_job_s_folder_that_leads_to_another_team_is_not_there(hub: Hub) -> None:
    """Members of a team may put links into its folder."""
    carol = hub.beside("carol", "pathology")
    theirs = carol.call(submit_job, SubmitJob(uuid.uuid4().hex, "theirs", JobSpec(kind="cell", source="1")))
    ended(hub.asks(hub.sign_in("carol")), theirs.id)
    other = JobFolder.of(carol.context.config, theirs.id).path
    service = hub.asks(hub.sign_in("alice"))
    mine = hub.volume / "teams" / "radiology" / "jobs"
    mine.mkdir(parents=True, exist_ok=True)
    new = uuid.uuid4().hex
    (mine / new).symlink_to(other)
    said = intent.of(new, "link", JobSpec(kind="cell", source="1"), "0" * 64)
    with pytest.raises(InvalidInput, match="Nothing is laid out"):
        service.call(launch_jobs, LaunchJobs([said]))
    assert new not in [job.id for job in service.call(list_jobs, JobPage()).jobs]


def test_a_file_of_a_job_that_is_a_link_to_another_team_s_is_not_read(hub: Hub) -> None:
    secret = hub.volume / "teams" / "pathology" / "failure.json"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text('{"message": "SECRET of pathology"}')
    at, service = hub.beside("alice"), hub.asks(hub.sign_in("alice"))
    spec = JobSpec(kind="command", command=["sleep", "1000"])
    job = at.call(submit_job, SubmitJob(uuid.uuid4().hex, "links", spec))
    folder = JobFolder.of(at.context.config, job.id).path
    until(lambda: service.call(get_job, JobRef(job.id)).state == "RUNNING", "the job to run")
    for name in ("progress.json", "metrics.json", "failure.json", "ended.json", "attempt.json"):
        (folder / name).unlink(missing_ok=True)
        os.symlink(secret, folder / name)
    service.call(cancel_job, JobRef(job.id))
    until(lambda: service.call(get_job, JobRef(job.id)).state in TERMINAL, "the job to end")
    assert "SECRET" not in repr(service.call(get_job, JobRef(job.id)))
    assert service.call(delete_job, JobRef(job.id)).done
    assert secret.read_text()


def test_a_notebook_server_reads_only_what_is_its_person_s(hub: Hub) -> None:
    """On one machine it may; mounts keep it from more on Kubernetes. Its roots hold here, too."""
    at = hub.beside("alice")
    made = at.call(create_dataset, CreateDataset(f"paths {uuid.uuid4().hex}"))
    for path in named(hub).values():
        with pytest.raises(BluenoError, match="outside the folders"):
            at.call(register_sample, RegisterSample(made.id, "theirs", Path(path).as_uri()))
