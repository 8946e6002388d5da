"""MLflow beside a hub: a server for each team, behind the notebook servers and the service."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.logs import LogRange, get_log
from jupyter_blueno.api.models import ListModels, ModelRef, SetAlias, get_model, list_models, set_alias
from jupyter_blueno.api.models import register_model as register
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.tracking import bring_run, get_tracking
from jupyter_blueno.client.transport import TEAM_HEADER, Http
from jupyter_blueno.errors import NotFound
from jupyter_blueno.hub.mlflow_pages import chooses_place
from jupyter_blueno.jobs.model import TERMINAL, JobSpec
from jupyter_blueno.jobs.testing import until
from jupyter_blueno.tracking.model import Registration
from tests.hub.conftest import SERVICE_TOKEN, Hub
from tests.hub.test_two_people import signed_in
from tests.ui.conftest import execute, picture

PAGE = "/blueno/mlflow/"
API = f"{PAGE}api/2.0/mlflow/"
# What a person's code does who knows MLflow, beside what Blueno notes by itself.
WORK = """
import mlflow, jupyter_blueno as blueno
with mlflow.start_run():
    mlflow.log_param("depth", 3)
    mlflow.log_metric("accuracy", 0.5)
    mlflow.log_text("seen", "note.txt")
for step in range(3):
    blueno.log_metric("loss", 1 / (step + lr))
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def ask(
    address: str, method: str, path: str, token: str | None, body: Any = None, **headers: str
) -> tuple[int, bytes]:
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.netloc, timeout=120)
    said = {"Authorization": f"token {token}"} if token else {}
    told = None if body is None else json.dumps(body)
    connection.request(method, where.path + path, told, said | {"Content-Type": "application/json"} | headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def asked(address: str, path: str, token: str, **query: str) -> Any:
    status, content = ask(address, "GET", f"{API}{path}?{urlencode(query)}", token)
    assert status == 200, content
    return json.loads(content)


def experiments(hub: Hub, person: str) -> set[str]:
    token = hub.sign_in(person)
    found = asked(hub.service, "experiments/search", token, max_results="200")["experiments"]
    return {one["name"] for one in found}


@pytest.fixture(scope="module")
def ran(hub: Hub) -> tuple[str, dict[str, Any]]:
    """A job of alice's that logged to MLflow by itself, and its run."""
    at = hub.beside("alice")
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=WORK, parameters={"lr": 0.5})
    at.call(submit_job, SubmitJob(job_id, "trained", spec))
    worked(hub, at, job_id)
    found = Http(hub.service, hub.sign_in("alice"), timeout=180).call(bring_run, JobRef(job_id))
    assert found.run_id
    return job_id, asked(hub.service, "runs/get", hub.sign_in("alice"), run_id=found.run_id)["run"]


def worked(hub: Hub, at: Any, job_id: str) -> None:
    """Wait for the job's end: the first one waits until MLflow has started."""
    deadline = time.monotonic() + 300
    while (job := at.call(get_job, JobRef(job_id))).state not in TERMINAL:
        assert time.monotonic() < deadline, (job, hub.log())
        time.sleep(0.2)
    said = at.call(get_log, LogRange(job_id)).body
    assert job.state == "SUCCEEDED", (job.reason, said[-2000:], hub.log())


def pairs(run: dict[str, Any], of: str) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in run["data"].get(of, [])}


def test_a_job_logs_with_its_own_token_and_is_one_run(hub: Hub, ran: tuple[str, dict[str, Any]]) -> None:
    job_id, run = ran
    assert run["info"]["status"] == "FINISHED"
    assert pairs(run, "params") == {"depth": "3", "lr": "0.5"}
    assert pairs(run, "metrics") == {"accuracy": 0.5, "loss": 1 / 2.5}
    tags = pairs(run, "tags")
    assert tags["blueno.job"] == job_id
    assert tags["mlflow.user"] == "alice"
    assert f"/hub/user-redirect/lab?blueno-job={job_id}" in tags["mlflow.note.content"]
    folder = Path(run["info"]["artifact_uri"])
    assert folder.is_relative_to(hub.volume / "teams" / "radiology" / "mlflow")
    assert (folder / "note.txt").read_text() == "seen"


def test_the_page_comes_through_the_persons_own_server(hub: Hub, ran: tuple[str, dict[str, Any]]) -> None:
    token = hub.sign_in("alice")
    hub.start_server("alice")
    own = hub.server_of("alice", token)
    assert own.call(get_tracking, Nothing()).store == f"{hub.service}/blueno/mlflow"
    status, page = ask(own.url, "GET", PAGE, token)
    assert (status, b'id="root"' in page) == (200, True)
    run_id = ran[1]["info"]["run_id"]
    status, note = ask(own.url, "GET", f"{PAGE}get-artifact?path=note.txt&run_uuid={run_id}", token)
    assert (status, note) == (200, b"seen")
    # Written through it, too: what the pages do when somebody gives a run a tag.
    tag = {"run_id": run_id, "key": "seen-by", "value": "alice"}
    assert ask(own.url, "POST", f"{API}runs/set-tag", token, tag, Origin=hub.url)[0] == 200
    again = asked(hub.service, "runs/get", token, run_id=run_id)["run"]
    assert pairs(again, "tags")["seen-by"] == "alice"


