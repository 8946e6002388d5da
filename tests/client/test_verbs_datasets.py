"""Datasets in a notebook, on a real catalog and real pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import jupyter_blueno as blueno
from jupyter_blueno import errors
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.client import pixels, session
from jupyter_blueno.client.rows import ranges
from jupyter_blueno.config import Config

COUNT = 1200  # more than two pages


@pytest.fixture(scope="module")
def platform(module_config: Config) -> Iterator[Platform]:
    made = Platform(module_config)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def here(platform: Platform) -> Iterator[None]:
    session.use(transport=Context(platform, User("alice")))
    yield
    session.use()


@pytest.fixture
def empty(context: Context, here: None) -> None:
    """A catalog of its own."""
    session.use(transport=context)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.integers(0, 255, (COUNT, 8, 6), "uint8")


@pytest.fixture(scope="module")
def made(platform: Platform, images: np.ndarray) -> blueno.Dataset:
    """Labels count 0 … 9 round and round; every sixth is for testing."""
    session.use(transport=Context(platform, User("alice")))
    split = ["test" if n % 6 == 5 else "train" for n in range(COUNT)]
    return blueno.ingest(images, name="digits", labels=np.arange(COUNT) % 10, split=split)


@pytest.fixture
def digits(made: blueno.Dataset) -> blueno.Dataset:
    return blueno.dataset("digits")


def test_sequence(digits: blueno.Dataset, images: np.ndarray) -> None:
    assert len(digits) == COUNT
    assert digits[0].label == "0"
    assert digits[-1].ordinal == digits[COUNT - 1].ordinal
    assert (digits[7].numpy() == images[7]).all()
    assert digits[7].shape == (8, 6)
    assert digits[7].dtype == "uint8"
    assert digits[7].path is not None
    assert digits[7].path.exists()
    assert [one.ordinal for one in digits[10:20:3]] == [10, 13, 16, 19]
    assert len(digits[5:5]) == 0
    assert [one.ordinal for one in digits[[3, 1, 3]]] == [3, 1, 3]
    assert digits[0] in digits.where(label=0)
    assert digits[1] not in digits.where(label=0)
    with pytest.raises(IndexError, match="1,200 samples"):
        digits[COUNT]
    with pytest.raises(IndexError):
        digits[-COUNT - 1]


def test_iteration_pages_through_everything_in_order(digits: blueno.Dataset) -> None:
    assert [one.ordinal for one in digits] == list(range(COUNT))


def test_iteration_may_be_left(digits: blueno.Dataset) -> None:
    assert next(iter(digits)).ordinal == 0


def test_where(digits: blueno.Dataset) -> None:
    sevens = digits.where(label=7)
    assert len(sevens) == 120
    assert {one.label for one in sevens} == {"7"}
    assert len(digits.where(split="test")) == 200
    both = digits.where(split="test").where(label=[7, "5"])
    assert {(one.split, one.label) for one in both} == {("test", "5"), ("test", "7")}
    assert len(both) == sum(1 for n in range(COUNT) if n % 6 == 5 and n % 10 in (5, 7))
    assert len(digits.where(label=7).where(label=8)) == 0
    assert list(digits.where(label=7).where(label=8)) == []
    assert [one.ordinal for one in digits[100:130].where(label=3)] == [103, 113, 123]
    assert [one.name for one in digits.where(text="0042")] == ["0042"]


def test_facets_count_the_selection(digits: blueno.Dataset) -> None:
    assert digits.labels == [str(n) for n in range(10)]
    assert sorted(digits.splits) == ["test", "train"]
    assert digits.facets["split"] == {"train": 1000, "test": 200}
    assert digits.where(label=7).facets["label"] == {"7": 120}
    assert digits[:10].facets == {"split": {"test": 1, "train": 9}, "label": {str(n): 1 for n in range(10)}}


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ({"label": "cat"}, "digits has no label 'cat'. There is '0', '1'"),
        ({"label": 11}, "digits has no label '11'"),
        ({"label": ["1", "x"]}, "digits has no label 'x'"),
        ({"split": "tets"}, "Did you mean 'test'?"),
        ({"label": ""}, "digits has no label ''"),
    ],
)
def test_unknown_values_say_what_there_is(
    digits: blueno.Dataset, where: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        digits.where(**where)
    assert sentence in caught.value.message


def test_numpy(digits: blueno.Dataset, images: np.ndarray) -> None:
    read, labels = digits.numpy()
    assert (read == images).all()
    assert labels.dtype == np.int64
    assert (labels == np.arange(COUNT) % 10).all()
    read, labels = digits.where(label=3).numpy()
    assert (read == images[3::10]).all()
    order = [9, 2, 2, 1199]
    assert (digits[order].numpy()[0] == images[order]).all()


def test_numpy_of_different_shapes_says_what_to_do() -> None:
    mixed = blueno.ingest([np.zeros((4, 5), "uint8"), np.ones((3, 3), "uint8")], name="mixed")
    with pytest.raises(errors.InvalidInput, match="differ in shape"):
        mixed.numpy()
    assert [one.numpy().shape for one in mixed] == [(4, 5), (3, 3)]


def test_numpy_checks_memory_first(digits: blueno.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "free_memory", lambda: 10_000)
    with pytest.raises(errors.TooLarge, match=r"1,200 samples of digits take 57.6 kB.*\.where"):
        digits.numpy()
    assert digits[:100].numpy()[0].shape == (100, 8, 6)


def test_numpy_of_nothing(digits: blueno.Dataset) -> None:
    with pytest.raises(errors.InvalidInput, match="no samples"):
        digits[:0].numpy()


def test_labels_stay_text_where_they_are_words() -> None:
    pets = blueno.ingest(np.zeros((3, 4, 4), "uint8"), name="pets", labels=["cat", "dog", None])
    assert pets.numpy()[1].tolist() == ["cat", "dog", ""]
    assert [one.name for one in pets.where(label="")] == [pets[2].name]


def test_batches(digits: blueno.Dataset, images: np.ndarray) -> None:
    batches = list(digits.iter(500))
    assert [len(batch) for batch, _ in batches] == [500, 500, 200]
    assert (np.concatenate([batch for batch, _ in batches]) == images).all()
    shuffled = next(digits.iter(COUNT, shuffle=True, seed=3))[1]
    again = next(digits.iter(COUNT, shuffle=True, seed=3))[1]
    assert (shuffled == again).all()
    assert not (shuffled == np.arange(COUNT) % 10).all()
    with pytest.raises(errors.InvalidInput):
        next(digits.iter(0))


def test_names_that_come_nearest(digits: blueno.Dataset) -> None:
    with pytest.raises(errors.NotFound, match="Did you mean 'digits'"):
        blueno.dataset("digit")
    with pytest.raises(errors.NotFound, match=r"There are .*'digits'"):
        blueno.dataset("zebra")


def test_sample_by_name(digits: blueno.Dataset) -> None:
    assert digits["0042"].ordinal == 42
    with pytest.raises(errors.NotFound, match="no sample called 'x'"):
        digits["x"]


def test_looks(digits: blueno.Dataset) -> None:
    text = repr(digits)
    assert "1,200 samples" in text
    assert "train 1,000 · test 200" in text
    html = digits._repr_html_()
    assert "data:image/png;base64," in html
    assert "1,200 samples" in html
    png = digits._blueno_png_()
    assert png is not None
    strip = Image.open(io.BytesIO(png))
    assert strip.size == (20 * 45 - 3, 4 * 59 - 3)  # 64 tiles of 42 × 56, twenty in a row
    assert digits[:10].show()._repr_mimebundle_().keys() == {"text/plain", "image/png"}
    assert digits.where(label=1).show().view["filter"]["label"] == ["1"]
    assert digits[3].show().view == {"type": "sample", "dataset_id": digits.id, "ordinal": 3}
    assert repr(digits[3]) == "<Sample digits[3] '0003': 2D · 8×6 uint8 · label 3 · split train>"
    listed = blueno.datasets()
    assert "digits" in repr(listed)
    assert "1,200" in repr(listed)
    assert "<table" in listed._repr_html_()
    assert ".where(split='test', label=['1', '2'])" in repr(digits.where("test", [1, 2]))


def test_html_is_escaped() -> None:
    named = blueno.ingest(np.zeros((1, 4, 4), "uint8"), name="<b>x</b>", labels=["<script>"])
    for html in (named._repr_html_(), blueno.datasets()._repr_html_()):
        assert "<b>x" not in html
        assert "<script>" not in html


def test_no_datasets_says_what_to_do(empty: None) -> None:
    assert "blueno.prepare('mnist')" in repr(blueno.datasets())
    with pytest.raises(errors.NotFound, match="There are none yet"):
        blueno.dataset("mnist")


def test_ingest_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="need a name"):
        blueno.ingest(np.zeros((2, 4, 4)))
    with pytest.raises(errors.NotFound, match="no file or folder"):
        blueno.ingest(tmp_path / "nothing")
    with pytest.raises(errors.InvalidInput, match="sub-folders"):
        blueno.ingest(tmp_path, labels=[1])
    with pytest.raises(errors.InvalidInput, match="the name second"):
        blueno.ingest("mine", np.zeros((2, 4, 4)))  # type: ignore[arg-type]


def test_files_with_labels_are_registered_where_they_lie(platform: Platform) -> None:
    folder = platform.config.folder("photos")
    paths = [folder / f"{n}.png" for n in range(4)]
    for n, path in enumerate(paths):
        Image.new("L", (4 + n, 4), 50 * n).save(path)
    labels = ["cat", "dog", None, "cat"]
    found = blueno.ingest([str(paths[0]), *paths[1:]], labels=labels, split=["train", "train", "test", None])
    assert found.name == "photos"
    assert [(one.name, one.label, one.split, one.path) for one in found] == [
        (path.name, label, split, path)
        for path, label, split in zip(paths, labels, ["train", "train", "test", None], strict=True)
    ]
    assert [int(one.numpy()[0, 0]) for one in found] == [0, 50, 100, 150]
    numbered = blueno.ingest(
        np.array(paths, object), name="numbered", labels=np.array([0, 1, 1, 0]), class_names=["no", "yes"],
        split="test", names=["a", "b", "c", "d"],
    )  # fmt: skip
    assert [(one.name, one.label) for one in numbered] == [
        ("a", "no"),
        ("b", "yes"),
        ("c", "yes"),
        ("d", "no"),
    ]
    assert numbered.splits == ["test"]
    assert len(blueno.ingest(paths[1], name="alone")) == 1
    with pytest.raises(errors.InvalidInput, match="3 entries, but there are 4"):
        blueno.ingest(paths, name="wrong", labels=[1, 2, 3])


def test_ordinals_as_text() -> None:
    assert ranges([0, 1, 2, 7, 9, 8, 3]) == "0-3,7-9"
    assert ranges(np.array([5])) == "5"
