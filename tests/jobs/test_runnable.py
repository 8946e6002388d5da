"""Work that cannot run is refused when it is submitted, with what to do."""

from __future__ import annotations

import json
import os
import sys
import venv
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import batch, kernels, preview
from jupyter_blueno.jobs.sending.requirements import of_file
from jupyter_blueno.jobs.testing import ALICE, call, cell, command, start, wait


def previewed(manager: JobManager, name: str, spec: JobSpec) -> None:
    preview.of(manager.staging, name, spec, lambda: manager.outlook(ALICE, name, spec.kind, spec.resources))


def refused(manager: JobManager, spec: JobSpec) -> str:
    """The sentence, which is the same however it is asked; nothing is left of the job."""
    with pytest.raises(InvalidInput) as caught:
        manager.submit(ALICE, "0" * 32, "bad", spec)
    with pytest.raises(InvalidInput) as looked_at:
        previewed(manager, "bad", spec)
    with pytest.raises(InvalidInput) as together:
        batch.submit_many(manager, ALICE, [("1" * 32, "good", command("true")), ("2" * 32, "bad", spec)])
    assert caught.value.message == looked_at.value.message == together.value.message
    assert not list((manager.config.home_path / "jobs").glob("*"))
    return caught.value.message


def notebook(*texts: str, tags: Any = (), **metadata: Any) -> JobSpec:
    cells = [{"cell_type": "code", "source": one, "metadata": {"tags": list(tags)}} for one in texts]
    return JobSpec("notebook", source=json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["no-such-program"], "There is no program 'no-such-program' on this machine's PATH."),
        (["pyhton", "x.py"], "Did you mean 'python'?"),
        (["python train.py"], "Give its words one by one: ['python', 'train.py']."),
        (["train.py"], "Put its interpreter before it: python train.py."),
        (["./none.sh"], "Correct its path."),
        (["/tmp"], "'/tmp' is a folder, not a program."),
        (["./notes.txt"], "chmod +x ./notes.txt"),
        ([sys.executable, "-u", "trian.py"], "There is no script 'trian.py'"),
    ],
)
def test_a_program_that_is_not_there(
    manager: JobManager, folder: Path, words: list[str], sentence: str
) -> None:
    (folder / "train.py").write_text("")
    (folder / "notes.txt").write_text("")
    said = refused(manager, command(*words))
    assert sentence in said
    assert "trian.py" not in words or "Did you mean 'train.py'?" in said


def test_programs_are_looked_for_on_the_job_s_own_path(manager: JobManager, folder: Path) -> None:
    (folder / "bin").mkdir()
    program = folder / "bin" / "only-here"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    refused(manager, command("only-here"))
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    job = wait(manager, start(manager, command("only-here", environment={"PATH": path})), "SUCCEEDED")
    assert job.exit_code == 0


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (cell("from skopt import x"), "The cell imports 'skopt', which the job's Python does not have: "
         "install it (pip install scikit-optimize)"),
        (cell("%matplotlib inline\n!ls\nimport not_there.inner"), "imports 'not_there'"),
        (cell("import steps"), "steps.py imports 'not_there'"),
        (cell("from .steps import x"), "as a part of a package, and is in none"),
        (cell("import parts.second"), "there is no such module in"),
        (command(sys.executable, "train.py"), "The script imports 'not_there'"),
        (notebook("1", "import not_there"), "The notebook imports 'not_there'"),
    ],
    ids=str,
)  # fmt: skip
def test_a_module_that_is_not_there(manager: JobManager, folder: Path, spec: JobSpec, sentence: str) -> None:
    (folder / "steps.py").write_text("import not_there\n")
    (folder / "train.py").write_text("import json, not_there\n")
    (folder / "parts").mkdir()
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "first.py").write_text("")
    assert sentence in refused(manager, spec)


def test_a_function_that_begins_by_importing_one(manager: JobManager) -> None:
    source = "def train(rate):\n    import not_there\n    return not_there.fit(rate)\n"
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(source, space)
    spec = call(space["train"], 0.1)
    said = refused(manager, JobSpec("function", payload=spec.payload, source=source))
    assert "The function imports 'not_there'" in said


