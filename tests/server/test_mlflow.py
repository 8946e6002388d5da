"""MLflow behind Jupyter's port: started by its first page, for those who are signed in."""

from __future__ import annotations

import http.client
import json
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jupyter_blueno as blueno
from jupyter_blueno.api import jobs, status, tracking
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.jobs.model import TERMINAL, Job, JobPage, JobSpec, Resources
from jupyter_blueno.jobs.testing import until
from tests.servers import TOKEN, Lab

CELL = """
import jupyter_blueno as blueno
for step in range(5):
    blueno.log_metric("loss", 1 / (step + lr))
"""
OWN = """
import mlflow
mlflow.log_param("depth", 3)
mlflow.log_metric("accuracy", 0.5)
"""
PAGE = "/blueno/mlflow/"
SIGNED_IN = {"Authorization": f"token {TOKEN}"}


@pytest.fixture
def lab_session(lab: Lab) -> Iterator[None]:
    blueno.use(transport=Http(lab.url, TOKEN, timeout=120))
    yield
    blueno.use()


def ask(
    lab: Lab, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=120)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_page_says_that_it_starts_and_then_is_mlflow(lab: Lab) -> None:
    status, text = ask(lab, "GET", PAGE, SIGNED_IN)
    assert status == 200
    assert "MLflow is starting" in text or 'id="root"' in text
    until(lambda: 'id="root"' in ask(lab, "GET", PAGE, SIGNED_IN)[1], "MLflow's page")
    status, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/experiments/search?max_results=100", SIGNED_IN)
    assert status == 200
    assert "Default" in [one["name"] for one in json.loads(text)["experiments"]]
    sockets = lab.home / "mlflow" / "socket"
    assert sockets.stat().st_mode & 0o777 == 0o700, "others of this machine may not talk to it"


def over(lab: Lab, job_id: str) -> Job:
    """The job, once it has ended."""

    def ended() -> Job | None:
        job = lab.transport.call(jobs.get_job, jobs.JobRef(job_id))
        return job if job.state in TERMINAL else None

    found: Job = until(ended, "the job's end")
    return found


def run_of(
    lab: Lab, name: str, source: str, resources: Resources | None = None, **values: float
) -> tuple[Any, dict[str, Any]]:
    """A job that ran, and its run."""
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=source, parameters=values, resources=resources or Resources())
    lab.transport.call(jobs.submit_job, jobs.SubmitJob(job_id, name, spec))
    job = over(lab, job_id)
    assert job.state == "SUCCEEDED", job.reason
    transport = Http(lab.url, TOKEN, timeout=120)
    found = transport.call(tracking.bring_run, jobs.JobRef(job_id))
    status, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/runs/get?run_id={found.run_id}", SIGNED_IN)
    assert status == 200
    return job, json.loads(text)["run"]


def pairs(run: dict[str, Any], of: str) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in run["data"].get(of, [])}


def test_a_job_is_a_run_without_being_asked(lab: Lab) -> None:
    job, run = run_of(lab, "plain", CELL, lr=0.5)
    assert run["info"]["status"] == "FINISHED"
    assert pairs(run, "params") == {"lr": "0.5"}
    assert pairs(run, "metrics") == {"loss": 1 / 4.5}
    tags = pairs(run, "tags")
    assert tags["blueno.job"] == job.id
    assert f"lab?blueno-job={job.id}" in tags["mlflow.note.content"]
    query = f"run_id={run['info']['run_id']}&metric_key=loss"
    _, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/metrics/get-history?{query}", SIGNED_IN)
    assert [one["step"] for one in json.loads(text)["metrics"]] == [0, 1, 2, 3, 4]


def test_what_a_job_logs_itself_is_in_the_same_run(lab: Lab) -> None:
    job, run = run_of(lab, "own", OWN + CELL, lr=0.5)
    assert pairs(run, "params") == {"depth": "3", "lr": "0.5"}
    assert pairs(run, "metrics") == {"accuracy": 0.5, "loss": 1 / 4.5}
    assert pairs(run, "tags")["blueno.job"] == job.id
    assert run["info"]["artifact_uri"].startswith(str(lab.home / "mlflow" / "artifacts"))


