"""Checkpoints: copied into the job's folder, the newest kept, found again by who goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import checkpoints
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, cell, log, start, wait

BLUENO = "import jupyter_blueno as blueno\nfrom pathlib import Path\n"


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a job that this process takes itself for."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.setenv("BLUENO_JOB_FOLDER", str(folder))
    return folder


def test_the_newest_are_kept_as_they_were(manager: JobManager, folder: Path) -> None:
    source = BLUENO + (
        "for epoch in range(5):\n"
        "    Path('model.pt').write_text(f'weights {epoch}')\n"
        "    blueno.checkpoint('model.pt', step=epoch, keep=2)\n"
        "Path('model.pt').write_text('spoilt')\n"
        "Path('model.pt').unlink()\n"
        "print(Path(blueno.latest_checkpoint()).read_text())"
    )
    job = wait(manager, start(manager, cell(source, folder=str(folder))), "SUCCEEDED")
    assert log(manager, job) == "weights 4\n"
    newest, older = manager.record(ALICE, job.id).checkpoints()
    assert (newest.step, older.step, newest.name, newest.size, newest.files) == (4, 3, "model.pt", 9, 1)
    assert [Path(one.path).read_text() for one in (newest, older)] == ["weights 4", "weights 3"]
    assert abs(newest.saved_at - time.time()) < 60
    inside = JobFolder.of(manager.config, job.id).path / "checkpoints"
    assert len(list(inside.iterdir())) == 4


def test_folders_and_series_are_kept_apart(inside: Path, tmp_path: Path) -> None:
    best = tmp_path / "best.pt"
    best.write_bytes(b"x" * 100)
    assert checkpoints.checkpoint(best, keep=1)
    for step in range(4):
        saved = tmp_path / f"checkpoint-{step}"
        (saved / "sub").mkdir(parents=True)
        (saved / "weights").write_bytes(b"w" * step)
        (saved / "sub" / "optimizer").write_bytes(b"oo")
        copy = checkpoints.checkpoint(saved, step=step)
    assert copy is not None
    assert sorted(path.name for path in Path(copy).rglob("*")) == ["optimizer", "sub", "weights"]
    kept = checkpoints.found(str(inside))
    assert [one["name"] for one in kept] == ["best.pt", *(f"checkpoint-{n}" for n in (1, 2, 3))]
    assert (kept[-1]["size"], kept[-1]["files"]) == (5, 2)


def test_trouble_is_told_and_ends_nothing(inside: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert checkpoints.checkpoint("missing.pt") is None
    assert checkpoints.checkpoint(__file__, keep=0) is None
    assert checkpoints.checkpoint(__file__, step="x") is None  # type: ignore[arg-type]
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "blueno: the checkpoint 'missing.pt' was not kept: No such file or directory."
    assert len(said) == 3
    assert checkpoints.found(str(inside)) == []
    assert checkpoints.latest_checkpoint() is None


def test_a_killed_copy_is_no_checkpoint(inside: Path, tmp_path: Path) -> None:
    good = tmp_path / "model.pt"
    good.write_text("whole")
    checkpoints.checkpoint(good)
    os.mkfifo(tmp_path / "model2.pt")  # its copying never ends
    source = "import sys; from jupyter_blueno.jobs.inside.checkpoints import checkpoint; print(1, flush=True)"
    source += f"; checkpoint({str(tmp_path)!r}, step=2)"
    process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert process.stdout is not None
    process.stdout.readline()
    while not any(name.startswith(".") for name in os.listdir(inside / "checkpoints")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert [one["name"] for one in checkpoints.found(str(inside))] == ["model.pt"]
    newest = checkpoints.latest_checkpoint()
    assert newest is not None
    assert Path(newest).read_text() == "whole"


def test_who_resumes_finds_the_earlier_job_s(manager: JobManager, folder: Path) -> None:
    save = BLUENO + "Path('m').write_text('first')\nblueno.checkpoint('m')\n1 / 0"
    first = wait(manager, start(manager, cell(save, folder=str(folder))), "FAILED")
    go_on = BLUENO + "print(Path(blueno.latest_checkpoint()).read_text())"
    earlier = first
    for _ in range(2):  # also through one that kept nothing itself
        place = str(JobFolder.of(manager.config, earlier.id).path)
        spec = cell(go_on, folder=str(folder), environment={"BLUENO_RESUME_FROM": place})
        earlier = wait(manager, start(manager, spec), "SUCCEEDED")
        assert log(manager, earlier) == "first\n"


def test_without_a_job_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLUENO_JOB_FOLDER", raising=False)
    monkeypatch.chdir(tmp_path)
    assert checkpoints.checkpoint("missing.pt") is None
    assert checkpoints.latest_checkpoint() is None
    assert list(tmp_path.iterdir()) == []
