"""Values of samples from Python: written, computed by a job for a selection, found again in the dataset."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest

import jupyter_blueno as blueno
from jupyter_blueno import errors

SOON = 60.0  # seconds that a small job may take on a busy machine

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(scope="module")
def dots(here: None) -> blueno.Dataset:
    """Twelve pictures, the n-th as bright as n, labelled "even" or "odd"."""
    images = np.repeat(np.arange(12, dtype=np.uint8), 64).reshape(12, 8, 8)
    return blueno.ingest(images, name="dots", labels=["even", "odd"] * 6, wait=True)


def column(dataset: blueno.Dataset, name: str) -> list[float | str | None]:
    return [one.results.get(name) for one in dataset.refresh()]


def test_a_function_is_run_on_a_selection(dots: blueno.Dataset) -> None:
    def brightness(sample: blueno.Sample) -> float:
        return float(sample.numpy().mean())

    job = dots.where(label="odd").apply(brightness)
    assert job.result(SOON) == {"samples": 6, "failed": 0}
    assert job.name == "brightness on dots"
    assert column(dots, "brightness") == [None, 1, None, 3, None, 5, None, 7, None, 9, None, 11]
    assert [int(one) for one in dots.sort("-brightness").ordinals[:3]] == [11, 9, 7]
    assert len(dots.where(having="brightness > 4")) == 4
    assert [one.name for one in dots.columns if one.job_id == job.id] == ["brightness"]
    assert dots.jobs()[0].id == job.id


def test_batches_give_several_columns(dots: blueno.Dataset) -> None:
    def look(images: np.ndarray) -> dict[str, object]:
        assert images.shape[1:] == (8, 8)
        means = images.mean(axis=(1, 2))
        return {"mean": means, "kind": ["dark" if mean < 6 else "bright" for mean in means]}

    assert dots.apply(look, batch_size=5).result(SOON) == {"samples": 12, "failed": 0}
    assert column(dots, "mean") == list(range(12))
    assert column(dots, "kind") == ["dark"] * 6 + ["bright"] * 6


def test_a_sample_that_fails_is_named_and_the_rest_goes_on(dots: blueno.Dataset) -> None:
    def picky(sample: blueno.Sample) -> int:
        if sample.ordinal == 3:
            raise ValueError("not this one")
        return sample.ordinal

    job = dots.apply(picky)
    assert job.result(SOON) == {"samples": 12, "failed": 1}
    assert f"{dots[3].name}: ValueError: not this one" in job.log()
    assert column(dots, "picky")[2:5] == [2, None, 4]


def test_where_all_fail_the_job_fails_with_the_error(dots: blueno.Dataset) -> None:
    def wrong(sample: blueno.Sample) -> int:
        raise KeyError("nothing works")

    with pytest.raises(KeyError, match="nothing works"):
        dots.apply(wrong).result(SOON)
    with pytest.raises(TypeError, match="neither a number nor a text"):
        dots.apply(lambda sample: sample.numpy()).result(SOON)


def test_an_attempt_goes_on_where_the_one_before_was(dots: blueno.Dataset, tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    def killed(sample: blueno.Sample) -> int:
        import os
        import signal
        import time

        from jupyter_blueno.client import columns

        columns.PERIOD = 0.0
        with seen.open("a") as file:
            file.write(f"{sample.ordinal}\n")
        if sample.ordinal == 6 and seen.read_text().count("6") == 1:
            time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        return sample.ordinal

    job = dots.apply(killed, retries=1)
    assert job.result(SOON + 60) == {"samples": 12, "failed": 0}
    assert column(dots, "killed") == list(range(12))
    assert sorted(map(int, seen.read_text().split())) == sorted([*range(12), 6])


def test_a_notebook_finds_its_selection(dots: blueno.Dataset, tmp_path: Path) -> None:
    cells = [
        "import jupyter_blueno as blueno\nmine = blueno.selection()",
        "mine.record(rank=range(len(mine)))\nmine[0].record(first=1)\nprint(mine.name, len(mine))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = tmp_path / "rank.ipynb"
    nbformat.write(notebook, path)
    job = blueno.run_notebook(path, selection=dots.where(label="even")[1:4])
    job.wait(SOON)
    assert job.state == "SUCCEEDED", job.log()
    assert column(dots, "rank") == [None, None, 0, None, 1, None, 2, None, None, None, None, None]
    assert column(dots, "first")[2] == 1


def test_values_of_another_kind_are_refused_in_words(dots: blueno.Dataset) -> None:
    dots.record(words=["a"] * 12)

    def words(sample: blueno.Sample) -> int:
        return 1

    job = dots.apply(words)
    job.wait(SOON)
    assert "The column 'words' has texts, these are numbers" in (job.reason or "")
    assert column(dots, "words") == ["a"] * 12
    assert dots.drop_column("words")
    assert not dots.drop_column("words")


def test_bad_values_are_refused_here(dots: blueno.Dataset) -> None:
    with pytest.raises(errors.InvalidInput, match="11 values for 12 samples"):
        dots.record(dice=[0.5] * 11)
    with pytest.raises(errors.InvalidInput, match="neither a number nor a text"):
        dots.record(dice=[{}] * 12)  # type: ignore[list-item]
    with pytest.raises(errors.InvalidInput, match="no column 'dise'"):
        len(dots.where(having="dise < 1"))
    with pytest.raises(errors.InvalidInput, match="Run on these"):
        blueno.selection()
    with pytest.raises(errors.InvalidInput, match="a function of one sample"):
        dots.apply(3)  # type: ignore[arg-type]
