"""Environments that jobs ask for, built by a real uv or pip from a wheel of the test's own."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_blueno.errors import Conflict, InvalidInput, NotFound
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.sending import environments, interpreters
from jupyter_blueno.jobs.testing import ALICE, log, logged, start, until, wait


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """A package `tiny` of one module, as a wheel; nothing is downloaded for it."""
    path = tmp_path / "tiny-1.5-py3-none-any.whl"
    about = "tiny-1.5.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", "VALUE = 'tiny'\n")
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.5\n")
        file.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr(
            f"{about}/RECORD", f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    return str(path)


def ask(
    wheel: str, code: str = "import tiny, sys; print(tiny.VALUE, sys.prefix)", **fields: object
) -> JobSpec:
    return JobSpec("command", command=["python", "-c", code], requirements=[wheel], **fields)  # type: ignore[arg-type]


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """A lock that another one holds shared."""
    lock.parent.mkdir(exist_ok=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def test_it_is_built_once_and_removed(manager: JobManager, folder: Path, wheel: str) -> None:
    home = manager.config.home_path
    (folder / "gate").mkdir()
    waits = (
        "import os, time, tiny; print(tiny.VALUE, flush=True)\n"
        "while not os.path.exists('gate/open'): time.sleep(.02)"
    )
    needed = environments.needed(ask(wheel, waits), home)
    assert needed is not None
    with held(Path(needed["folder"] + ".lock")):  # so that both come to it at the same time
        jobs = [start(manager, ask(wheel, waits)) for _ in range(2)]
        for job in jobs:
            until(lambda job=job: "waiting" in str(manager.get(ALICE, job.id).progress))
    for job in jobs:
        logged(manager, job, "tiny\n")
    (built,) = environments.listed(home)
    assert (built.requirements, built.in_use) == ([wheel], True)
    with pytest.raises(Conflict, match="A job uses the environment"):
        environments.remove(home, built.key)
    (folder / "gate" / "open").touch()
    for job in jobs:
        wait(manager, job, "SUCCEEDED")
    (built,) = environments.listed(home)
    assert set(built.jobs) == {job.id for job in jobs}
    assert "tiny" in environments.log(home, built.key).decode()
    assert sum("The environment was built in" in log(manager, job) for job in jobs) == 1
    assert manager.code(ALICE, jobs[0].id).packages[-1] == "tiny==1.5"  # beside pip, where there is no uv
    assert manager.get(ALICE, jobs[0].id).progress is None
    again = wait(manager, start(manager, ask(wheel)), "SUCCEEDED")
    assert log(manager, again) == f"tiny {home / 'environments' / built.key}\n"
    environments.remove(home, built.key)
    assert environments.listed(home) == []
    with pytest.raises(NotFound):
        environments.remove(home, built.key)


def test_a_build_that_fails_says_why_and_leaves_nothing(manager: JobManager, tmp_path: Path) -> None:
    job = wait(manager, start(manager, ask(str(tmp_path / "nothing-1.0-py3-none-any.whl"))), "FAILED")
    assert (job.reason or "").startswith("The environment could not be built: ")
    assert "nothing-1.0" in (job.reason or "")
    left = [path for path in (manager.config.home_path / "environments").iterdir() if path.is_dir()]
    assert not left, (log(manager, job), [list(one.rglob("*")) for one in left])


def test_a_build_that_was_killed_is_built_anew(manager: JobManager, wheel: str) -> None:
    home = manager.config.home_path
    job = wait(manager, start(manager, ask(wheel)), "SUCCEEDED")
    (built,) = environments.listed(home)
    place = home / "environments" / built.key
    (place / environments.WHOLE).unlink()  # as after kill -9, half way
    shutil.rmtree(place / "lib")
    assert environments.listed(home) == []
    again = wait(manager, start(manager, ask(wheel)), "SUCCEEDED")
    assert "The environment was built in" in log(manager, again)
    (place / environments.WHOLE).unlink()
    environments.sweep(home)
    assert not place.exists()
    assert job.state == "SUCCEEDED"


def test_without_uv_pip_does_it(manager: JobManager, wheel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *more, **named: None if name == "uv" else which(name))
    job = start(manager, ask(wheel))
    until(lambda: "-m venv" in log(manager, job) or manager.get(ALICE, job.id).state == "FAILED")
    job = wait(manager, job, "SUCCEEDED")
    assert "-m pip install" in log(manager, job)


def test_cancelling_a_build_leaves_nothing(manager: JobManager, tmp_path: Path) -> None:
    project = tmp_path / "slow"
    project.mkdir()
    (project / "backend.py").write_text(
        "def build_wheel(*_, **__):\n    import time\n    time.sleep(600)\n"
        "def get_requires_for_build_wheel(*_): return []\n"
    )
    (project / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    job = start(manager, ask(str(project)))
    until(lambda: "pip install" in log(manager, job))
    assert (manager.get(ALICE, job.id).progress or _none()).message == "building the environment"
    manager.cancel(ALICE, job.id)
    wait(manager, job, "CANCELLED")
    left = [path for path in (manager.config.home_path / "environments").iterdir() if path.is_dir()]
    assert not left, (log(manager, job), [list(one.rglob("*")) for one in left])


def _none() -> object:
    raise AssertionError("no progress")


def test_pythons_are_found_by_place_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert interpreters.find(None) == sys.executable
    assert interpreters.find(sys.prefix) == os.path.join(sys.prefix, "bin", "python")
    place = tmp_path / "home" / "miniconda3" / "envs" / "torch2" / "bin"
    place.mkdir(parents=True)
    os.symlink(sys.executable, place / "python")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert interpreters.find("torch2") == str(place / "python")
    with pytest.raises(InvalidInput, match="There are the conda environments torch2"):
        interpreters.find("torch1")


def test_pickled_code_goes_to_the_same_version_only(manager: JobManager) -> None:
    spec = JobSpec("function", payload="gARLAS4=", pickled_by="3.8")
    with pytest.raises(InvalidInput, match="was pickled by Python 3"):
        start(manager, spec)


def test_python_in_a_command_is_the_one_asked_for(manager: JobManager, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "env" / "bin"
    place.mkdir(parents=True)
    (place / "python").write_text(f'#!/bin/sh\necho other "$2"\nexec {sys.executable} "$@"\n')
    (place / "python").chmod(0o755)
    (folder / "a.py").write_text("print('ran')")
    for command in (["python", "-c", "print('ran')"], ["python", "-u", "a.py"]):
        job = start(manager, JobSpec("command", command=command, python=str(tmp_path / "env")))
        said = log(manager, wait(manager, job, "SUCCEEDED")).splitlines()
        assert said[0].startswith("other")
        assert said[-1] == "ran"


@pytest.mark.parametrize("kind", ["command", "function"])
def test_one_is_built_beforehand(manager: JobManager, wheel: str, kind: str) -> None:
    home = manager.config.home_path
    spec = environments.to_build(kind, [wheel], None)  # type: ignore[arg-type]
    assert environments.needed(spec, home) is not None
    if kind == "command":
        assert environments.needed(spec, home)["folder"] == environments.needed(ask(wheel), home)["folder"]  # type: ignore[index]
        wait(manager, start(manager, spec), "SUCCEEDED")
        assert [one.requirements for one in environments.listed(home)] == [[wheel]]
    with pytest.raises(InvalidInput, match="Name packages"):
        environments.to_build(kind, [" "], None)  # type: ignore[arg-type]
