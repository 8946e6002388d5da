"""The command from a shell: in-process without a server, over HTTP with one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest

from jupyter_blueno.config import Config
from tests.servers import Lab

Run = Callable[..., subprocess.CompletedProcess[str]]


def _runner(environment: dict[str, str], folder: Path) -> Run:
    def run(*words: str, code: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_blueno", *words],
            env={**os.environ, **environment}, cwd=folder, capture_output=True, text=True, timeout=100,
            input=given,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def blueno(module_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command without a server."""
    folder = tmp_path_factory.mktemp("shell")
    nowhere = {"JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "JPY_PARENT_PID": ""}
    return _runner({**module_config.environment(), **nowhere}, folder)


def test_a_job_is_deleted(blueno: Run) -> None:
    job = blueno("run", "-f", "--name", "passing", "--", "true")
    assert job.returncode == 0
    assert "Aborted" in blueno("delete", "passing", code=1).stderr
    blueno("delete", "--yes", "passing")
    assert "passing" not in blueno("jobs").stdout


def test_a_secret_comes_by_a_pipe_and_is_shown_by_name(blueno: Run) -> None:
    assert "blueno secrets --set" in blueno("secrets").stderr
    blueno("secrets", "--set", "TEST_TOKEN", given="first line\nsecond\n")
    listed = blueno("secrets").stdout
    assert "TEST_TOKEN" in listed
    assert "first" not in listed
    job = blueno("run", "-f", "--name", "printing", "--secret", "TEST_TOKEN", "--", "printenv", "TEST_TOKEN")
    assert job.stdout == "first line\nsecond\n"
    assert "has no secret 'TOKEN'" in blueno("run", "--secret", "TOKEN", "--", "true", code=1).stderr
    blueno("delete", "--yes", "printing")
    blueno("secrets", "--delete", "TEST_TOKEN")
    assert json.loads(blueno("secrets", "--json").stdout) == []


def test_no_data_says_what_to_do(blueno: Run) -> None:
    assert "blueno ingest FOLDER" in blueno("datasets").stderr
    assert json.loads(blueno("jobs", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("dataset",), "Did you mean 'blueno datasets'?"),
        (("run",), "Missing argument 'COMMAND"),
        (("jobs", "--jsn"), "--json"),
        (("run", "nothing.py"), "There is no file nothing.py"),
        (("run", "-p", "a=1", "ls"), "-p sets parameters of a notebook"),
        (("ingest", "nowhere"), "does not exist"),
        (("sweep", "-p", "lr", "--objective", "loss", "ls"), "-p 'lr' is no parameter"),
        (("sweep", "-p", "lr=a..b", "--objective", "loss", "ls"), "from one number to another"),
        (("sweep", "-p", "lr=1,2", "ls"), "Missing option '--objective'"),
    ],
)
def test_wrong_usage_exits_with_2(blueno: Run, words: tuple[str, ...], sentence: str) -> None:
    done = blueno(*words, code=2)
    assert sentence in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("datasets", "zzz"), "There is no dataset called 'zzz'"),
        (("logs", "zzz"), "zzz"),
        (("run", "--memory", "much", "--", "true"), "not an amount of memory"),
        (("run", "nothing.ipynb"), "cannot be read"),
    ],
)
def test_an_error_exits_with_1(blueno: Run, words: tuple[str, ...], sentence: str) -> None:
    done = blueno(*words, code=1)
    assert sentence in done.stderr
    assert done.stderr.startswith("Error: ")


def test_ingest_and_list(blueno: Run, module_config: Config) -> None:
    folder = module_config.folder("incoming", "volumes")
    np.save(folder / "one.npy", np.zeros((8, 9, 10), "int16"))
    made = blueno("ingest", str(folder / "one.npy"), "--name", "my volume")
    assert "<Dataset my volume: 1 samples · 3D · v1>" in made.stdout
    assert "my volume" in blueno("datasets").stdout
    (listed,) = json.loads(blueno("datasets", "--json").stdout)
    assert (listed["name"], listed["version"]["sample_count"]) == ("my volume", 1)
    assert json.loads(blueno("datasets", "my volume", "--json").stdout)["id"] == listed["id"]
    assert "\x1b[" not in made.stdout + made.stderr


def test_run_logs_cancel(blueno: Run, tmp_path: Path) -> None:
    script = tmp_path / "hello.py"
    script.write_text("import sys\nprint('hello', *sys.argv[1:])\n")
    followed = blueno("run", "--follow", str(script), "--steps", "3")
    assert followed.stdout == "hello --steps 3\n"
    begun = blueno("run", "--name", "sleeper", "--", "sleep", "1000")
    job_id = begun.stdout.strip()
    assert len(job_id) == 8
    assert (
        "sleeper" in blueno("jobs", "--state", "running", "--state", "starting", "--state", "queued").stdout
    )
    assert "cancelled" in blueno("cancel", "sleeper").stdout
    (job,) = json.loads(blueno("jobs", "sleeper", "--json").stdout)
    assert (job["id"][:8], job["state"]) == (job_id, "CANCELLED")
    assert blueno("logs", "hello").stdout == "hello --steps 3\n"
    assert blueno("logs", "-n", "1", "hello").stdout == "hello --steps 3\n"
    assert 'blueno.log_metric("loss", loss)' in blueno("metrics", "hello").stdout
    assert "too shortly" in blueno("usage", "hello").stdout
    assert "waits no longer" in blueno("priority", "hello", "-5", code=1).stderr
    assert "from -10 to 10" in blueno("priority", "hello", "11", code=1).stderr


