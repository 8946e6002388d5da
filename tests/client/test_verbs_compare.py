"""Jobs side by side."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors

SOON = 90.0  # seconds that a small job may take on a busy machine


pytestmark = pytest.mark.usefixtures("here")


def test_what_differs_comes_first() -> None:
    def train(lr: float, epochs: int = 2) -> None:
        for _ in range(epochs):
            blueno.log_metrics({"loss": lr, "accuracy": 0.5})

    first = blueno.submit(train, 0.1, name="first")

    def train(lr: float, epochs: int = 2) -> None:  # type: ignore[no-redef]
        for _ in range(epochs):
            blueno.log_metrics({"loss": lr / 2, "accuracy": 0.5})

    second = blueno.submit(train, 0.2, name="second", memory="300M").wait(SOON)
    told = blueno.compare(first.wait(SOON), second.id)
    assert told.parameters == {"lr": [0.1, 0.2], "epochs": [2, 2]}
    assert told.metrics == {"loss": [0.1, 0.1], "accuracy": [0.5, 0.5]}
    assert told.resources == {"memory": [None, 300_000_000]}
    assert '-        blueno.log_metrics({"loss": lr, "accuracy": 0.5})' in told.diff()
    shown = repr(told).splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [
        ["parameters", "lr"],
        ["resources", "memory"],
        ["code", "code"],
    ]
    assert "epochs" not in repr(told)
    assert "4 lines" in told._repr_html_()
    frame = told.frame()
    assert list(frame.columns) == ["name", "lr", "epochs", "loss", "accuracy"]
    assert list(frame.lr) == [0.1, 0.2]
    again = first.rerun().wait(SOON)
    assert "nothing differs" in repr(blueno.compare(first, again))


def test_notebooks_by_their_cells_and_commands_by_their_words(tmp_path: Path) -> None:
    jobs = []
    for text in ("1 + 1", "1 + 2"):
        path = tmp_path / "two.ipynb"
        cells = [nbformat.v4.new_code_cell("x = 5"), nbformat.v4.new_code_cell(text)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        jobs.append(blueno.run_notebook(path))
    told = blueno.compare(*jobs)
    assert told.diff().splitlines()[-2:] == ["-1 + 1", "+1 + 2"]
    assert "cell_type" not in told.diff()
    command = blueno.run_command(["true", "a b"])
    assert blueno.compare(command, jobs[0]).parameters == {"command": ["true 'a b'", None]}
    for job in (*jobs, command):
        job.wait(SOON)


def test_one_job_alone_is_no_comparison() -> None:
    job = blueno.run_command(["true"])
    with pytest.raises(errors.InvalidInput, match="2 to 8 different jobs can be compared, not 1"):
        blueno.compare(job, job.id)
    with pytest.raises(errors.NotFound):
        blueno.compare(job, "nothing")
    job.wait(SOON)
