"""The example notebooks run from the first cell to the last, beside a real JupyterLab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.servers import Lab

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


def run(path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Execute a notebook with a kernel that finds the server as one of its own would."""
    assert lab.process is not None
    for name, value in {**lab.environment, "JPY_PARENT_PID": str(lab.process.pid)}.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(lab.root)}}).execute()
    return notebook


def texts(notebook: Any) -> str:
    """All that was printed and shown, as text."""
    found = []
    for cell in notebook.cells:
        for one in cell.get("outputs", []):
            found.append(one.get("text", "") or one.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = run(path, lab, monkeypatch)
    shown = texts(notebook)
    expected = {
        "01-browse": ["5,000 samples", "of 1,000 digits are right"],
        "02-volume": ["3 samples", "grey  matter: 1.01 l", "197×233×189"],
        "03-background-job": ["after 40 epochs", "epoch 40", "shrunk by 4:", "%blueno datasets"],
    }
    for words in expected[path.stem]:
        assert words in shown
    pictures = [
        one
        for cell in notebook.cells
        for one in cell.get("outputs", [])
        if "image/png" in one.get("data", {}) or "data:image/png" in one.get("data", {}).get("text/html", "")
    ]
    assert pictures or path.stem == "03-background-job"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