# Two fits with autologging; MLflow is told nothing else.
FITS = """
import mlflow
from sklearn.linear_model import LogisticRegression
mlflow.sklearn.autolog(log_models=False)
for strength in (0.5, 2.0):
    LogisticRegression(C=strength).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
"""


def test_further_fits_lie_below_the_job_s_run(lab: Lab) -> None:
    job, run = run_of(lab, "fits", FITS)
    assert pairs(run, "params")["C"] == "0.5"
    assert "training_accuracy_score" in pairs(run, "metrics")
    tags = pairs(run, "tags")
    assert (tags["mlflow.runName"], tags["mlflow.source.name"], tags["mlflow.source.type"]) == (
        "fits",
        "fits",
        "JOB",
    )
    assert "mlflow.source.git.commit" not in tags, "it is Blueno's own, if any"
    (below,) = runs_below(lab, run)
    assert pairs(below, "params")["C"] == "2.0"
    assert pairs(below, "tags")["blueno.job"] == job.id
    assert below["info"]["run_name"] != "fits"


RETRIED = """
import mlflow, os
first = not os.path.exists("tried")
with mlflow.start_run():
    mlflow.log_param("same", "value")
    mlflow.log_metric("first", first)
if first:
    open("tried", "w").close()
    raise ConnectionError("no route")
"""


def test_a_job_that_is_tried_again_is_one_run(lab: Lab) -> None:
    job, run = run_of(lab, "retried", RETRIED, Resources(retries=1))
    assert job.attempt == 2
    assert run["info"]["status"] == "FINISHED"
    assert pairs(run, "metrics") == {"first": 0.0}
    assert pairs(run, "tags")["blueno.attempt"] == "2"
    query = f"run_id={run['info']['run_id']}&metric_key=first"
    _, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/metrics/get-history?{query}", SIGNED_IN)
    assert [one["value"] for one in json.loads(text)["metrics"]] == [1.0, 0.0], "of both attempts"


def runs_below(lab: Lab, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs of the same experiment whose parent it is."""
    asked = {
        "experiment_ids": [run["info"]["experiment_id"]],
        "filter": f"tags.mlflow.parentRunId = '{run['info']['run_id']}'",
    }
    search = f"{PAGE}ajax-api/2.0/mlflow/runs/search"
    headers = {**SIGNED_IN, "Content-Type": "application/json"}
    _, text = ask(lab, "POST", search, headers, json.dumps(asked))
    found: list[dict[str, Any]] = json.loads(text).get("runs", [])
    return found


def trial(width: int) -> float:
    """One of them logs to MLflow itself."""
    import jupyter_blueno as blueno

    if width == 2:
        import mlflow

        mlflow.log_metric("own", width)
    blueno.log_metric("score", width)
    return width


def test_trials_lie_below_their_sweep(lab: Lab, lab_session: None) -> None:
    sweep = blueno.sweep(trial, width=[1, 2], sampler="grid")
    sweep.wait(timeout=110)
    below = told_below(lab, sweep.id)
    assert sorted(pairs(one, "metrics")["score"] for one in below) == [1, 2]
    assert sorted(pairs(one, "params")["width"] for one in below) == ["1", "2"]
    assert [pairs(one, "metrics")["own"] for one in below if "own" in pairs(one, "metrics")] == [2]


def test_steps_lie_below_their_flow(lab: Lab, lab_session: None) -> None:
    with blueno.flow("two-steps") as flow:
        flow.step(trial, flow.step(trial, 3, name="first"), name="second")
    run = flow.submit()
    run.wait(timeout=110)
    below = told_below(lab, run.id)
    assert sorted(pairs(one, "tags")["mlflow.runName"] for one in below) == ["first", "second"]
    assert [pairs(one, "metrics")["score"] for one in below] == [3, 3]


def told_below(lab: Lab, job_id: str) -> list[Any]:
    """The runs below that of a sweep or flow, once MLflow was told of all."""
    transport = Http(lab.url, TOKEN, timeout=120)
    for one in lab.transport.call(jobs.list_jobs, JobPage(parent=job_id)).jobs:
        transport.call(tracking.bring_run, jobs.JobRef(one.id))
    found = transport.call(tracking.bring_run, jobs.JobRef(job_id))
    _, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/runs/get?run_id={found.run_id}", SIGNED_IN)
    return runs_below(lab, json.loads(text)["run"])


MODEL = """
import jupyter_blueno as blueno
blueno.log_metric("accuracy", 0.9)
blueno.register_model("digits", {"weights": [1, 2, 3]}, tags={"kind": "cnn"})
blueno.log_metric("accuracy", 0.95)
"""


def test_a_model_is_registered_in_a_job_and_loaded_again(lab: Lab, lab_session: None, tmp_path: Path) -> None:
    job, _ = run_of(lab, "train", MODEL, epochs=3)
    found = blueno.model("digits")
    assert found.load() == {"weights": [1, 2, 3]}
    assert (found.version, found.job_id, found.tags) == (1, job.id, {"kind": "cnn"})
    assert found.metrics == {"accuracy": 0.95}, "the last, though it was registered before"
    assert found.parameters == {"epochs": "3"}
    assert (found.form, found.definition) == ("pickle", "{'weights': [1, 2, 3]}")
    assert "runs whatever the file says" in found.loading
    assert any(one.startswith("numpy==") for one in found.packages)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"abc")
    second = blueno.register_model("digits", weights, job=job.id)
    assert (second.version, second.load().read_bytes(), second.size) == (2, b"abc", 3)
    assert blueno.model("digits", 1).promote("production").aliases == ["production"]
    assert blueno.model("digits", "production").version == 1
    assert second.promote("production").aliases == ["production"]
    assert blueno.model("digits", 1).aliases == [], "an alias means one version"
    with pytest.raises(InvalidInput, match="alias"):
        second.promote("v1")
    assert second.tag("The second", kind="mlp").description == "The second"
    assert blueno.model("digits", 2).tag(kind=None).tags == {}
    assert [(one.name, one.version) for one in blueno.models(job=job.id)] == [("digits", 2)]
    assert blueno.models(job="0" * 32) == []
    with pytest.raises(NotFound, match="no version 7"):
        blueno.model("digits", 7)
    second.delete()
    assert blueno.model("digits").versions == [1]


LOGGED = """
import mlflow
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", registered_model_name="by mlflow",
                             serialization_format="skops", pip_requirements=["scikit-learn"])
