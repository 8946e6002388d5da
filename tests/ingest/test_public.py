"""Public sets: the real builders of TensorFlow Datasets, on small archives, without a network."""

from __future__ import annotations

import importlib.util
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import imaging
from jupyter_blueno.api.catalog import ListDatasets, list_datasets
from jupyter_blueno.api.images import PictureRef, get_picture
from jupyter_blueno.api.ingest import list_public_sets
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.catalog.location import local_path
from jupyter_blueno.errors import InvalidInput, MissingDependency, NotFound, OutsideRoots
from jupyter_blueno.imaging.formats.prepared import open_prepared, parse_example
from jupyter_blueno.imaging.thumbnails import ThumbnailPack
from jupyter_blueno.ingest.model import PublicSource
from jupyter_blueno.ingest.sources import public
from tests.ingest import archives

pytest.importorskip("tensorflow_datasets")

ORIGINAL = 21


@pytest.fixture
def manual(context):
    return context.config.folder("tfds", "downloads", "manual")


@pytest.fixture
def pixels_of(context):
    def read(sample):
        path = local_path(context.config, sample.data_url)
        return imaging.open(path, sample.data_key).array

    return read


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestBuilders:
    def test_mnist(self, context, ingest, samples, manual, pixels_of):
        files, pixels = archives.mnist(manual, 50, 20)
        with archives.offline(files, mnist___TRAIN_EXAMPLES=50, mnist___TEST_EXAMPLES=20):
            dataset, told = ingest("mnist", PublicSource("mnist"))
        found = samples(dataset)
        assert dataset.version.problems == []
        assert Counter(one.split for one in found) == {"train": 50, "test": 20}
        assert {one.label for one in found} == {str(n) for n in range(10)}
        assert (found[0].name, found[0].data_key) == ("train/0", "train/0")
        assert (found[0].shape, found[0].dtype, found[0].kind) == ([28, 28], "uint8", "image2d")
        assert all(pixels_of(one)[0, 0] == int(one.label) for one in found)
        for split, originals in pixels.items():
            read = [pixels_of(one).tobytes() for one in found if one.split == split]
            assert sorted(read) == sorted(image.tobytes() for image in originals)
        tile = ThumbnailPack(context.config.folder("thumbnails", dataset.id)).tiles([3])[0]
        assert tile.content == pixels_of(found[3]).tobytes()
        assert told[-1].done == told[-1].total == 70
        served = get_picture(context, PictureRef(dataset.id, found[3].ordinal))
        with Image.open(io.BytesIO(served.body)) as shown:
            assert (np.asarray(shown.convert("L")) == pixels_of(found[3])).all()

        import tensorflow_datasets as tfds

        source = tfds.data_source("mnist:3.0.1", data_dir=context.config.home_path / "tfds", split="train")
        for n in (0, 17, 49):
            assert (source[n]["image"][..., 0] == pixels_of(found[n])).all()
            assert str(source[n]["label"]) == found[n].label

        loaded = tfds.load("mnist:3.0.1", data_dir=context.config.home_path / "tfds", split="train")
        streamed = {one["image"].tobytes(): one["label"] for one in loaded.as_numpy_iterator()}
        assert len(streamed) == 50
        digits = [one for one in found if one.split == "train"]
        assert all(streamed[pixels_of(one).tobytes()] == int(one.label) for one in digits)

    def test_a_set_that_was_prepared_without_tfrecord_gets_it_later(self, context, ingest, manual):
        import tensorflow_datasets as tfds

        home = context.config.home_path / "tfds"
        files, _ = archives.mnist(manual, 50, 20)
        with archives.offline(files, mnist___TRAIN_EXAMPLES=50, mnist___TEST_EXAMPLES=20):
            ingest("mnist", PublicSource("mnist", tfrecord=False))
            with pytest.raises(NotImplementedError):
                tfds.load("mnist:3.0.1", data_dir=home, split="train")
            (folder,) = (home / "mnist").iterdir()
            (folder / "incomplete.mnist-train.tfrecord-00000-of-00001").write_bytes(b"killed meanwhile")
            ingest("again", PublicSource("mnist"))
        assert len(tfds.load("mnist:3.0.1", data_dir=home, split="train")) == 50
        assert len(tfds.data_source("mnist:3.0.1", data_dir=home, split="test")) == 20
        assert not list(folder.glob("incomplete.*"))

    def test_what_lies_prepared_for_everybody_is_read_where_it_is(
        self, context, ingest, samples, manual, pixels_of, tmp_path
    ):
        files, _ = archives.mnist(manual, 50, 20)
        with archives.offline(files, mnist___TRAIN_EXAMPLES=50, mnist___TEST_EXAMPLES=20):
            public.prepare(context.config, "mnist", lambda _: None)
        common = tmp_path / "datasets"
        common.mkdir()
        (context.config.home_path / "tfds").rename(common / "tfds")
        assert not next(one for one in public.list_sets(context.config) if one.name == "mnist").prepared
        context.config.datasets = str(common)
        assert next(one for one in public.list_sets(context.config) if one.name == "mnist").prepared
        before = sorted(common.rglob("*"))
        dataset, _ = ingest("mnist", PublicSource("mnist"))
        found = samples(dataset)
        assert (len(found), dataset.version.problems) == (70, [])
        assert all(pixels_of(one)[0, 0] == int(one.label) for one in found)
        assert found[0].data_url.startswith(common.as_uri())
        assert sorted(common.rglob("*")) == before  # nothing is written there
        context.config.datasets = ""
        with pytest.raises(OutsideRoots):
            pixels_of(found[0])

    def test_cats_vs_dogs(self, ingest, samples, manual, pixels_of):
        files = archives.cats_vs_dogs(manual, each=8)
        with archives.offline(files, cats_vs_dogs___NUM_CORRUPT_IMAGES=0):
            dataset, _ = ingest("pets", PublicSource("cats_vs_dogs"))
        found = samples(dataset)
        assert Counter((one.split, one.label) for one in found) == {("train", "cat"): 8, ("train", "dog"): 8}
        for one in found:
            image = pixels_of(one)
            assert list(image.shape) == one.shape
            assert (image.mean() > 128) == (one.label == "cat")
            assert one.attributes["image/filename"].startswith(f"PetImages/{one.label.capitalize()}/")

    def test_cifar10(self, ingest, samples, manual, pixels_of):
        files, test_pictures = archives.cifar10(manual, each=20)
        with archives.offline(files):
            dataset, _ = ingest("cifar10", PublicSource("cifar10"))
        found = samples(dataset)
        assert Counter(one.split for one in found) == {"train": 100, "test": 20}
        names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
        for one in found:
            assert one.label == names[pixels_of(one)[0, 0, 0]]
        read = [pixels_of(one).tobytes() for one in found if one.split == "test"]
        assert sorted(read) == sorted(image.tobytes() for image in test_pictures)

    def test_horses_or_humans(self, ingest, samples, manual, pixels_of):
        with archives.offline(archives.horses_or_humans(manual, each=3)):
            dataset, _ = ingest("horses", PublicSource("horses_or_humans"))
        found = samples(dataset)
        assert Counter((one.split, one.label) for one in found) == {
            (split, label): 3 for split in ("train", "test") for label in ("horses", "humans")
        }
        assert all((pixels_of(one).mean() > 128) == (one.label == "horses") for one in found)

    def test_voc_has_boxes_sizes_and_no_label_of_its_own(self, ingest, samples, manual, pixels_of):
        with archives.offline(archives.voc(manual, each=4)):
            dataset, _ = ingest("voc", PublicSource("voc/2007"))
        found = samples(dataset)
        assert Counter(one.split for one in found) == {"train": 4, "validation": 4, "test": 4}
        for one in found:
            n = int(one.attributes["image/filename"].removesuffix(".jpg")[-1])
            assert one.label is None
            assert one.shape == list(pixels_of(one).shape) == [30, 40 + n, 3]
            assert sorted(one.attributes["labels"]) == ["cat", "dog"][1 - n % 2 :]

    def test_pets_have_a_mask_beside_the_picture(self, ingest, samples, manual, pixels_of):
        with archives.offline(archives.oxford_iiit_pet(manual, each=4)):
            dataset, _ = ingest("pets", PublicSource("oxford_iiit_pet"))
        found = samples(dataset)
        assert Counter((one.split, one.label) for one in found) == {
            (split, label): 2 for split in ("train", "test") for label in ("Abyssinian", "american_bulldog")
        }
        for one in found:
            n = int(one.attributes["file_name"].removesuffix(".jpg")[-1])
            assert one.attributes["species"] == ("Dog" if n % 2 else "Cat")
            pixels = pixels_of(one)
            assert pixels.shape == (40 + n, 50, 3)
            assert abs(int(pixels[0, 0, 0]) - (60 + n)) <= 2  # the picture, not the mask
            right = 0.5 if one.split == "train" else 0
            assert one.attributes["head_bbox"]["xmax"] == right

    def test_the_first_of_two_pictures_is_shown(self, ingest, samples, manual, pixels_of):
        files, pairs = archives.smallnorb(manual, each=10)
        with archives.offline(files):
            dataset, _ = ingest("norb", PublicSource("smallnorb"))
        found = samples(dataset)
        assert Counter(one.split for one in found) == {"train": 10, "test": 10}
        assert {one.label for one in found} == {
            "four-legged animals", "human figures", "airplanes", "trucks", "cars",
        }  # fmt: skip
        for split, pixels in pairs.items():
            read = [pixels_of(one).tobytes() for one in found if one.split == split]
            assert sorted(read) == sorted(pair[0].tobytes() for pair in pixels)

    def test_prepared_again_without_tensorflow(self, context, ingest, samples, manual, monkeypatch):
        files, _ = archives.mnist(manual, 20, 10)
        with archives.offline(files, mnist___TRAIN_EXAMPLES=20, mnist___TEST_EXAMPLES=10):
            ingest("first", PublicSource("mnist"))
        found = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "tensorflow" else found(name)
        )
        monkeypatch.setattr(
            "tensorflow_datasets.builder", lambda *_, **__: pytest.fail("it is prepared already")
        )
        second, _ = ingest("second", PublicSource("mnist"))
        assert len(samples(second)) == 30
        assert next(one for one in public.list_sets(context.config) if one.name == "mnist").prepared


