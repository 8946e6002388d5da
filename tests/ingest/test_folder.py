"""Folders of images and volumes, registered where they lie."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pydicom.data
import pytest

from jupyter_blueno.api.context import Context
from jupyter_blueno.errors import InvalidInput, NotFound, OutsideRoots
from jupyter_blueno.imaging.thumbnails import ThumbnailPack
from jupyter_blueno.ingest.model import FileSource, FolderSource
from jupyter_blueno.ingest.sources import folder
from tests.ingest.conftest import write_picture


@pytest.fixture
def root(context: Context) -> Path:
    return context.config.folder("pictures")


def test_folders_are_labels_and_splits(ingest, samples, root):
    for split in ("training", "Test", "valid"):
        for label in ("cat", "dog"):
            for n in (10, 9):
                write_picture(root / split / label / f"img{n}.jpg")
    dataset, told = ingest("pets", FolderSource(str(root)))
    found = samples(dataset)
    assert dataset.version.state == "ready"
    assert Counter((one.split, one.label) for one in found) == {
        (split, label): 2 for split in ("train", "test", "val") for label in ("cat", "dog")
    }
    assert found[0].name == "Test/cat/img9.jpg"  # before img10
    assert found[0].data_url == (root / "Test/cat/img9.jpg").as_uri()
    assert (found[0].shape, found[0].dtype, found[0].kind) == ([30, 40, 3], "uint8", "image2d")
    assert found[0].bytes == (root / "Test/cat/img9.jpg").stat().st_size
    assert dataset.root == str(root)
    assert told[-1].done == told[-1].total == 12


def test_every_sample_has_a_thumbnail(context, ingest, root):
    for n in range(7):
        write_picture(root / f"{n}.png", value=30 * n, size=(500, 375))
    dataset, _ = ingest("seven", FolderSource(str(root)))
    pack = ThumbnailPack(context.config.folder("thumbnails", dataset.id))
    assert [(tile.width, tile.height) for tile in pack.tiles(range(7))] == [(128, 96)] * 7


def test_other_files_are_silent_and_broken_ones_are_named(ingest, samples, root):
    write_picture(root / "good.png")
    (root / "notes.txt").write_text("no picture")
    (root / ".hidden.png").write_bytes(b"")
    (root / "text.dcm").write_text("this is text")
    whole = write_picture(root / "cut.jpg", size=(600, 600)).read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    dataset, _ = ingest("mixed", FolderSource(str(root)))
    assert [one.name for one in samples(dataset)] == ["good.png"]
    assert {one.name for one in dataset.version.problems} == {"cut.jpg", "text.dcm"}
    assert all(one.code and one.message.endswith(".") for one in dataset.version.problems)


def test_a_link_out_of_the_folder_is_a_problem(ingest, samples, root, tmp_path):
    inside = write_picture(root / "a" / "one.png")
    outside = write_picture(tmp_path / "secret.png")
    (root / "a" / "out.png").symlink_to(outside)
    (root / "out").symlink_to(tmp_path)
    (root / "a" / "in.png").symlink_to(inside)
    (root / "a" / "circle").symlink_to(root)
    dataset, _ = ingest("links", FolderSource(str(root)))
    assert [one.name for one in samples(dataset)] == ["a/in.png", "a/one.png"]
    assert {one.name: one.code for one in dataset.version.problems} == {
        "a/out.png": "outside_roots",
        "out": "outside_roots",
    }


def test_a_folder_with_a_dicom_series_is_one_volume(ingest, samples, root):
    for patient in ("p1", "p2"):
        write_series(root / "tumour" / patient, slices=4)
    dataset, _ = ingest("scans", FolderSource(str(root)))
    found = samples(dataset)
    assert [(one.name, one.label, one.kind) for one in found] == [
        ("tumour/p1", "tumour", "volume3d"),
        ("tumour/p2", "tumour", "volume3d"),
    ]
    assert found[0].shape == [4, 128, 128]
    assert found[0].data_url == (root / "tumour" / "p1").as_uri()


def test_two_series_in_a_folder_are_two_volumes(ingest, samples, root):
    write_series(root / "study", slices=3, uid="1.2.3")
    write_series(root / "study", slices=5, uid="1.2.4")
    (root / "study" / "notes.dcm").write_text("no dicom")
    dataset, _ = ingest("study", FolderSource(str(root)))
    found = {one.name: one for one in samples(dataset)}
    assert {name: one.shape[0] for name, one in found.items()} == {"study/1.2.3": 3, "study/1.2.4": 5}
    assert found["study/1.2.3"].data_key == "1.2.3"
    assert [one.name for one in dataset.version.problems] == ["study/notes.dcm"]


def test_volumes_by_path(ingest, samples, root):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    nibabel.save(
        nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), affine), root / "v.nii.gz"
    )
    np.save(root / "v.npy", np.zeros((4, 5, 6), np.float32) + np.arange(6, dtype=np.float32))
    write_series(root / "ct", slices=3)
    paths = [str(root / name) for name in ("v.nii.gz", "v.npy", "ct")]
    dataset, _ = ingest("volumes", FileSource(paths))
    found = samples(dataset)
    assert [(one.name, one.kind, one.shape) for one in found] == [
        ("v.nii.gz", "volume3d", [3, 4, 5]),
        ("v.npy", "volume3d", [4, 5, 6]),
        ("ct", "volume3d", [3, 128, 128]),
    ]
    assert found[0].spacing == [1.0, 2.0, 3.0]


def test_files_with_columns(ingest, samples, root):
    write_series(root / "ct", slices=3)
    paths = [
        write_picture(root / "a" / "x.png"),
        write_picture(root / "b" / "x.png"),
        root / "ct",
        root / "a",
    ]
    source = FileSource([str(one) for one in paths], labels=["one", None, "three", "four"])
    dataset, _ = ingest("files", source)
    assert [(one.name, one.label) for one in samples(dataset)] == [
        ("x.png", "one"), ("x.png (2)", None), ("ct", "three"), ("a/x.png", "four"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"labels": ["a"]}, {"splits": ["a", "b", "c"]}, {"names": ["a", "a"]}, {"names": ["a", " "]},
     {"labels": ["a", "x" * 1000]}, {"labels": ["a", "\0"]}],
    ids=str,
)  # fmt: skip
def test_columns_that_do_not_fit(ingest, root, wrong):
    paths = [str(write_picture(root / f"{n}.png")) for n in range(2)]
    with pytest.raises(InvalidInput):
        ingest("wrong", FileSource(paths, **wrong))


def test_what_cannot_become_a_dataset_is_refused_at_once(context, ingest, root, tmp_path):
    with pytest.raises(InvalidInput, match="is empty"):
        ingest("empty", FolderSource(str(root)))
    with pytest.raises(NotFound, match="There is no folder"):
        ingest("missing", FolderSource(str(root / "missing")))
    outside = write_picture(tmp_path / "elsewhere" / "a.png").parent
    with pytest.raises(OutsideRoots):
        ingest("outside", FolderSource(str(outside)))
    with pytest.raises(OutsideRoots):
        ingest("passwd", FileSource(["../../../../etc/passwd"]))
    from jupyter_blueno.api.catalog import ListDatasets, list_datasets

    assert list_datasets(context, ListDatasets()).datasets == []


def test_a_folder_without_images_fails_with_a_sentence(context, ingest, root):
    (root / "readme.txt").write_text("nothing here")
    with pytest.raises(InvalidInput, match="no images or volumes"):
        ingest("nothing", FolderSource(str(root)))
    from jupyter_blueno.api.catalog import ListDatasets, list_datasets

    (dataset,) = list_datasets(context, ListDatasets()).datasets
    assert dataset.version.state == "failed"
    assert "no images or volumes" in dataset.version.reason


def test_natural_order():
    names = ["img10", "IMG2", "img1", "a"]
    assert sorted(names, key=folder.natural) == ["a", "img1", "IMG2", "img10"]


def test_a_link_to_nothing_is_a_problem(root):
    write_picture(root / "good.png")
    os.symlink(root / "gone.png", root / "dangling.png")
    found, problems = folder.scan(root)
    assert [one.name for one in found] == ["good.png"]
    assert [(one.name, one.code) for one in problems] == [("dangling.png", "not_a_file")]


def write_series(target: Path, slices: int, uid: str = "1.2.826.1") -> None:
    """A CT series of real headers: pydicom's CT_small, at several positions."""
    target.mkdir(parents=True, exist_ok=True)
    source = pydicom.data.get_testdata_file("CT_small.dcm")
    assert source is not None
    for n in range(slices):
        data = pydicom.dcmread(source)
        data.SeriesInstanceUID = uid
        data.SOPInstanceUID = f"{uid}.{n}"
        data.ImagePositionPatient = [0, 0, 2.0 * n]
        data.InstanceNumber = n + 1
        data.save_as(target / f"{uid}-{n}.dcm")
    shutil.copystat(source, target)