"""


def test_what_a_job_registers_through_mlflow_is_listed(lab: Lab, lab_session: None) -> None:
    before = lab.transport.call(status.get_changes, status.ChangesSince()).revision
    job, _ = run_of(lab, "by mlflow", LOGGED)
    until(lambda: blueno.models(job=job.id), "the model to be seen")
    found = blueno.model("by mlflow")
    assert (found.job_id, found.form) == (job.id, "MLflow")
    assert found.load().predict([[0.0], [1.0]]).tolist() == [0, 1]
    changes = lab.transport.call(status.get_changes, status.ChangesSince(before))
    assert [one.name for one in changes.models] == ["by mlflow"]
    found.delete()
    changes = lab.transport.call(status.get_changes, status.ChangesSince(changes.revision))
    assert changes.deleted_models == ["by mlflow"]
    with pytest.raises(NotFound, match="no model 'by mlflow'"):
        blueno.model("by mlflow")


def test_strangers_get_nothing(lab: Lab) -> None:
    assert ask(lab, "GET", PAGE, {})[0] == 302
    status, _ = ask(lab, "POST", f"{PAGE}ajax-api/2.0/mlflow/experiments/create", {}, '{"name": "x"}')
    assert status == 403


def test_a_page_of_another_site_cannot_write(lab: Lab) -> None:
    """The browser sends its cookie along with what another site makes it post."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=60)
    connection.request("GET", f"/lab?token={TOKEN}")
    answer = connection.getresponse()
    answer.read()
    cookies = "; ".join(
        value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"
    )
    create = f"{PAGE}ajax-api/2.0/mlflow/experiments/create"
    foreign = {"Cookie": cookies, "Origin": "https://elsewhere.example", "Content-Type": "application/json"}
    assert ask(lab, "POST", create, foreign, '{"name": "forged"}')[0] in {403, 404}
    own = {**foreign, "Origin": urllib.parse.urljoin(lab.url, "/").rstrip("/")}
    assert ask(lab, "POST", create, own, '{"name": "written"}')[0] == 200
