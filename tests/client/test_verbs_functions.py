"""`blueno.job` above a function, and arguments that are checked before anything is sent."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.client.options import DEFAULTS

SOON = 60.0  # seconds that a small job may take on a busy machine


pytestmark = pytest.mark.usefixtures("here")


@blueno.job(name="trained", memory="200M", priority=1)
def train(lr: float, epochs: int = 5) -> float:
    """Train."""
    return lr * epochs


def test_it_is_called_as_ever_and_submitted() -> None:
    assert train(0.5) == 2.5
    assert (train.__name__, train.__doc__) == ("train", "Train.")
    job = train.submit(lr=2, epochs=21)
    assert job.result(SOON) == 42
    assert (job.name, job._info.resources.memory, job.priority) == ("trained", 200_000_000, 1)
    again = train.using(name="other", priority=-1).submit(3)
    assert (again.result(SOON), again.name, again.priority) == (15, "other", -1)
    assert again._info.resources.memory == 200_000_000
    assert blueno.job(job.id).id == blueno.job("trained").id == job.id


def test_bare_and_as_a_method() -> None:
    class Model:
        def __init__(self, factor: int) -> None:
            self.factor = factor

        @blueno.job
        def times(self, n: int) -> int:
            return self.factor * n

    model = Model(6)
    assert model.times(7) == 42
    assert model.times.submit(7).result(SOON) == 42


def test_it_may_be_used_by_another_function_in_a_job() -> None:
    @blueno.job
    def double(n: int) -> int:
        return 2 * n

    assert blueno.submit(lambda: double(21)).result(SOON) == 42
    assert blueno.submit(double, 21, name="doubled").name == "doubled"


@pytest.mark.parametrize(
    ("args", "kwargs", "sentence"),
    [
        ((), {}, r"train needs a value for 'lr'\. It is train\(lr: float, epochs: int = 5\)\."),
        ((), {"lr": 1, "epoch": 2}, r"train has no parameter 'epoch'\. Did you mean 'epochs'\?"),
        ((), {"lr": 1, "memry": "8G"}, r"train has no parameter 'memry'\. Did you mean 'memory'\?"),
        ((1, 2, 3), {}, "train takes 2 arguments by place, and 3 were given"),
        ((1,), {"lr": 2}, "train got 'lr' twice"),
    ],
)
def test_wrong_arguments_start_nothing(args: Any, kwargs: Any, sentence: str) -> None:
    before = len(blueno.jobs())
    with pytest.raises(errors.InvalidInput, match=sentence):
        train.submit(*args, **kwargs)
    with pytest.raises(errors.InvalidInput, match=sentence):
        blueno.submit(train, *args, **kwargs)
    assert len(blueno.jobs()) == before


def test_a_name_that_could_be_either_is_asked_about() -> None:
    def greet(name: str) -> str:
        return f"hello {name}"

    with pytest.raises(errors.InvalidInput, match="parameter 'name', which is also an option"):
        blueno.submit(greet, name="you")
    assert blueno.job(greet).submit(name="you").result(SOON) == "hello you"


def test_wrong_options_are_named() -> None:
    with pytest.raises(errors.InvalidInput, match=r"'memry' is no option of a job\. Did you mean memory\?"):
        blueno.job(memry="8G")  # type: ignore[call-overload]
    with pytest.raises(errors.InvalidInput, match="not an amount of memory"):
        blueno.job(memory="much")(train).submit(1)
    with pytest.raises(errors.InvalidInput, match="Did you mean priority"):
        blueno.run_cell("1", prioriti=1)  # type: ignore[call-arg]
    with pytest.raises(errors.InvalidInput, match="it takes no gpu"):
        blueno.job("some-job", gpu=1)  # type: ignore[call-overload]
    assert "to find a job by its name blueno.job('x')" in repr(blueno.job(name="x"))


def test_the_options_are_seen_where_they_may_be_written() -> None:
    for verb in (blueno.submit, blueno.run_cell, blueno.run_notebook, blueno.run_command):
        assert set(DEFAULTS) <= set(inspect.signature(verb).parameters)


def test_it_runs_again_with_other_values() -> None:
    job = train.submit(lr=2)
    assert job.parameters == {"lr": 2, "epochs": 5}
    again = job.rerun(lr=0.5, memory="300M", name="again")
    assert again.result(SOON) == 2.5
    assert (again.name, again._info.resources.memory, again.priority) == ("again", 300_000_000, 1)
    third = again.rerun(epochs=100)
    assert (third.result(SOON), third.parameters) == (50, {"lr": 0.5, "epochs": 100})
    assert job.result(SOON) == 10


def test_values_that_it_does_not_take_start_nothing() -> None:
    job = train.submit(lr=2).wait(SOON)
    with pytest.raises(errors.InvalidInput, match=r"has no parameter 'epoch'\. Did you mean 'epochs'"):
        job.rerun(epoch=1)
    with pytest.raises(errors.InvalidInput, match="epochs is 'many', and takes a whole number"):
        job.rerun(epochs="many")
    with pytest.raises(errors.InvalidInput, match="lr is "):
        job.rerun(lr=1j)
    held = blueno.submit(lambda model, lr=1: lr, {1, 2})
    with pytest.raises(errors.InvalidInput, match="model was sent as it was"):
        held.rerun(model=5)
    assert held.rerun(lr=7).result(SOON) == 7


def test_a_command_runs_again_with_other_words() -> None:
    job = blueno.run_command(["sh", "-c", "echo one"]).wait(SOON)
    assert job.rerun(command="sh -c 'echo two words'").wait(SOON).log() == "two words\n"
    with pytest.raises(errors.InvalidInput, match="not complete"):
        job.rerun(command="sh -c 'echo")


def test_a_function_is_mapped_over_values() -> None:
    jobs = blueno.map(train, [1, 2, 3], [10, 20])
    assert jobs.results(SOON) == [10, 40]
    assert [job.name for job in jobs] == ["trained 1 10", "trained 2 20"]
    assert jobs[0].parameters == {"lr": 1, "epochs": 10}
    assert train.using(name="double").map([4]).results(SOON) == [20]
    with pytest.raises(errors.InvalidInput, match="train takes 2 arguments by place"):
        blueno.map(train, [1], [2], [3])
    with pytest.raises(errors.InvalidInput, match="map takes a function"):
        blueno.map(train)


def test_a_dry_run_tells_and_starts_nothing() -> None:
    before = len(blueno.jobs())
    told = train.using(memory="100M", timeout="2h", environment={"TOKEN": "s3cret"}, dry_run=True).submit(0.5)
    said = repr(told)
    assert "trained (function)" in said
    assert "lr = 0.5, epochs = 5" in said
    assert "100 MB of memory, no GPU, at most 2:00:00" in said
    assert "places" in said
    assert "It is its turn: it starts at once." in said
    assert "TOKEN" in said
    assert "s3cret" not in said + told._repr_html_()  # type: ignore[attr-defined]
    plain = repr(blueno.run_cell("print(1)", requirements=["torch==2"], dry_run=True))
    assert "no time limit" in plain
    assert "an environment of torch==2, which will be built first" in plain
    assert "cell.py (8 B)" in plain
    assert len(blueno.jobs()) == before
    with pytest.raises(errors.InvalidInput, match="not valid Python"):
        blueno.run_cell("1 +", dry_run=True)


def test_a_job_runs_again_in_another_environment(tmp_path: Path) -> None:
    before = blueno.run_command(["python", "-c", "print(5)"]).wait(SOON)
    told = before.rerun(requirements=["torch==2"], command="python -c 'print(6)'", dry_run=True)
    assert "an environment of torch==2, which will be built first" in repr(told)
    other = tmp_path / "python3"
    other.write_text(f'#!/bin/sh\necho another; exec {sys.executable} "$@"\n')
    other.chmod(0o755)
    assert before.rerun(python=other).wait(SOON).log() == "another\n5\n"
    with pytest.raises(errors.InvalidInput, match="There is no Python at '/nowhere'"):
        before.rerun(python="/nowhere")
    with pytest.raises(errors.InvalidInput, match="with the files that it had"):
        before.rerun(files=["x"])


def test_what_a_job_reads_is_known() -> None:
    import numpy as np

    blueno.ingest(np.zeros((6, 4, 4), "uint8"), name="used-digits", labels=[0, 1] * 3)

    def read() -> int:
        import jupyter_blueno

        found = jupyter_blueno.dataset("used-digits").where(label=1)
        found.numpy()
        return len(found.numpy()[0])

    job = blueno.submit(read)
    assert job.result(SOON) == 3
    (used,) = job.datasets
    assert (used.name, used.version, used.filter.label) == ("used-digits", 1, ["1"])
    assert blueno.submit(lambda: 1).wait(SOON).datasets == []