def test_follow_exits_as_the_job_does(blueno: Run) -> None:
    done = blueno("run", "-f", "--", sys.executable, "-c", "print('x'); raise SystemExit(3)", code=1)
    assert done.stdout == "x\n"
    assert "failed" in done.stderr


def test_run_a_notebook_with_parameters(blueno: Run, tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell("n, word = 1, ''"), nbformat.v4.new_code_cell("print(n + 1, word)")]
    cells[0].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "sum.ipynb")
    done = blueno("run", str(tmp_path / "sum.ipynb"), "-p", "n=41", "-p", "word=yes", "--follow")
    assert "42 yes" in done.stdout


def test_doctor(blueno: Run) -> None:
    done = blueno("doctor")
    for word in ("Python: 3.", "server extension: enabled", "database: PostgreSQL", "decoders: Pillow"):
        assert f"ok    {word}" in done.stdout
    assert "running server: none found" in done.stdout
    found = json.loads(blueno("doctor", "--json").stdout)
    assert {"what", "state", "words", "advice"} == set(found[0])
    here = [one["what"] for one in json.loads(blueno("doctor", "--only", "here", "--json").stdout)]
    platform = [one["what"] for one in json.loads(blueno("doctor", "--only", "platform", "--json").stdout)]
    assert [*here, "running server", *platform] == [one["what"] for one in found]


def test_doctor_names_a_folder_that_cannot_be_written(blueno: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environment = {**os.environ, "BLUENO_HOME": str(tmp_path / "file" / "home"), "BLUENO_DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_blueno", "doctor"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "FAIL  data folder" in done.stdout
    assert "Set BLUENO_HOME" in done.stdout


def test_help_of_everything(blueno: Run) -> None:
    shown = blueno("--help").stdout
    for word in (
        "lab",
        "datasets",
        "ingest",
        "prepare",
        "run",
        "jobs",
        "logs",
        "priority",
        "cancel",
        "doctor",
    ):
        assert f"  {word} " in shown


def test_with_a_running_server(lab: Lab, tmp_path: Path) -> None:
    """The same words, answered by the server: the command opens no database of its own."""
    run = _runner(lab.environment, tmp_path)
    assert f"ok    running server: {lab.url}" in run("doctor").stdout.replace("localhost", "127.0.0.1")
    assert run("run", "-f", "--", "echo", "over HTTP").stdout == "over HTTP\n"
    assert [job.name for job in _jobs(lab)][:1] == ["echo"]


def _jobs(lab: Lab) -> list[object]:
    from jupyter_blueno.api.jobs import list_jobs
    from jupyter_blueno.jobs.model import JobPage

    return list(lab.transport.call(list_jobs, JobPage()).jobs)


def test_a_sweep_of_a_script(blueno: Run, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, jupyter_blueno as b\n"
        "b.log_metric('loss', (float(sys.argv[1]) - 3) ** 2 + int(sys.argv[2]))"
    )
    words = ("-p", "lr=2..4.0:1", "-p", "n=0,1", "--objective", "loss", "--sampler", "grid", "--at-once", "4")
    done = blueno("sweep", *words, "-f", str(script), "{lr}", "{n}")
    assert "All 6 trials were made. Best: trial 2, loss 0 with lr=3 n=0." in done.stdout
    told = json.loads(blueno("trials", "train", "--json").stdout)
    assert [one["value"] for one in told] == [1, 2, 0, 1, 1, 2]
    assert "complete (best)" in blueno("trials", "train").stdout
    refused = blueno("sweep", "-p", "n=1,2", "--objective", "loss", str(script), "{m}", code=1)
    assert "The command has no place for n." in refused.stderr


def test_steps_of_a_flow(blueno: Run, module_config: Config) -> None:
    import jupyter_blueno
    from jupyter_blueno.api.context import Context
    from jupyter_blueno.client import session

    session.use(transport=Context.local(module_config))
    try:
        flow = jupyter_blueno.flow("of commands")
        flow.command("true", name="after", after=flow.command("false", name="first"))
        run = flow.submit().wait(100)
    finally:
        session.close()
    said = blueno("steps", run.id).stdout
    assert "✗ first  failed" in said
    assert "– after  not run · 'first' failed." in said
    again = blueno("steps", "of commands", "--resume").stdout.strip()
    told = json.loads(blueno("steps", again, "--json").stdout)
    assert (told["resumes"], len(told["steps"])) == (run.id, 2)
    first = json.loads(blueno("steps", run.id, "--json").stdout)["steps"][0]["job_id"]
    assert "is not a flow" in blueno("steps", first, code=2).stderr