def test_a_python_that_cannot_take_the_work(manager: JobManager, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    venv.create(bare, symlinks=True)
    said = refused(manager, msgspec.structs.replace(call(len, "four"), python=str(bare)))
    assert f"{bare}/bin/python has no cloudpickle, without which no function runs there as a job" in said
    said = refused(manager, msgspec.structs.replace(notebook("1"), python=str(bare)))
    assert "has no ipykernel and no nbclient" in said
    text = command(str(bare / "bin" / "python"), "-c", "pass")  # which needs nothing of ours
    previewed(manager, "plain", text)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import not_there\nexcept ImportError:\n    pass",
        "if False:\n    import not_there",
        "import sys\nsys.path.append('elsewhere')\nif 0: import not_there",
        "def f():\n    import not_there",
        "import parts.first, numpy, json, steps",
    ],
)
def test_what_may_well_be_found_is_let_through(manager: JobManager, folder: Path, text: str) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "first.py").write_text("")
    (folder / "steps.py").write_text("from parts import first\n")
    wait(manager, start(manager, cell(text)), "SUCCEEDED")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (notebook("1", "def f(:"), "Line 1 of cell 2 is not valid Python"),
        (notebook("", "  \n"), "The notebook has no code"),
        (notebook("1", kernelspec={"name": "julia-1.9", "language": "julia"}), "The notebook is in julia"),
        (notebook("1", language_info={"name": "R"}), "The notebook is in R"),
        (JobSpec("notebook", source='{"worksheets": [], "nbformat": 3}'), "in JupyterLab and save it"),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_notebook_that_cannot_run(manager: JobManager, spec: JobSpec, sentence: str) -> None:
    assert sentence in refused(manager, spec)


def test_a_notebook_s_kernel_has_to_be_there(
    manager: JobManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, program in (("torch", sys.executable), ("plain", "python3"), ("other", "/usr/bin/env")):
        (tmp_path / "kernels" / name).mkdir(parents=True)
        (tmp_path / "kernels" / name / "kernel.json").write_text(json.dumps({"argv": [program, "-m", "x"]}))
    (tmp_path / "kernels" / "broken").mkdir()
    (tmp_path / "kernels" / "broken" / "kernel.json").write_text("{")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def of(name: str, title: str = "A kernel", **others: Any) -> JobSpec:
        asked = notebook("1", kernelspec={"name": name, "display_name": title})
        return msgspec.structs.replace(asked, **others)

    said = refused(manager, of("torch29", "Torch 2.9"))
    assert said.startswith(
        "The notebook asks for the kernel 'Torch 2.9' (torch29), which is not here. There are"
    )
    assert "torch" in said.partition("There are")[2]
    assert "broken" not in said
    assert "python='…'" in said
    assert "is started by '/usr/bin/env', which is no Python" in refused(manager, of("other"))
    for spec in (of("python3"), of("Torch"), of("plain"), of("torch29", python=sys.executable)):
        previewed(manager, "good", spec)
    assert kernels.python_of(json.loads(of("torch").source or "")) == sys.executable
    for metadata in ({}, {"kernelspec": None}, {"kernelspec": "odd"}):
        assert kernels.python_of({"metadata": metadata}) is None


def test_a_cell_that_may_fail_is_not_looked_at(manager: JobManager) -> None:
    previewed(manager, "may fail", notebook("%%bash\necho {", "!echo 1"))
    previewed(manager, "may fail", notebook("def f(:", tags=["raises-exception"]))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"environment": {"A": "x\0y"}}, "The variable 'A' holds a NUL character"),
        ({"environment": {"A=B": "x"}}, "'A=B' cannot be the name of an environment variable"),
        ({"environment": {"A": "\udcff"}}, "half a character"),
        ({"requirements": ["numpy=="]}, "'numpy==' is not a requirement"),
        ({"files": ["gone"]}, "There is no file 'gone'"),
    ],
    ids=str,
)
def test_what_goes_along_and_cannot(manager: JobManager, options: Any, sentence: str) -> None:
    assert sentence in refused(manager, cell("1", **options))


def test_variables_may_have_lines(manager: JobManager) -> None:
    spec = cell("import os; assert os.environ['A'] == 'x\\ny'", environment={"A": "x\ny"})
    wait(manager, start(manager, spec), "SUCCEEDED")


def test_requirements_files(tmp_path: Path) -> None:
    good = tmp_path / "requirements.txt"
    good.write_text("numpy>=2 \\\n  --hash=sha256:00\n# none\n-r more.txt\n./mine\n")
    (tmp_path / "more.txt").write_text("pandas # why\n--constraint=limits.txt\n")
    limits = f"--constraint {tmp_path / 'limits.txt'}"
    lines = ["numpy>=2    --hash=sha256:00", "pandas", limits, str(tmp_path / "mine")]
    assert of_file(good) == lines
    (tmp_path / "more.txt").write_text("-r requirements.txt")
    with pytest.raises(InvalidInput, match="includes itself"):
        of_file(good)
    (tmp_path / "more.txt").unlink()
    with pytest.raises(InvalidInput, match=r"more\.txt, which .*requirements\.txt includes, cannot be read"):
        of_file(good)
    good.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not text"):
        of_file(good)
