"""Pixels that are in memory."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import imaging
from jupyter_blueno.api.catalog import ListDatasets, list_datasets
from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.location import local_path
from jupyter_blueno.errors import AlreadyExists, InvalidInput, TooLarge
from jupyter_blueno.imaging.thumbnails import ThumbnailPack
from jupyter_blueno.ingest.sources.arrays import blocks_of, ingest_arrays
from tests.ingest.conftest import digits


@pytest.fixture
def through_operations(context):
    return OperationsDestination(lambda operation, ask: operation(context, ask))


@pytest.fixture
def pixels_of(context):
    def read(sample):
        return np.asarray(imaging.open(local_path(context.config, sample.data_url), sample.data_key).numpy())

    return read


class Tensor:
    """What torch and TensorFlow have in common, as far as we look."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


def test_pixels_labels_and_tiles_come_back(context, through_operations, samples, pixels_of):
    images = digits(57)
    told = []
    dataset = ingest_arrays(
        through_operations,
        "digits",
        images,
        labels=np.arange(57) % 3,
        class_names=["none", "one", "two"],
        split=["train"] * 50 + ["test"] * 7,
        description="some",
        progress=told.append,
    )
    found = samples(dataset)
    assert (dataset.version.state, dataset.version.sample_count, dataset.label_count) == ("ready", 57, 3)
    assert [one.label for one in found[:4]] == ["none", "one", "two", "none"]
    assert [one.split for one in found[49:51]] == ["train", "test"]
    assert [one.name for one in found[:2]] == ["00", "01"]
    assert all((pixels_of(one) == image).all() for one, image in zip(found, images, strict=True))
    tiles = ThumbnailPack(context.config.folder("thumbnails", dataset.id)).tiles(range(57))
    assert [tile.content for tile in tiles] == [image.tobytes() for image in images]
    assert told[-1].done == told[-1].total == 57


@pytest.mark.parametrize(
    ("make", "shape", "kind"),
    [
        (lambda: np.zeros((2, 9, 8, 3), np.uint8) + 1, [9, 8, 3], "image2d"),
        (lambda: np.zeros((2, 9, 8, 1), np.uint8) + 1, [9, 8], "image2d"),
        (lambda: Tensor(np.ones((2, 3, 9, 8), np.float32)), [9, 8, 3], "image2d"),  # torch's order
        (lambda: Tensor(np.ones((2, 1, 9, 8), np.float32)), [9, 8], "image2d"),
        (lambda: np.arange(2 * 7 * 9 * 8, dtype=np.int16).reshape(2, 7, 9, 8), [7, 9, 8], "volume3d"),
        (lambda: np.ones((2, 7, 9, 8, 3), np.uint8), [7, 9, 8, 3], "volume3d"),
        (lambda: [np.ones((7, 9, 8, 3), np.uint8)] * 2, [7, 9, 8, 3], "volume3d"),
        (lambda: np.eye(8, dtype=bool)[None].repeat(2, 0), [8, 8], "image2d"),
        (lambda: [Image.new("RGB", (8, 9)), Image.new("RGB", (8, 9))], [9, 8, 3], "image2d"),
        (lambda: (one for one in np.ones((2, 9, 8), np.uint16)), [9, 8], "image2d"),
    ],
)
def test_shapes(make, shape, kind, destination, samples, pixels_of):
    dataset = ingest_arrays(destination, "shapes", make())
    found = samples(dataset)
    assert [(one.shape, one.kind) for one in found] == [(shape, kind)] * 2
    assert list(pixels_of(found[1]).shape) == shape


def test_unequal_shapes_keep_their_order(destination, samples, pixels_of):
    images = [np.full((4 + n % 3, 5), n, np.uint8) for n in range(9)]
    dataset = ingest_arrays(destination, "mixed", images, labels=[f"l{n}" for n in range(9)])
    for one in samples(dataset):
        n = int(one.name)
        assert one.label == f"l{n}"
        assert (pixels_of(one) == images[n]).all()


def test_a_name_twice_changes_nothing(destination, samples):
    first = ingest_arrays(destination, "twice", digits(5))
    with pytest.raises(AlreadyExists):
        ingest_arrays(destination, "twice", digits(9))
    assert len(samples(first)) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"arrays": np.zeros((0, 28, 28))},
        {"arrays": []},
        {"arrays": np.zeros((28, 28))},
        {"arrays": np.zeros((5, 28, 28), complex)},
        {"arrays": np.array(["a", "b"])},
        {"arrays": [np.zeros((4, 4)), "text"]},
        {"arrays": np.zeros((5, 0, 28))},
        {"arrays": digits(5), "labels": [1, 2]},
        {"arrays": digits(2), "labels": [[1], [2]]},
        {"arrays": digits(5), "labels": "abcde"},
        {"arrays": digits(2), "labels": [0, 7], "class_names": ["a", "b"]},
        {"arrays": digits(2), "names": ["x", "x"]},
        {"arrays": digits(2), "split": ["train"]},
        {"arrays": digits(2), "name": " "},
        {"arrays": digits(2), "name": "n" * 10_000},
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(wrong, context, destination):
    name = wrong.pop("name", "wrong")
    with pytest.raises(InvalidInput) as raised:
        ingest_arrays(destination, name, **wrong)
    assert raised.value.message.rstrip().endswith(".")
    assert list_datasets(context, ListDatasets()).datasets == []
    assert list(context.config.folder("data").iterdir()) == []


def test_a_long_sample_name_is_too_large(destination):
    with pytest.raises(TooLarge):
        ingest_arrays(destination, "long", digits(2), names=["a", "b" * 10_000])


def test_a_run_that_stops_leaves_nothing_half(context, destination):
    images = digits(12_000)

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_arrays(destination, "stopped", images, progress=stop)
    (dataset,) = list_datasets(context, ListDatasets()).datasets
    assert (dataset.version.state, dataset.version.reason) == ("failed", "It was cancelled.")
    assert list(context.config.folder("data", dataset.id).iterdir()) == []
    again = ingest_arrays(destination, "stopped", images[:7])
    assert (again.version.state, again.version.sample_count) == ("ready", 7)


def test_labels_of_any_kind():
    from jupyter_blueno.ingest.sources.arrays import columns_of

    given = [3, 3.0, np.int64(3), "3", b"3", None, float("nan"), 2.5, np.array(3)]
    columns = columns_of(len(given), given, None, None, None)
    assert columns.labels == ["3", "3", "3", "3", "3", None, None, "2.5", "3"]
    assert columns_of(2, np.array([[1], [2]]), None, None, None).labels == ["1", "2"]  # as Keras has it


def test_equal_shapes_are_one_block():
    blocks = blocks_of([np.zeros((4, 5), np.uint8)] * 3 + [np.zeros((4, 5), np.int16)])
    assert [(block.pixels.shape, block.positions.tolist()) for block in blocks] == [
        ((3, 4, 5), [0, 1, 2]),
        ((1, 4, 5), [3]),
    ]
