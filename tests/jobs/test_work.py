"""What runs inside a job: cells, notebooks, modules; what they show and say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import nbformat
import pytest

from jupyter_blueno.errors import InvalidInput, NotFound, TooLarge
from jupyter_blueno.jobs import record
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec, Origin
from jupyter_blueno.jobs.testing import ALICE, call, cell, log, logged, start, wait


def test_a_cell_s_last_value_is_its_result(manager: JobManager) -> None:
    job = wait(manager, start(manager, cell("print('hello')\nx = 20\nx + 1")), "SUCCEEDED")
    assert log(manager, job) == "hello\n"
    (output,) = manager.record(ALICE, job.id).outputs(-1)
    assert (output.role, output.data) == ("result", {"text/plain": "21"})


def test_magics_shell_lines_and_await_work(manager: JobManager) -> None:
    source = "%cd -q .\n!echo from the shell\nimport asyncio\nawait asyncio.sleep(0, result=5)"
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    assert "from the shell" in log(manager, job)
    assert manager.record(ALICE, job.id).outputs(-1)[-1].data == {"text/plain": "5"}


def test_figures_and_displays_are_kept_in_order(manager: JobManager) -> None:
    source = """
import matplotlib.pyplot as plt, plotly.graph_objects as go
from IPython.display import HTML
display(HTML("<b>first</b>"))
go.Figure(go.Scatter(y=[1, 2])).show()
plt.plot([1, 2])
plt.show()
go.Figure(go.Scatter(y=[3, 4]))
"""
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    html, shown, picture, last = manager.record(ALICE, job.id).outputs(-1)
    assert html.data["text/html"] == "<b>first</b>"
    assert shown.data["application/vnd.plotly.v1+json"]["data"][0]["type"] == "scatter"
    assert picture.data["image/png"].startswith("iVBOR")
    assert "application/vnd.plotly.v1+json" in last.data
    assert [one.index for one in manager.record(ALICE, job.id).outputs(1)] == [2, 3]


def test_an_update_takes_the_place_of_what_it_updates(manager: JobManager) -> None:
    source = """
handle = display("one", display_id=True)
display("beside")
handle.update("two")
"""
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    beside, two = manager.record(ALICE, job.id).outputs(-1)
    assert (beside.data["text/plain"], two.data["text/plain"], two.replaces) == ("'beside'", "'two'", [0])
    assert job.output_count == 3


def test_a_cell_that_fails_shows_where(manager: JobManager) -> None:
    job = wait(
        manager, start(manager, cell("a = 1\n\ndef f():\n    raise ValueError('too bad')\nf()")), "FAILED"
    )
    assert job.reason == "ValueError: too bad"
    (output,) = manager.record(ALICE, job.id).outputs(-1)
    assert output.role == "error"
    assert "too bad" in output.data["text/plain"]
    assert "runner.py" not in output.data["text/plain"]


@pytest.mark.parametrize("source", ["print('a'", "def f(:\n  pass", "%%bash\n", "x = = 1\n!ls"])
def test_what_cannot_be_compiled_is_refused(manager: JobManager, source: str) -> None:
    if source.startswith("%%bash"):
        assert start(manager, cell(source)).state in ("QUEUED", "STARTING")
        return
    with pytest.raises(InvalidInput, match=r"[Ll]ine \d") as refused:
        start(manager, cell(source))
    assert refused.value.code == "job_syntax_error"


def test_input_has_nobody_to_ask(manager: JobManager) -> None:
    job = wait(manager, start(manager, cell("input('name?')")), "FAILED")
    assert "nobody to ask" in (job.reason or "")


def test_the_snapshot_runs_though_files_change(manager: JobManager, folder: Path) -> None:
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("from .inner import VALUE")
    (folder / "pack" / "inner.py").write_text("import other\nVALUE = other.VALUE + 1")
    (folder / "other.py").write_text("VALUE = 1")
    (folder / "gate").mkdir()
    source = """
import os, time
print("up")
while not os.path.exists("gate/open"):
    time.sleep(0.02)