def test_another_team_has_another_mlflow(hub: Hub, ran: tuple[str, dict[str, Any]]) -> None:
    run_id = ran[1]["info"]["run_id"]
    assert "trained" in experiments(hub, "bob")
    assert "trained" not in experiments(hub, "carol")
    carol = hub.sign_in("carol")
    assert ask(hub.service, "GET", f"{API}runs/get?run_id={run_id}", carol)[0] == 404
    assert ask(hub.service, "GET", PAGE, carol, **{TEAM_HEADER: "radiology"})[0] == 403
    with pytest.raises(NotFound):
        hub.asks(carol).call(bring_run, JobRef(ran[0]))
    # Nor by a place: MLflow would read there in the server's name.
    other = str(hub.volume / "teams" / "radiology")
    for name in ("artifact_location", "artifactLocation"):
        status, said = ask(hub.service, "POST", f"{API}experiments/create", carol, {"name": "x", name: other})
        assert (status, b"place_not_yours" in said) == (403, True)


def test_nobody_gets_in_without_a_name(hub: Hub, ran: tuple[str, dict[str, Any]]) -> None:
    over = f"blueno-job-{ran[0]}-{'0' * 64}"
    for token in (None, "guessed", over, SERVICE_TOKEN):
        assert ask(hub.service, "GET", PAGE, token)[0] == 403
        assert ask(hub.service, "POST", f"{API}experiments/create", token, {"name": "x"})[0] == 403
    hub.start_server("alice")
    status, _ = ask(f"{hub.url}/user/alice", "GET", PAGE, hub.sign_in("bob"))
    assert status in (302, 403)


def test_models_are_registered_found_and_kept_apart(hub: Hub, ran: tuple[str, dict[str, Any]]) -> None:
    home = hub.volume / "teams" / "radiology"
    staged = uuid.uuid4().hex
    (home / "mlflow" / "incoming" / staged).mkdir(parents=True)
    (home / "mlflow" / "incoming" / staged / "weights").write_bytes(b"abc")
    alice = Http(hub.service, hub.sign_in("alice"), timeout=180)
    made = alice.call(register, Registration("digits", staged, ran[0]))
    (version,) = made.versions
    assert (version.owner, version.job_id, version.metrics["accuracy"]) == ("alice", ran[0], 0.5)
    assert (Path(version.source) / "weights").read_bytes() == b"abc"
    assert Path(version.source).is_relative_to(home)
    alice.call(set_alias, SetAlias("digits", "production", 1))
    (found,) = hub.asks(hub.sign_in("bob")).call(list_models, ListModels()).models
    assert (found.name, found.versions[0].aliases) == ("digits", ["production"])
    carol = hub.asks(hub.sign_in("carol"))
    assert carol.call(list_models, ListModels()).models == []
    with pytest.raises(NotFound):
        carol.call(get_model, ModelRef("digits"))


def test_a_model_that_a_job_registers_by_itself_is_found(hub: Hub) -> None:
    code = """
import mlflow
with mlflow.start_run() as run:
    mlflow.log_text("weights", "model/weights.txt")
    client = mlflow.MlflowClient()
    client.create_registered_model("by itself")
    client.create_model_version("by itself", f"{run.info.artifact_uri}/model", run.info.run_id)
"""
    at = hub.beside("alice")
    job_id = uuid.uuid4().hex
    at.call(submit_job, SubmitJob(job_id, "registers", JobSpec("cell", source=code)))
    worked(hub, at, job_id)
    found = until(
        lambda: [one for one in at.call(list_models, ListModels()).models if one.name == "by itself"],
        "the model",
    )
    assert found[0].versions[0].job_id == job_id


def test_what_chooses_a_place_is_seen_however_it_is_said() -> None:
    assert chooses_place(b'{"name": "x", "artifact_location": "/etc"}')
    assert chooses_place(b'{"artifact\\u004cocation": "/etc"}')
    assert chooses_place(json.dumps(json.dumps({"artifact_location": "/etc"})).encode())
    assert not chooses_place(b'{"name": "x", "artifact_location": ""}')
    assert not chooses_place(b'{"tags": [{"key": "artifact_location", "value": "x"}]}')
    assert not chooses_place(b"\x00 no JSON")


def test_the_tab_and_a_jobs_run_are_opened_by_clicks(
    hub: Hub, browser: Browser, ran: tuple[str, dict[str, Any]]
) -> None:
    page = signed_in(browser, hub, "alice")
    execute(page, "blueno:open-job", {"id": ran[0]})
    page.locator(f"#jp-blueno-job-{ran[0]}").get_by_role("button", name="MLflow").click()
    frame = page.frame_locator("#jp-blueno-mlflow iframe")

    def ready() -> None:
        expect(frame.get_by_text("accuracy").first).to_be_visible(timeout=90_000)
        expect(frame.get_by_text("trained").first).to_be_visible()

    ready()
    picture(page, "hub-mlflow", ready)
    page.context.close()