def test_the_list_has_the_original_sets_first(context):
    sets = list_public_sets(context, Nothing()).sets
    assert [one.original for one in sets[: ORIGINAL + 1]] == [True] * ORIGINAL + [False]
    assert len(sets) > 100
    assert len({one.name for one in sets}) == len(sets)
    by_name = {one.name: one for one in sets}
    assert by_name["mnist"].download_bytes == 11_594_722
    assert not by_name["mnist"].prepared
    assert by_name["imagenet2012"].manual
    assert (
        str(context.config.home_path / "tfds" / "downloads" / "manual")
        in by_name["imagenet2012"].instructions
    )
    assert all(one.title and one.description for one in sets[:ORIGINAL])


def test_an_unknown_set_is_refused_at_once(ingest):
    for name in ("mnitst", "imdb_reviews", "../mnist", "mnist; rm -rf", ""):
        with pytest.raises(NotFound):
            ingest("x", PublicSource(name))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mnsit", "Did you mean 'mnist'"),
        ("mnist/nope", "'mnist' has no configurations, so there is no 'nope'"),
        ("cifar10_corrupted/blur_1", "'motion_blur_1'"),
        ("coco/2015", "There is 2014, 2017, 2017_panoptic"),
        ("mnist:9.9.9", "'mnist' has no version '9.9.9'. There is 3.0.1"),
    ],
)
def test_a_name_that_is_nearly_right_is_refused_with_the_right_one(context, ingest, name, said):
    with pytest.raises(NotFound) as raised:
        ingest("x", PublicSource(name))
    assert said in raised.value.message
    assert list_datasets(context, ListDatasets()).datasets == []