import pack
pack.VALUE
"""
    job = start(manager, cell(source))
    logged(manager, job, "up")
    (folder / "other.py").write_text("VALUE = 100")
    (folder / "pack" / "inner.py").unlink()
    (folder / "gate" / "open").touch()
    job = wait(manager, job, "SUCCEEDED")
    assert manager.record(ALICE, job.id).outputs(-1)[0].data == {"text/plain": "2"}
    assert set(manager.code(ALICE, job.id).modules) == {"other.py", "pack/__init__.py", "pack/inner.py"}
    again = wait(manager, manager.rerun(ALICE, job.id), "SUCCEEDED")
    assert again.id != job.id
    assert manager.record(ALICE, again.id).outputs(-1)[0].data == {"text/plain": "2"}


def test_the_commit_and_its_changes_are_known(manager: JobManager, folder: Path) -> None:
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    (folder / "train.py").write_text("lr = 1\n")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    (folder / "train.py").write_text("lr = 2\n")
    job = wait(manager, start(manager, cell("import train; train.lr")), "SUCCEEDED")
    manager.staging.close()
    code = manager.code(ALICE, job.id)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert code.commit == head
    assert "+lr = 2" in (code.diff or "")
    assert any(one.startswith("numpy==") for one in code.packages)
    assert (code.source, code.modules) == ("import train; train.lr", {"train.py": "lr = 2\n"})


def test_progress_is_seen(manager: JobManager) -> None:
    source = "import jupyter_blueno as blueno\nfor n in range(1001): blueno.progress(n, 1000, 'epoch')"
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    assert job.progress is not None
    assert (job.progress.done, job.progress.total, job.progress.message) == (1000, 1000, "epoch")


def test_a_value_that_cannot_be_pickled_keeps_its_text(manager: JobManager) -> None:
    job = wait(manager, start(manager, call(lambda: (n for n in "abc"))), "SUCCEEDED")
    assert "only its text" in (job.reason or "")
    assert "generator" in manager.record(ALICE, job.id).outputs(-1)[0].data["text/plain"]


def test_a_value_over_the_limit_keeps_its_text_and_says_what_to_do(manager: JobManager) -> None:
    spec = call(lambda: b"x" * 2_000_000)
    small = msgspec.structs.replace(spec, environment={"BLUENO_RESULT_GB": "0.001"})
    job = wait(manager, start(manager, small), "SUCCEEDED")
    assert "it is over 0.001 GB. Save it to a file in the job" in (job.reason or "")
    shown = manager.record(ALICE, job.id).outputs(-1)[0].data["text/plain"]
    assert shown.endswith("… (bytes of 2,000,000 in all)")
    assert len(shown) < 200
    left = {path.name for path in JobFolder.of(manager.config, job.id).path.iterdir()}
    assert not {"result.pickle", ".result.pickle"} & left
    with pytest.raises(NotFound):
        manager.record(ALICE, job.id).file("result")
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    assert len(manager.record(ALICE, job.id).file("result")[0]) > 2_000_000


def test_a_value_too_large_to_be_sent_says_where_it_is(
    manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = wait(manager, start(manager, call(lambda: b"x" * 2_000)), "SUCCEEDED")
    monkeypatch.setattr(record, "VALUE_ANSWER", 1_000)
    with pytest.raises(TooLarge, match=f"{job.id}/result.pickle on the machine of the jobs"):
        manager.record(ALICE, job.id).file("result")


def notebook(*sources: str) -> str:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    text: str = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    return text


def test_a_notebook_is_executed_with_its_parameters(manager: JobManager, folder: Path) -> None:
    (folder / "sub").mkdir()
    spec = JobSpec(
        kind="notebook",
        source=notebook("lr = 1", "import os\nprint(lr, os.path.basename(os.getcwd()))\nlr * 2"),
        parameters={"lr": 0.5},
        origin=Origin(notebook="sub/train.ipynb"),
    )
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    assert log(manager, job) == "0.5 sub\n"
    assert manager.record(ALICE, job.id).outputs(-1)[0].data == {"text/plain": "1.0"}
    body, media_type = manager.record(ALICE, job.id).file("notebook")
    assert media_type == "application/x-ipynb+json"
    cells = nbformat.reads(body.decode(), 4).cells
    assert cells[1].source == "# Parameters\nlr = 0.5\n"
    assert cells[2].outputs[0].text == "0.5 sub\n"
    assert job.progress is not None
    assert job.progress.done == 3


def test_a_notebook_that_fails_is_kept_as_far_as_it_came(manager: JobManager) -> None:
    spec = JobSpec(kind="notebook", source=notebook("print('one')", "1 / 0", "print('never')"))
    job = wait(manager, start(manager, spec), "FAILED")
    assert job.reason == "Cell 2 of 3: ZeroDivisionError: division by zero"
    cells = json.loads(manager.record(ALICE, job.id).file("notebook")[0])["cells"]
    assert cells[1]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert cells[2]["outputs"] == []


AS_USUAL = """\
import debugpy, sys
assert "" in sys.path and not any(path.endswith("inside") for path in sys.path), sys.path
from multiprocessing import get_context
get_context("spawn").Pool(2).map(abs, [-1, -2])"""


def test_a_notebook_finds_a_kernel_as_usual(manager: JobManager) -> None:
    written = json.loads(notebook(AS_USUAL, "input()"))
    del written["cells"][0]["id"]  # as tools leave it out
    job = wait(manager, start(manager, JobSpec("notebook", source=json.dumps(written))), "FAILED")
    assert (job.reason or "").startswith("Cell 2 of 2: StdinNotImplementedError")
    done = json.loads(manager.record(ALICE, job.id).file("notebook")[0])
    assert done["cells"][0]["outputs"][0]["data"]["text/plain"] == "[1, 2]"
    nbformat.validate(done)


def test_a_kernel_that_does_not_start(manager: JobManager, folder: Path) -> None:
    (folder / "ipykernel.py").write_text("raise RuntimeError('no kernel today')")
    spec = JobSpec("notebook", source=notebook("1"), environment={"PYTHONPATH": str(folder)})
    job = wait(manager, start(manager, spec), "FAILED")
    assert job.reason == "RuntimeError: no kernel today"


def test_a_folder_that_was_removed_is_lost(manager: JobManager) -> None:
    job = wait(manager, start(manager, cell("1")), "SUCCEEDED")
    import shutil

    shutil.rmtree(JobFolder.of(manager.config, job.id).path)
    assert manager.get(ALICE, job.id).state == "SUCCEEDED"
    assert manager.record(ALICE, job.id).outputs(-1) == []
    assert manager.record(ALICE, job.id).log(0, 100) == (b"", 0, 0)


def test_a_python_without_ipython_is_not_said_to_have_it(manager: JobManager, tmp_path: Path) -> None:
    """Libraries that find `get_ipython` call it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    source = "import builtins\nprint(hasattr(builtins, 'get_ipython'))"
    for python, has in ((str(tmp_path / "bare" / "bin" / "python"), False), (None, True)):
        job = wait(manager, start(manager, cell(source, python=python)), "SUCCEEDED")
        assert log(manager, job) == f"{has}\n"
