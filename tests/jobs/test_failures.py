"""Why it failed, in words: every kind of job, real ends."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from jupyter_blueno.jobs.failures import explain
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.lifecycle import ExitRecord, Verdict
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Failure, JobSpec, Resources, Suggestion, Variable
from jupyter_blueno.jobs.testing import call, cell, command, log, start, wait

MATMUL = """\
import numpy as np

class Layer:
    def __init__(self):
        self.weight = np.zeros((3, 4), "float32")

    def __call__(self, x):
        return x @ self.weight

batch = {"image": np.ones((32, 5)), "label": [1] * 32}
Layer()(batch["image"])
"""


def failed(manager: JobManager, spec: JobSpec, state: str = "FAILED") -> Failure:
    job = wait(manager, start(manager, spec), state)
    assert job.failure is not None
    assert job.failure.sentence == job.reason
    return job.failure


def notebook(*sources: str) -> JobSpec:
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "source": one, "metadata": {}, "outputs": [], "execution_count": None}
        for one in sources
    ]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells})
    return JobSpec("notebook", source=text)


def test_a_cell_names_the_line_and_the_shapes_in_it(manager: JobManager) -> None:
    found = failed(manager, cell(MATMUL))
    assert found.kind == "error"
    assert found.line is not None
    assert (found.line.file, found.line.number, found.line.text) == ("cell", 8, "return x @ self.weight")
    assert found.line.function == "__call__"
    assert found.variables == [
        Variable("x", "float64 (32, 5)"),
        Variable("self.weight", "float32 (3, 4)"),
    ]


def test_a_notebook_names_its_cell(manager: JobManager) -> None:
    found = failed(manager, notebook("import numpy as np\nx = np.ones((2, 3))", "y = [1, 2]\nx @ y"))
    assert found.line is not None
    assert (found.line.file, found.line.number, found.line.text) == ("cell 2", 2, "x @ y")
    assert found.variables == [Variable("x", "float64 (2, 3)"), Variable("y", "list of 2 × 1")]
    assert found.sentence.startswith("Cell 2 of 2: ValueError")


def test_a_function_shows_lines_of_a_notebook_that_is_not_here(manager: JobManager) -> None:
    source = "def train(rate, data):\n    scale = 1 / rate\n    return scale * data\n"
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile("\n" * 7 + source, "/tmp/ipykernel_1/2.py", "exec"), space)
    train = space["train"]
    assert callable(train)
    spec = call(train, 0, list(range(100)))
    found = failed(manager, JobSpec("function", payload=spec.payload, source=source))
    assert found.line is not None
    assert (found.line.file, found.line.number, found.line.text) == ("cell", 9, "scale = 1 / rate")
    assert found.variables == [Variable("rate", "0")]


def test_a_script_s_traceback_is_read_from_its_log(manager: JobManager, folder: Path) -> None:
    (folder / "train.py").write_text("def load(path):\n    return open(path)\n\nload('nowhere.npy')\n")
    found = failed(manager, command(sys.executable, "train.py"))
    assert found.sentence == "FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.npy'"
    assert found.line is not None
    assert found.line.file.endswith("train.py")
    assert (found.line.number, found.line.text, found.line.function) == (2, "return open(path)", "load")


@pytest.mark.parametrize("kind", ["cell", "command"])
def test_a_missing_module_says_what_to_install(manager: JobManager, kind: str) -> None:
    text = "import skimage_of_nowhere.io" if kind == "command" else "if True:\n    import skopt"
    found = failed(manager, cell(text) if kind == "cell" else command(sys.executable, "-c", text))
    assert found.kind == "missing_module"
    assert found.suggestion is not None
    package = "scikit-optimize" if kind == "cell" else "skimage-of-nowhere"
    assert found.suggestion.command == f"{sys.executable} -m pip install {package}"
    assert f"pip install {package}" in found.sentence


def test_what_hangs_when_it_is_printed_is_not_printed(manager: JobManager) -> None:
    text = (
        "class Slow:\n"
        "    shape = property(lambda self: 1 / 0)\n"
        "    def __repr__(self):\n        while True: pass\n"
        "    __str__ = __len__ = __repr__\n"
        "slow, name = Slow(), 'x' * 1000\n"
        "print(slow.nothing, name)"
    )
    found = failed(manager, cell(text))
    assert found.variables == [
        Variable("slow", "Slow"),
        Variable("name", f"'{'x' * 60}' … (1,000 characters)"),
    ]


def test_a_crash_in_a_library_is_placed(manager: JobManager) -> None:
    found = failed(manager, cell("import ctypes\nprint('up')\nctypes.string_at(0)"))
    assert found.kind == "signal"
    assert "SIGSEGV" in found.sentence
    assert "native library" in found.sentence
    assert found.line is not None
    assert (found.line.file, found.line.number) == ("cell", 3)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("no_such_tool --version", "A program was not found"),
        ("kill -9 $$ & wait; sh -c 'kill -KILL $$'", "SIGKILL"),
        ("sh -c 'kill -KILL $$'; exit $?", "exit code 137: a process of it was ended by SIGKILL"),
        ("echo 'usage: train [-h] --lr LR' >&2; exit 2", "The last it said: “usage: train [-h] --lr LR”"),
        ("touch it; ./it", "could not be executed"),
    ],
)
def test_exit_codes_of_commands(manager: JobManager, script: str, words: str) -> None:
    assert words in failed(manager, command("sh", "-c", script)).sentence


def test_memory_suggests_more_of_it(manager: JobManager) -> None:
    spec = cell("x = b'x' * 400_000_000", resources=Resources(memory=200_000_000, cpu=1))
    found = failed(manager, spec)
    assert found.kind == "memory"
    assert found.suggestion is not None
    assert found.suggestion.label == "Run again with 400 MB"
    assert found.suggestion.resources == Resources(memory=400_000_000, cpu=1)


def test_a_time_limit_suggests_a_longer_one(manager: JobManager) -> None:
    found = failed(manager, command("sleep", "100", resources=Resources(timeout=0.2)), "TIMED_OUT")
    assert found.kind == "timeout"
    assert found.suggestion is not None
    assert found.suggestion.resources == Resources(timeout=0.4)


def test_what_was_lost_goes_on_from_what_it_kept(manager: JobManager) -> None:
    source = "import jupyter_blueno as blueno\nopen('kept', 'w').close()\nblueno.checkpoint('kept', step=3)"
    job = wait(manager, start(manager, cell(source)), "SUCCEEDED")
    folder = JobFolder.of(manager.config, job.id)
    lost = ExitRecord("lost", 0.0, reason="Its node did not come back.")
    evicted = ExitRecord("evicted", 0.0, reason="Its node ended it: it was low on resource: memory.")
    for record, state in ((lost, "LOST"), (evicted, "FAILED")):
        found = explain(Verdict(state, record.reason), record, folder, cell(source))  # type: ignore[arg-type]
        assert found is not None
        assert found.suggestion == Suggestion("Go on from its newest checkpoint", resume=True)
    shutil.rmtree(folder.path / "checkpoints")
    found = explain(Verdict("LOST", lost.reason), lost, folder, cell(source))
    assert found is not None
    assert found.suggestion is None


def test_a_machine_without_memory_suggests_to_keep_some(tmp_path: Path) -> None:
    record = ExitRecord("machine_out_of_memory", 0.0, memory=3_200_000_000, memory_there=8_000_000_000)
    found = explain(Verdict("FAILED", "…"), record, JobFolder(tmp_path), cell("x"))
    assert found is not None
    assert found.suggestion is not None
    assert found.suggestion.label == "Run again with 4 GB kept for it"
    assert found.suggestion.resources == Resources(memory=4_000_000_000)


def test_a_full_gpu_is_told_from_its_exception(manager: JobManager) -> None:
    # torch's words and class; no GPU is here.
    text = (
        "class OutOfMemoryError(RuntimeError): pass\n"
        "raise OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 15.7 GiB')"
    )
    found = failed(manager, cell(text))
    assert found.kind == "gpu_memory"
    assert found.sentence == (
        "The GPU's memory was full when 2.00 GiB more were asked for. Use smaller batches, or half precision."
    )


def test_good_ends_have_no_failure(manager: JobManager) -> None:
    job = wait(manager, start(manager, command("true")), "SUCCEEDED")
    assert job.failure is None
    assert log(manager, job) == ""
