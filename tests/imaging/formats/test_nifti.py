"""NIfTI, compared with nibabel."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import nibabel
import numpy as np
import pytest

from jupyter_blueno import imaging
from jupyter_blueno.errors import InvalidInput, UnreadableData
from jupyter_blueno.imaging.testing import FormatSuite

OBLIQUE = np.array([[-0.9, 0.1, 0.2, 4], [0.1, 1.9, -0.3, 5], [0, 0.4, 3.0, 6], [0, 0, 0, 1]])


class TestNifti(FormatSuite):
    name = "nifti"
    suffix = ".nii"

    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(-999, 999, (13, 12, 11), np.int16)
        nibabel.save(nibabel.Nifti1Image(array, OBLIQUE), path)
        return array


class TestCompressed(TestNifti):
    suffix = ".nii.gz"


class TestScaled(TestNifti):
    def write(self, path: Path) -> np.ndarray:
        array = super().write(path)
        image = nibabel.Nifti1Image(array, OBLIQUE)
        image.header.set_slope_inter(0.5, -7)
        nibabel.save(image, path)
        return array.astype(np.float32) * 0.5 - 7


class TestVersion2(TestNifti):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).normal(size=(9, 8, 7, 3))
        nibabel.save(nibabel.Nifti2Image(array, OBLIQUE), path)
        return array


class TestColour(TestNifti):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 255, (13, 12, 11, 3), np.uint8)
        voxels = array.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
        nibabel.save(nibabel.Nifti1Image(voxels, OBLIQUE), path)
        return array


class TestColourCompressed(TestColour):
    suffix = ".nii.gz"


class TestBigEndian(TestNifti):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 999, (13, 12, 11)).astype(">u2")
        header = nibabel.Nifti1Header(endianness=">")
        header.set_data_dtype(np.dtype(">u2"))
        nibabel.save(nibabel.Nifti1Image(array, OBLIQUE, header), path)
        return array


def _real() -> list[Path]:
    package = importlib.util.find_spec("nilearn")  # importing it takes seconds, in each process that collects
    assert package is not None
    found = sorted(Path(package.origin or "").parent.glob("datasets/data/mni_icbm152_*.nii.gz"))
    return [*found, Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"]


@pytest.mark.parametrize("path", _real(), ids=lambda path: path.name[:20])
def test_real_volumes_are_as_nibabel_reads_them(path: Path) -> None:
    volume = imaging.open(path)
    assert isinstance(volume, imaging.Volume)
    theirs = nibabel.load(path)
    np.testing.assert_allclose(volume.numpy(), theirs.get_fdata(), rtol=1e-6)
    np.testing.assert_allclose(volume.affine, theirs.affine)
    np.testing.assert_allclose(volume.spacing, theirs.header.get_zooms()[:3], rtol=1e-5)
    canonical = np.asarray(nibabel.as_closest_canonical(theirs).dataobj)
    for frame in range(volume.header.frames):
        ras = canonical[..., frame] if canonical.ndim == 4 else canonical
        middle = [n // 2 for n in ras.shape]
        np.testing.assert_array_equal(
            volume.slice("axial", middle[2], frame), ras[:, :, middle[2]].T[::-1, ::-1]
        )
        np.testing.assert_array_equal(
            volume.slice("coronal", middle[1], frame), ras[:, middle[1]].T[::-1, ::-1]
        )
        np.testing.assert_array_equal(
            volume.slice("sagittal", middle[0], frame), ras[middle[0]].T[::-1, ::-1]
        )


def test_an_uncompressed_volume_is_mapped_not_read(tmp_path: Path) -> None:
    TestNifti().write(tmp_path / "a.nii")
    volume = imaging.open(tmp_path / "a.nii")
    assert isinstance(volume, imaging.Volume)
    base = volume.stored
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert type(base).__name__ == "memmap"


def _raw(path: Path) -> bytearray:
    TestNifti().write(path)
    return bytearray(path.read_bytes())


def _set(data: bytearray, offset: int, values: list[float], dtype: str) -> None:
    data[offset : offset + np.dtype(dtype).itemsize * len(values)] = np.array(values, dtype).tobytes()


@pytest.mark.parametrize(
    ("offset", "values", "dtype", "code"),
    [
        (40, [3, 4000, 4000, 400, 1, 1, 1, 1], "<i2", "truncated"),
        (40, [3, 0, 12, 11, 1, 1, 1, 1], "<i2", "empty_image"),
        (40, [3, -5, 12, 11, 1, 1, 1, 1], "<i2", "empty_image"),
        (40, [60, 1, 1, 1, 1, 1, 1, 1], "<i2", "broken_header"),
        (40, [5, 13, 12, 11, 1, 3, 1, 1], "<i2", "wrong_axes"),
        (70, [128], "<i2", "truncated"),
        (70, [32], "<i2", "unsupported_dtype"),
        (70, [9999], "<i2", "broken_header"),
        (280, [0] * 12, "<f4", "bad_affine"),
        (280, [np.nan] * 12, "<f4", "bad_affine"),
        (280, [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0], "<f4", "bad_affine"),
        (108, [1e12], "<f4", "truncated"),
        (108, [np.nan], "<f4", "broken_header"),
    ],
)
def test_headers_that_lie(tmp_path: Path, offset: int, values: list[float], dtype: str, code: str) -> None:
    data = _raw(tmp_path / "a.nii")
    _set(data, offset, values, dtype)
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises(InvalidInput) as caught:
        imaging.inspect(tmp_path / "a.nii")
    assert caught.value.code == code


def test_negative_voxel_sizes_without_an_affine(tmp_path: Path) -> None:
    data = _raw(tmp_path / "a.nii")
    _set(data, 252, [0, 0], "<i2")  # neither qform nor sform
    (tmp_path / "a.nii").write_bytes(data)
    volume = imaging.open(tmp_path / "a.nii")
    assert not volume.header.oriented
    _set(data, 76, [1, -1, 1, 1], "<f4")
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises(UnreadableData) as caught:
        imaging.open(tmp_path / "a.nii")
    assert caught.value.code == "bad_affine"


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    data = _raw(tmp_path / "a.nii")
    _set(data, 40, [3, 30000, 30000, 30000, 1, 1, 1, 1], "<i2")
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises(InvalidInput) as caught:
        imaging.inspect(tmp_path / "a.nii.gz")
    assert caught.value.code == "too_many_bytes"


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    data = bytes(_raw(tmp_path / "a.nii"))
    parts = [data[:1000], data[1000:2500], data[2500:]]
    (tmp_path / "b.nii.gz").write_bytes(b"".join(map(gzip.compress, parts)))
    np.testing.assert_array_equal(
        imaging.open(tmp_path / "b.nii.gz").numpy(), imaging.open(tmp_path / "a.nii").numpy()
    )
