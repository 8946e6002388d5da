"""Sweeps from Python: real jobs, a conductor that is killed, Optuna."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.api import jobs as jobs_api
from jupyter_blueno.client import session
from jupyter_blueno.jobs import lifecycle
from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import JobPage
from jupyter_blueno.jobs.testing import until

SOON = 90.0  # seconds that a small sweep may take on a busy machine


pytestmark = pytest.mark.usefixtures("here")


def slope(lr: float, batch: int, bias: float = 0.0) -> float:
    return bias - abs(lr - 0.03) - batch / 1000


def test_a_job_is_swept() -> None:
    def train(lr: float, deep: bool = False) -> float:
        return -abs(lr - 0.1) - deep

    job = blueno.submit(train, 0.5)
    job.result(SOON)
    search = blueno.sweep(job, lr=[0.1, 0.2], deep=True, sampler="grid")
    assert search.wait(SOON).best.parameters == {"lr": 0.1}
    assert search.best.value == -1
    assert search.name == "train"
    with pytest.raises(errors.InvalidInput, match="rate"):
        blueno.sweep(job, rate=[0.1, 0.2])


def test_a_dry_run_tells_of_the_trials_and_starts_none(tmp_path: Path) -> None:
    before = len(blueno.jobs())
    given: Any = {"lr": blueno.log_uniform(1e-4, 1e-1), "batch": [16, 32], "trials": 8, "dry_run": True}
    said = repr(blueno.sweep(slope, **given))
    assert "at most 8, 2 at once; maximize value" in said
    assert "lr from 0.0001 to 0.1 (log), batch in [16, 32]; chosen by what was good so far (TPE)" in said
    assert "lr = 0.0001, batch = 16, bias = 0.0" in said
    assert "It is its turn: it starts at once." in said
    script = tmp_path / "tune.py"
    script.write_text("import sys")
    job = blueno.run_command(["python", str(script), "--lr", "1"]).wait(SOON)
    words = f"python {script} --lr {{lr}}"
    of_job = blueno.sweep(job, command=words, lr=[1, 2, 3], objective="loss", sampler="grid", dry_run=True)
    assert "at most 3 of 3 combinations" in repr(of_job)
    assert "tune.py (10 B)" in repr(of_job)
    with pytest.raises(errors.InvalidInput, match="has no place for rate"):
        blueno.sweep(job, rate=[1, 2], objective="loss", dry_run=True)
    assert len(blueno.jobs()) == before + 1


def test_a_function_with_the_values_that_optuna_proposes() -> None:
    search = blueno.sweep(
        slope, lr=blueno.log_uniform(1e-4, 1e-1), batch=[16, 32], bias=1, trials=6, at_once=3, seed=7
    )
    best = search.result(SOON)
    told = search.trials()
    assert [one.number for one in told] == list(range(6))
    assert {one.state for one in told} == {"complete"}
    assert best.value == max(one.value for one in told if one.value is not None)
    assert best.value == pytest.approx(slope(**best.parameters, bias=1))
    assert search.reason is not None
    assert search.reason.startswith(f"All 6 trials were made. Best: trial {best.number}, value 0.9")
    assert [one.id for one in blueno.jobs("slope")] == [search.id]
    again = blueno.job(search.id)
    assert isinstance(again, blueno.Sweep)
    assert f"trial {best.number}" in (again.reason or "")
    frame = told.frame()
    assert list(frame.columns) == ["state", "lr", "batch", "value", "seconds", "job"]
    assert frame.value.idxmax() == best.number
    assert "(best)" in repr(told)
    html = again._repr_mimebundle_()["text/html"]
    assert "maximize value · best 0.9" in html
    assert best.job.name == f"slope {best.number} · lr={best.parameters['lr']:.4g} batch=32" or (
        best.parameters["batch"] == 16
    )
    assert len(search.plot().data[0].dimensions) == 3


def test_a_grid_of_a_command_and_more_of_it() -> None:
    code = "import jupyter_blueno as b, sys; b.log_metric('loss', float(sys.argv[1]) * int(sys.argv[2]))"
    command = ["python", "-c", code, "{x}", "{n}"]
    search = blueno.sweep(command, objective="loss", sampler="grid", trials=3, x=[0.5, 2], n=[1, 3])
    best = search.result(SOON)
    assert (best.parameters, best.value) == ({"x": 0.5, "n": 1}, 0.5)
    assert [one.parameters["n"] for one in search.trials()] == [1, 3, 1]
    more = search.resume(1)
    assert more.id != search.id
    assert more.result(SOON).number == 0
    assert [tuple(one.parameters.values()) for one in more.trials()] == [(0.5, 1), (0.5, 3), (2, 1), (2, 3)]
    assert [one.number for one in search.trials()] == [0, 1, 2, 3]
    with pytest.raises(errors.Conflict, match="All 4 trials were made"):
        more.resume()
    assert more.delete()
    assert len(search.trials()) == 4
    assert search.delete()
    with pytest.raises(errors.NotFound):
        search.trials()


def test_a_conductor_that_is_killed_submits_nothing_twice(tmp_path: Path) -> None:
    place = str(tmp_path / "runs")

    def work(x: float) -> float:
        import time

        with open(place, "a") as file:
            file.write(f"{x}\n")
        time.sleep(0.3)
        return x

    search = blueno.sweep(work, x=blueno.uniform(0, 1), trials=8, at_once=2, sampler="random", prune=True)
    folder = JobFolder(session.home() / "jobs" / search.id)
    for attempt, count in ((2, 2), (3, 5)):
        until(lambda count=count: len(search.trials()) >= count, "trials")  # type: ignore[misc]
        status = folder.read("status.json", SupervisorStatus)
        assert status is not None
        os.kill(status.child, signal.SIGKILL)
        until(lambda attempt=attempt: begun(folder) == attempt, "another attempt")  # type: ignore[misc]
    search.wait(SOON)
    told = search.trials()
    assert [one.number for one in told] == list(range(8))
    assert Counter(one.state for one in told) == {"complete": 8}
    ran = Path(place).read_text().split()
    assert sorted(map(float, ran)) == sorted(one.parameters["x"] for one in told)
    parts = session.call(jobs_api.list_jobs, JobPage(parent=search.id)).jobs
    assert len(parts) == 8


def begun(folder: JobFolder) -> int:
    """The number of the attempt that is under way; 0 between two."""
    told = folder.read("attempt.json", dict)
    return told["number"] if told and told["begun"] else 0


def test_a_paused_sweep_starts_no_more_trials(tmp_path: Path) -> None:
    def held(x: int) -> int:
        (tmp_path / f"started-{x}").touch()
        until((tmp_path / "go").exists, "the word to go on")
        return x

    search = blueno.sweep(held, x=[1, 2, 3], at_once=1, sampler="grid")
    until((tmp_path / "started-1").exists, "the first trial")
    search.pause()
    assert search.reason == lifecycle.NO_MORE["sweep"]
    (tmp_path / "go").touch()
    assert search.trials()[0].job.wait(SOON).state == "SUCCEEDED"
    assert blueno.submit(slope, 0.1, 16).result(SOON)  # time enough for the next trial
    assert search.paused
    assert len(search.trials()) == 1
    search.unpause()
    assert search.wait(SOON).best.value == 3
    assert len(search.trials()) == 3


def test_trials_that_do_worse_are_given_up() -> None:
    def work(x: float) -> None:
        import time

        for step in range(40):
            blueno.log_metric("score", x * step, step=step)
            if x < 0:
                time.sleep(0.2)

    search = blueno.sweep(
        work,
        objective="score",
        sampler="grid",
        prune=True,
        at_once=1,
        x=[1, 2, 3, 4, -1],
        direction="maximize",
    )
    assert search.result(SOON).parameters == {"x": 4}
    last = search.trials()[-1]
    assert last.state == "pruned"
    assert "worse than most" in (last.reason or "")
    assert last.value is not None
    assert last.value < 0
    assert last.curve[0] == (0, 0)
    assert last.job.wait(SOON).state == "CANCELLED"


def test_an_objective_that_nobody_logs_ends_it_at_once() -> None:
    def work(x: int) -> None:
        blueno.log_metric("val_accuracy", x)

    search = blueno.sweep(work, x=[1, 2, 3, 4], objective="val_acc", at_once=1)
    with pytest.raises(blueno.JobFailed, match="Did you mean 'val_accuracy'"):
        search.result(SOON)
    assert search.failure is not None
    assert len(search.trials()) == 1


def test_a_notebook_and_a_cancelled_sweep(tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("lr = 0.1\nname = 'a'", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import time\ntime.sleep(600)"),
    ]
    path = tmp_path / "train.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(errors.InvalidInput, match=r"no parameter 'lrr'\. Did you mean 'lr'"):
        blueno.sweep(path, objective="loss", lrr=[1, 2])
    search = blueno.sweep(path, objective="loss", lr=blueno.uniform(0, 1), space={"name": ["b", "c"]})
    until(search.trials, "a trial")
    search.cancel()
    search.wait(SOON)
    assert search.state == "CANCELLED"
    until(lambda: {one.state for one in search.trials()} == {"cancelled"}, "their end")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "nothing to vary"),
        ({"lr": []}, "lr has no values"),
        ({"lr": 0.1}, "nothing to vary"),
        ({"lrr": [1, 2], "lr": [1]}, r"slope has no parameter 'lrr'\. Did you mean 'lr'"),
        ({"lr": blueno.uniform(1, 0)}, "the lower end comes first"),
        ({"lr": blueno.uniform(0, 1), "sampler": "grid"}, "lr is a range"),
        ({"lr": [1], "sampler": "tpu"}, "Did you mean 'tpe'"),
        ({"lr": [1], "direction": "up"}, "It can be 'maximize', 'minimize'"),
        ({"lr": [1], "stop": {"hour": 1}}, "Did you mean 'hours'"),
        ({"lr": [1], "stop": {"hours": "x"}}, "hours"),
        ({"lr": [1], "trials": 0}, "'trials' is 0"),
        ({"lr": [1], "at_once": 0}, "'at_once' is 0"),
        ({"lr": ["a", 0.1]}, "lr is 'a', and takes a number"),
        ({"lr": [object()]}, "lr has a object among its values"),
        ({"lr": [1], "memory": "8 XB"}, "memory"),
    ],
)
def test_what_makes_no_sense_starts_nothing(given: dict[str, Any], sentence: str) -> None:
    before = len(blueno.jobs())
    with pytest.raises(errors.InvalidInput, match=sentence):
        blueno.sweep(slope, batch=16, **given)
    assert len(blueno.jobs()) == before


def test_commands_without_a_place_for_a_value_and_without_an_objective() -> None:
    with pytest.raises(errors.InvalidInput, match=r"Write \{lr\} where its value belongs: --lr \{lr\}"):
        blueno.sweep("python train.py", objective="loss", lr=[1, 2])
    with pytest.raises(errors.InvalidInput, match="Say which metric counts"):
        blueno.sweep("python train.py {lr}", lr=[1, 2])
    with pytest.raises(errors.InvalidInput, match="takes a function"):
        blueno.sweep(5, lr=[1, 2])  # type: ignore[arg-type]