def test_the_list_is_that_of_the_installed_release():
    """After an upgrade of tensorflow-datasets: run scripts/public-sets."""
    assert public._installed() == public._list()["tfds"]


def test_without_tensorflow_the_line_that_installs_it_is_said(ingest, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorflow" else found(name)
    )
    with pytest.raises(MissingDependency, match=r"pip install 'jupyter-blueno\[tensorflow\]'"):
        ingest("x", PublicSource("mnist"))


def test_files_that_a_person_must_fetch_are_named_with_their_folder(context, ingest):
    with pytest.raises(InvalidInput) as raised:
        ingest("x", PublicSource("imagenet2012"))
    assert raised.value.code == "manual_download"
    assert "downloads/manual" in raised.value.message
    assert "ILSVRC2012_img_train.tar" in raised.value.message


def test_custom_sets_are_read_whatever_their_features(tmp_path):
    import tensorflow_datasets as tfds

    class Odd(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict(
                {
                    "wide": tfds.features.Image(shape=(6, 5, 1), dtype=np.uint16),
                    "kind": tfds.features.ClassLabel(names=["left", "right"]),
                    "weight": np.float32,
                    "count": np.int64,
                    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["a", "b"])),
                    "note": tfds.features.Text(),
                }
            )
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(), "test": self._generate_examples()}

        def _generate_examples(self):
            for n in range(3):
                image = np.full((6, 5, 1), 1000 * n, np.uint16)
                yield n, {
                    "wide": image, "kind": n % 2, "weight": n / 2, "count": -n, "tags": [1, 0][: n + 1],
                    "note": f"né {n}",
                }  # fmt: skip

    builder = Odd(data_dir=tmp_path, file_format="array_record")
    builder.download_and_prepare()
    prepared = open_prepared(builder.data_path.as_posix())
    decoders = {"wide": tfds.decode.SkipDecoding()}  # TFDS needs OpenCV for 16 bit, we do not
    expected = builder.as_data_source(split="train", decoders=decoders)
    for n, record in enumerate(prepared.records("train", 0, 3)):
        pixels = prepared.pixels(record)
        assert (pixels.shape, pixels.dtype) == ((6, 5), np.uint16)
        assert (pixels == 1000 * -expected[n]["count"]).all()
        assert prepared.label_name("kind", record["kind"][0]) == ["left", "right"][expected[n]["kind"]]
        attributes = prepared.attributes(record)
        assert attributes["weight"] == expected[n]["weight"]
        assert attributes["count"] == expected[n]["count"]
        assert attributes["note"] == expected[n]["note"].decode()
        tags = attributes["tags"]
        assert tags == ["ab"[tag] for tag in expected[n]["tags"]]


def test_a_damaged_record_is_an_error_of_ours():
    from jupyter_blueno.errors import UnreadableData

    for raw in (b"\x0a\xff\x01", b"\x0a\x05\x0a\x03\x0a\x09a", b"\xff" * 30, b"\x0b"):
        with pytest.raises(UnreadableData):
            parse_example(raw)
