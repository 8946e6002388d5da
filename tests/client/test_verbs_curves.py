"""Curves of a job from Python: arrays, tables, a DataFrame."""

from __future__ import annotations

import math

import numpy as np
import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.client.curves import Curves, number
from jupyter_blueno.client.jobs import Job

SOON = 60.0  # seconds


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(scope="module")
def job(here: None) -> Job:
    def train() -> None:
        import jupyter_blueno as blueno

        for step in range(3000):
            blueno.log_metrics({"loss": 1 / (1 + step), "<b>": float("nan")}, step=10 * step)

    return blueno.submit(train).wait(SOON)


def test_they_are_arrays_by_name(job: Job) -> None:
    curves = job.metrics()
    loss = curves["loss"]
    assert (loss.steps.dtype, loss.values.dtype, len(curves)) == (np.float64, np.float64, 2)
    assert (loss.count, len(loss) <= 1000, loss.steps[-1]) == (3000, True, 29990)
    assert curves.last["loss"] == loss.last == loss.min == 1 / 3000
    assert loss.max == 1
    assert math.isnan(curves.last["<b>"])
    assert math.isnan(curves["<b>"].min)
    assert (np.diff(loss.times) >= 0).all()
    assert job.metrics(points=5000)["loss"].values.tolist() == [1 / (1 + step) for step in range(3000)]
    with pytest.raises(KeyError, match="loss, <b>"):
        curves["acc"]
    with pytest.raises(errors.InvalidInput, match="10 to 100,000"):
        job.metrics(points=1)


def test_they_look_like_a_table(job: Job) -> None:
    curves = job.metrics()
    text = repr(curves).splitlines()
    assert text[0].split() == ["name", "last", "lowest", "highest", "points"]
    assert text[1].split() == ["loss", "█▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁", "0.0003333", "0.0003333", "1", "3,000"]
    assert text[2].split() == ["<b>", "nan", "nan", "nan", "3,000"]
    html = curves._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<polyline" in html
    assert repr(curves["loss"]) == "<Curve 'loss': 3,000 points, last 0.0003333>"


def test_they_are_a_frame(job: Job) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = job.metrics().to_pandas()
    assert list(frame.columns) == ["name", "step", "time", "value"]
    assert frame[frame.name == "loss"].value.iloc[0] == 1


def test_nothing_logged_says_how() -> None:
    job = blueno.submit(int).wait(SOON)
    curves = job.metrics()
    assert (len(curves), curves.last) == (0, {})
    assert 'blueno.log_metric("loss", loss)' in repr(curves)
    assert isinstance(curves, Curves)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.03125, "0.03125"), (12300.0, "12,300"), (1.23456e-9, "1.235e-09"), (math.inf, "inf"), (3.0, "3")],
)
def test_numbers_are_short(value: float, words: str) -> None:
    assert number(value) == words


def test_checkpoints_are_a_table() -> None:
    def train(step: int) -> str | None:
        import pathlib
        import tempfile

        import jupyter_blueno as blueno

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.pt")
            path.write_bytes(b"w" * 1500)
            return blueno.checkpoint(path, step=step)

    job = blueno.submit(train, 7)
    kept = job.result(SOON)
    (one,) = job.checkpoints()
    assert (one.path, one.step, one.size) == (kept, 7, 1500)
    assert repr(job.checkpoints()).splitlines()[1].split() == ["7", "1.5", "kB", "now", kept]
    assert kept in job.checkpoints()._repr_html_()
    assert "blueno.checkpoint(path)" in repr(blueno.submit(int).wait(SOON).checkpoints())
