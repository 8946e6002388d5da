"""Jobs from Python: real processes, their logs, pictures, values and errors."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import nbformat
import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.client.jobs import MIME, RemoteTraceback, follow
from jupyter_blueno.config import Config

SOON = 60.0  # seconds that a small job may take on a busy machine


pytestmark = pytest.mark.usefixtures("here")


def test_a_function_returns_its_value() -> None:
    factor = 6
    job = blueno.submit(lambda a, b=1: a * b * factor, 7, b=2, name="times")
    assert job.result(SOON) == 84
    assert (job.name, job.kind, job.state, job.done) == ("times", "function", "SUCCEEDED", True)
    assert blueno.job(job.id).result(SOON) == 84
    assert blueno.job("times").id == job.id
    assert blueno.job(job.id[:8]).id == job.id


def test_an_exception_comes_back_with_its_traceback() -> None:
    def fail(n: int) -> None:
        print("about to divide")
        n / 0

    job = blueno.submit(fail, 3)
    with pytest.raises(ZeroDivisionError) as caught:
        job.result(SOON)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert "n / 0" in str(caught.value.__cause__)
    assert job.state == "FAILED"
    assert job.name == "fail"
    assert "about to divide" in job.log()


def test_what_is_done_to_several() -> None:
    jobs = blueno.map(lambda n: n, [1, 2], name="several")
    assert jobs.results(SOON) == [1, 2]
    going = blueno.run_command(["sleep", "100"], name="several")
    listed = blueno.jobs("several")
    assert listed.delete() == [going.id]
    assert [one.id for one in blueno.jobs("several")] == [going.id]
    assert blueno.jobs("several").cancel()[0].wait(SOON).state == "CANCELLED"
    assert blueno.jobs("several").delete() == blueno.jobs("several") == []


def test_a_cell_shows_and_returns() -> None:
    job = blueno.run_cell("import math\nprint('hello')\ndisplay({'a': 1})\nmath.factorial(5)")
    assert job.result(SOON)["text/plain"] == "120"
    assert "hello" in job.log()
    assert [one.role for one in job.outputs] == ["display", "result"]


def test_a_cell_that_is_no_python_starts_nothing() -> None:
    with pytest.raises(errors.InvalidInput, match="not valid Python"):
        blueno.run_cell("1 +", name="broken")
    assert blueno.jobs("broken") == []


def test_a_cell_that_fails_says_why() -> None:
    job = blueno.run_cell("{}['key']", name="missing key")
    with pytest.raises(blueno.JobFailed, match="missing key") as caught:
        job.result(SOON)
    assert "KeyError" in str(caught.value.__cause__)


def test_a_notebook_is_executed_with_parameters(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell("n = 1"), nbformat.v4.new_code_cell("print('n is', n)")]
    cells[0].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "report.ipynb"
    nbformat.write(notebook, path)
    job = blueno.run_notebook(path, n=5)
    executed = nbformat.read(job.result(SOON), as_version=4)
    assert executed.cells[-1].outputs[0].text == "n is 5\n"
    assert job.name == "report"
    assert nbformat.read(path, as_version=4).cells[-1].outputs == []


def test_a_notebook_runs_in_the_python_of_its_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python3"  # another one by its name
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "kernels/mine").mkdir(parents=True)
    (tmp_path / "kernels/mine/kernel.json").write_text(json.dumps({"argv": [str(python)]}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    notebook.metadata["kernelspec"] = {"name": "mine", "display_name": "Mine"}
    nbformat.write(notebook, tmp_path / "one.ipynb")
    told = str(blueno.run_notebook(tmp_path / "one.ipynb", dry_run=True))
    assert str(python) in told
    told = str(blueno.run_notebook(tmp_path / "one.ipynb", dry_run=True, python=sys.executable))
    assert str(python) not in told
    notebook.metadata["kernelspec"]["name"] = "theirs"
    nbformat.write(notebook, tmp_path / "one.ipynb")
    with pytest.raises(errors.InvalidInput, match="'Mine' \\(theirs\\), which is not here"):
        blueno.run_notebook(tmp_path / "one.ipynb")


def test_a_notebook_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFound, match="cannot be read"):
        blueno.run_notebook(tmp_path / "nothing.ipynb")
    (tmp_path / "text.ipynb").write_text("hello")
    with pytest.raises(errors.InvalidInput, match="is not a notebook"):
        blueno.run_notebook(tmp_path / "text.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "empty.ipynb")
    with pytest.raises(errors.InvalidInput, match="has no code"):
        blueno.run_notebook(tmp_path / "empty.ipynb")


def test_log_is_followed_while_it_grows(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    def wait_for_gate() -> None:
        print("first ü", flush=True)
        while not gate.exists():
            time.sleep(0.02)
        print("second", flush=True)

    job = blueno.submit(wait_for_gate)
    pieces: list[str] = []
    for piece in job.logs(follow=True):
        pieces.append(piece)
        if "first ü" in "".join(pieces):
            gate.touch()
    assert "".join(pieces) == "first ü\nsecond\n"
    assert job.log(tail=1) == "second"
    assert follow(job, pieces.append) is job


def test_progress_and_cancel(tmp_path: Path) -> None:
    def forever() -> None:
        import jupyter_blueno

        jupyter_blueno.progress(3, 12, "epoch 3")
        while True:
            time.sleep(0.05)

    job = blueno.submit(forever)
    deadline = time.monotonic() + SOON
    while job.progress is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert job.progress == 0.25
    assert "25%" in repr(job)
    with pytest.raises(TimeoutError, match="It goes on"):
        job.wait(0.1)
    with pytest.raises(TimeoutError):
        job.result(timeout=0)
    assert job.cancel() is job
    assert job.wait(SOON).state == "CANCELLED"
    with pytest.raises(blueno.JobFailed, match="cancelled"):
        job.result()


def test_a_job_that_waits_says_why_and_takes_a_priority(module_config: Config, tmp_path: Path) -> None:
    gates = [tmp_path / f"gate{n}" for n in range(module_config.jobs_at_once)]
    for gate in gates:
        os.mkfifo(gate)
    holders = [blueno.submit(gate.read_text, name="holder") for gate in gates]
    job = blueno.submit(lambda: 5, name="patient", priority=2)
    deadline = time.monotonic() + SOON
    while "Held by" not in (job.reason or "") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "waits" in repr(job)
    assert "Held by 'holder' (alice" in repr(blueno.jobs("patient"))
    assert job.priority == 2
    job.priority = 7
    assert blueno.job(job.id).priority == 7
    with pytest.raises(errors.InvalidInput, match="from -10 to 10"):
        job.priority = 11
    for gate in gates:
        gate.write_text("go")
    assert job.result(SOON) == 5
    with pytest.raises(errors.Conflict, match="waits no longer"):
        job.priority = 0
    assert [holder.result(SOON) for holder in holders] == ["go"] * len(holders)


def test_rerun_is_a_new_job() -> None:
    job = blueno.submit(lambda: 5, name="five")
    again = job.rerun()
    assert again.id != job.id
    assert again.result(SOON) == 5
    assert job.result(SOON) == 5


def test_lists_and_looks() -> None:
    job = blueno.submit(lambda: print("seen"), name="<looks>").wait(SOON)
    listed = blueno.jobs("<looks>")
    assert [one.id for one in listed] == [job.id]
    assert "✓ done" in repr(listed)
    assert "<looks>" not in listed._repr_html_()
    assert "&lt;looks&gt;" in listed._repr_html_()
    bundle = job._repr_mimebundle_()
    assert bundle[MIME] == {"id": job.id}
    assert "seen" in bundle["text/html"]
    assert "✓ done" in bundle["text/plain"]
    assert blueno.jobs(state="failed", search="<looks>") == []
    with pytest.raises(errors.InvalidInput, match="no state of a job"):
        blueno.jobs(state="happy")


def test_what_is_no_function_is_named() -> None:
    with pytest.raises(errors.InvalidInput, match=r"not blueno.submit\(train\(5\)\)"):
        blueno.submit(print("now"))  # type: ignore[func-returns-value, arg-type]


def test_a_job_that_is_not_there() -> None:
    with pytest.raises(errors.NotFound):
        blueno.job("0123456789abcdef")


def test_progress_outside_of_a_job_does_nothing() -> None:
    blueno.progress(1, 2)
    blueno.progress(0.5)
