"""Files that a job wrote are known, however it wrote them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobPage, JobSpec
from jupyter_blueno.jobs.testing import ALICE, cell, command, start, wait

WRITES = """
import os, pathlib, shutil, tempfile
import numpy as np
np.save("array.npy", np.zeros(3))
pathlib.Path("sub").mkdir()
with open("sub/.part", "w") as file:
    file.write("x")
os.replace("sub/.part", "sub/whole.txt")
open("gone", "w").close()
os.remove("gone")
open("array.npy", "rb").close()
tempfile.TemporaryFile().close()
shutil.copy("array.npy", "copy.npy")
"""
FOUND = ["array.npy", "sub/whole.txt", "copy.npy"]


def written(manager: JobManager, spec: JobSpec, folder: Path) -> list[str]:
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    found = manager.record(ALICE, job.id).written()
    return [str(Path(path).relative_to(folder)) for path, size in found if size is not None]


def test_by_a_cell(manager: JobManager, folder: Path) -> None:
    assert written(manager, cell(WRITES, folder=str(folder)), folder) == FOUND


def test_by_a_command(manager: JobManager, folder: Path) -> None:
    (folder / "script.py").write_text(WRITES)
    found = written(manager, command(sys.executable, "script.py", folder=str(folder)), folder)
    assert found == FOUND


def test_in_c(manager: JobManager, folder: Path) -> None:
    pytest.importorskip("h5py", reason="HDF5 comes with TensorFlow")
    text = "import h5py\nwith h5py.File('a.h5', 'w') as f: f['x'] = [1]\nh5py.File('a.h5').close()"
    assert written(manager, cell(text, folder=str(folder)), folder) == ["a.h5"]


def test_nothing_is_written_where_nothing_is(manager: JobManager, folder: Path) -> None:
    assert written(manager, cell("import json\nprint(json.dumps([1]))", folder=str(folder)), folder) == []
    assert written(manager, command("true", folder=str(folder)), folder) == []


def test_a_file_leads_to_its_jobs(manager: JobManager, folder: Path) -> None:
    spec = cell("open('result.txt', 'w').close()", folder=str(folder))
    first, second = (wait(manager, start(manager, spec), "SUCCEEDED") for _ in range(2))
    found, _ = manager.list_jobs(ALICE, JobPage(wrote=str(folder / "result.txt")))
    assert [one.id for one in found] == [second.id, first.id]
    (folder / "result.txt").unlink()
    assert [size for _, size in manager.record(ALICE, first.id).written()] == [None]
    assert manager.list_jobs(ALICE, JobPage(wrote=str(folder / "other.txt")))[0] == []
