"""From what is asked over the contract to pixels."""

from __future__ import annotations

import io
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import errors
from jupyter_blueno.api.catalog import CreateDataset, RegisterSample, create_dataset, register_sample
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.images import (
    PictureRef,
    SliceRef,
    Thumbnails,
    VolumeRef,
    get_picture,
    get_slice,
    get_thumbnails,
    get_volume,
)
from jupyter_blueno.api.operation import Content
from jupyter_blueno.imaging.pack import ThumbnailPack


@pytest.fixture
def folder(context: Context, tmp_path: Path) -> Path:
    """A folder that may be read."""
    made = tmp_path / "files"
    made.mkdir()
    context.config.roots = [str(made)]
    return made


@pytest.fixture
def volume(folder: Path) -> tuple[Path, np.ndarray]:
    """A volume that is stored left-to-right reversed, as (path, RAS+ array)."""
    array = np.random.default_rng(1).integers(-900, 900, (7, 9, 5), np.int16)
    path = folder / "brain.nii.gz"
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-2.0, 1, 3, 1])), path)
    return path, array[::-1]


def pixels(answer: Content) -> np.ndarray:
    shape = [int(n) for n in answer.headers["X-Blueno-Shape"].split(",")]
    return np.frombuffer(answer.body, answer.headers["X-Blueno-Dtype"]).reshape(shape)


def test_a_volume_by_path(context: Context, volume: tuple[Path, np.ndarray]) -> None:
    path, ras = volume
    info = get_volume(context, VolumeRef(path=str(path)))
    assert (info.wire_type, info.oriented, info.shape) == ("int16", True, [7, 9, 5])
    assert (info.coronal.left, info.sagittal.left, info.axial.top) == ("R", "A", "A")
    assert (info.sagittal.column_mm, info.sagittal.row_mm, info.axial.column_mm) == (1, 3, 2)
    answer = get_slice(context, SliceRef("axial", 3, path="brain.nii.gz", tag=info.tag))
    assert answer.max_age > 0
    np.testing.assert_array_equal(pixels(answer), ras[:, :, 3].T[::-1, ::-1])


@pytest.mark.parametrize("packed", [False, True])
def test_a_volume_in_colour(context: Context, folder: Path, packed: bool) -> None:
    array = np.random.default_rng(1).integers(0, 255, (7, 9, 5, 3), np.uint8)
    voxels = array.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    path = f"colour.nii{'.gz' * packed}"
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-2.0, 1, 3, 1])), folder / path)
    info = get_volume(context, VolumeRef(path=path))
    assert (info.channels, info.wire_type, info.shape, info.window, info.level) == (
        3, "uint8", [7, 9, 5], 255, 127.5,
    )  # fmt: skip
    ras = array[::-1]
    for plane, index, expected in (
        ("axial", 3, ras[::-1, ::-1, 3].swapaxes(0, 1)),
        ("coronal", 8, ras[::-1, 8, ::-1].swapaxes(0, 1)),
        ("sagittal", 0, ras[0, ::-1, ::-1].swapaxes(0, 1)),
    ):
        answer = get_slice(context, SliceRef(plane, index, path=path, tag=info.tag))
        np.testing.assert_array_equal(pixels(answer), expected)
    with Image.open(io.BytesIO(get_picture(context, PictureRef(path=path)).body)) as shown:
        assert shown.mode == "RGB"


def test_a_changed_volume_is_not_mixed_with_the_old_one(
    context: Context, volume: tuple[Path, np.ndarray]
) -> None:
    path, _ = volume
    tag = get_volume(context, VolumeRef(path=str(path))).tag
    nibabel.save(nibabel.Nifti1Image(np.full((7, 9, 5), 3, np.int16), np.eye(4)), path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(errors.Conflict) as caught:
        get_slice(context, SliceRef("axial", 3, path=str(path), tag=tag))
    assert caught.value.code == "volume_changed"
    fresh = get_slice(context, SliceRef("axial", 3, path=str(path)))
    assert fresh.max_age == 0
    assert set(fresh.body[::2]) == {3}


def test_a_sample_is_found_by_ordinal(context: Context, volume: tuple[Path, np.ndarray]) -> None:
    path, ras = volume
    dataset = create_dataset(context, CreateDataset("brains"))
    ask = RegisterSample(dataset.id, "one", path.as_uri(), kind="volume3d")
    sample = register_sample(context, ask)
    answer = get_slice(context, SliceRef("sagittal", 2, dataset.id, sample.ordinal))
    np.testing.assert_array_equal(pixels(answer), ras[2].T[::-1, ::-1])
    drawn = Image.open(io.BytesIO(get_picture(context, PictureRef(dataset.id, sample.ordinal)).body))
    assert (drawn.format, drawn.size) == ("PNG", (14, 9))


def test_a_photo_is_passed_on_and_a_large_one_made_smaller(context: Context, folder: Path) -> None:
    Image.effect_noise((900, 600), 60).convert("RGB").save(folder / "a.jpg")
    whole = get_picture(context, PictureRef(path="a.jpg"))
    assert whole.body == (folder / "a.jpg").read_bytes()
    assert whole.media_type == "image/jpeg"
    small = Image.open(io.BytesIO(get_picture(context, PictureRef(path="a.jpg", max_size=300)).body))
    assert small.size == (300, 200)
    Image.fromarray(np.arange(6000, dtype=np.uint16).reshape(60, 100)).save(folder / "deep.png")
    deep = get_picture(context, PictureRef(path="deep.png"))
    assert deep.media_type == "image/png"
    assert Image.open(io.BytesIO(deep.body)).mode == "L"


@pytest.mark.parametrize(
    ("ask", "error", "code"),
    [
        (VolumeRef(path="../../etc/passwd"), errors.OutsideRoots, "outside_roots"),
        (VolumeRef(path="link.nii"), errors.OutsideRoots, "outside_roots"),
        (VolumeRef(path="none.nii"), errors.NotFound, "file_missing"),
        (VolumeRef(path="a.jpg", dataset_id=1), errors.InvalidInput, "bad_reference"),
        (VolumeRef(), errors.InvalidInput, "bad_reference"),
        (VolumeRef(path="/"), errors.InvalidInput, "bad_reference"),
        (VolumeRef(path="text.nii"), errors.UnreadableData, "broken_header"),
    ],
)
def test_what_cannot_be_shown(
    context: Context, folder: Path, ask: VolumeRef, error: type[errors.BluenoError], code: str
) -> None:
    (folder / "link.nii").symlink_to("/etc/passwd")
    (folder / "text.nii").write_text("hello " * 100)
    with pytest.raises(error) as caught:
        get_volume(context, ask)
    assert caught.value.code == code


def test_thumbnails_of_many_samples(context: Context) -> None:
    dataset = create_dataset(context, CreateDataset("digits"))
    pack = ThumbnailPack(context.config.folder("thumbnails", dataset.id))
    pack.append_raw(0, np.zeros((10, 28, 28), np.uint8))
    answer = get_thumbnails(context, Thumbnails(dataset.id, "0-9", revision=4))
    assert len(answer.body) == 8 + 10 * (16 + 784)
    assert answer.max_age > 0
    assert get_thumbnails(context, Thumbnails(dataset.id, "0-10", revision=4)).max_age == 0
    with pytest.raises(errors.NotFound):
        get_thumbnails(context, Thumbnails(dataset.id + 1, "0"))
    with pytest.raises(errors.InvalidInput):
        get_thumbnails(context, Thumbnails(dataset.id, "0-5000"))
