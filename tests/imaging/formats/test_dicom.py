"""DICOM: files as scanners send them, and series in any order."""

from __future__ import annotations

import io
import random
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from jupyter_blueno import imaging
from jupyter_blueno.errors import InvalidInput, MissingDependency, UnreadableData
from jupyter_blueno.imaging.testing import FormatSuite


def _real(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"this pydicom comes without {name}")
    return Path(str(found))


def _slice(
    pixels: np.ndarray,
    position: tuple[float, float, float],
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    **others: object,
) -> Dataset:
    """A CT slice."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.Modality = "CT"
    made.SeriesInstanceUID = "1.2.3"
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 1
    made.PixelSpacing = [0.5, 0.75]
    made.ImagePositionPatient, made.ImageOrientationPatient = list(position), list(orientation)
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    for name, value in others.items():
        setattr(made, name, value)
    made.PixelData = pixels.astype("<i2").tobytes()
    return made


def _series(folder: Path, count: int = 9, **others: object) -> np.ndarray:
    """Slices 2.5 mm apart, in files whose names and numbers tell nothing; returns [slice, row, column]."""
    folder.mkdir(exist_ok=True)
    array = np.random.default_rng(0).integers(0, 2000, (count, 12, 10), np.int16)
    names = [f"IM{n:04}" for n in range(count)]
    random.Random(4).shuffle(names)
    for n, name in enumerate(names):
        _slice(array[n], (-5, -6, 2.5 * n), **others).save_as(folder / name, enforce_file_format=True)
    return array


class TestFile(FormatSuite):
    name = "dicom"
    suffix = ".dcm"

    def write(self, path: Path) -> np.ndarray:
        shutil.copy(_real("CT_small.dcm"), path)
        there = pydicom.dcmread(path)
        return there.pixel_array * np.float32(there.RescaleSlope) + np.float32(there.RescaleIntercept)


class TestFrames(FormatSuite):
    name = "dicom"
    suffix = ".dcm"

    def write(self, path: Path) -> np.ndarray:
        shutil.copy(_real("rtdose.dcm"), path)
        there = pydicom.dcmread(path)
        return there.pixel_array.astype(np.float32) * np.float32(there.DoseGridScaling)


class TestColourFrames(FormatSuite):
    name = "dicom"
    suffix = ".dcm"

    def write(self, path: Path) -> np.ndarray:
        shutil.copy(_real("SC_rgb_rle_2frame.dcm"), path)
        return pydicom.dcmread(path).pixel_array


class TestSeries(FormatSuite):
    name = "dicom"
    suffix = ""

    def write(self, path: Path) -> np.ndarray:
        return _series(path).astype(np.float32) - 1024


def test_a_series_lies_where_its_slices_say(tmp_path: Path) -> None:
    array = _series(tmp_path / "ct")
    (tmp_path / "ct" / "notes.txt").write_text("not a slice")
    volume = imaging.open(tmp_path / "ct")
    assert isinstance(volume, imaging.Volume)
    np.testing.assert_allclose(volume.spacing, (2.5, 0.5, 0.75))
    # LPS+ to RAS+: a row runs to the patient's left, a column to the back.
    np.testing.assert_allclose(volume.affine @ [0, 0, 0, 1], [5, 6, 0, 1])
    np.testing.assert_allclose(volume.affine @ [8, 0, 0, 1], [5, 6, 20, 1])
    np.testing.assert_allclose(volume.affine @ [0, 2, 4, 1], [2, 5, 0, 1])
    np.testing.assert_array_equal(volume.slice("axial", 3), array[3])
    np.testing.assert_array_equal(volume.slice("coronal", 11), array[::-1, 0])
    np.testing.assert_array_equal(volume.slice("sagittal", 0), array[::-1, :, 9])
    assert (volume.header.unit, volume.header.intercept) == ("HU", -1024)


def test_a_sagittal_series_is_turned(tmp_path: Path) -> None:
    (tmp_path / "mr").mkdir()
    array = np.random.default_rng(0).integers(0, 2000, (5, 12, 10), np.int16)
    for n in range(5):  # rows run to the back, columns to the feet
        one = _slice(array[n], (3.0 * n, 0, 0), (0, 1, 0, 0, 0, -1))
        one.save_as(tmp_path / "mr" / f"{(n * 3) % 5}", enforce_file_format=True)
    volume = imaging.open(tmp_path / "mr")
    assert isinstance(volume, imaging.Volume)
    assert volume.header.shape == (5, 12, 10)
    found = {volume.slice("sagittal", n).tobytes() for n in range(5)}
    assert found == {one.tobytes() for one in array}
    np.testing.assert_array_equal(volume.slice("sagittal", 4), array[0])  # the patient's right comes last


def test_slices_of_one_place_are_frames(tmp_path: Path) -> None:
    folder = tmp_path / "perfusion"
    folder.mkdir()
    array = np.random.default_rng(0).integers(0, 2000, (3, 4, 6, 5), np.int16)
    for time, place in [(t, z) for t in range(3) for z in range(4)]:
        one = _slice(array[time, place], (0, 0, 2.0 * place), TemporalPositionIdentifier=time + 1)
        one.save_as(folder / f"{(time * 7 + place * 5) % 12:02}-{time}{place}", enforce_file_format=True)
    volume = imaging.open(folder)
    assert isinstance(volume, imaging.Volume)
    assert volume.header.frames == 3
    for time in range(3):
        np.testing.assert_array_equal(volume.frame(time), array[time])


def test_slices_with_a_rescale_of_their_own(tmp_path: Path) -> None:
    array = _series(tmp_path / "pet", 4)
    for n, path in enumerate(sorted((tmp_path / "pet").iterdir())):
        one = pydicom.dcmread(path)
        one.RescaleSlope, one.RescaleIntercept = str(n + 0.5), "0"
        one.save_as(path)
        array = array.astype(np.float32)
        place = round(float(one.ImagePositionPatient[2]) / 2.5)
        array[place] *= n + 0.5
    np.testing.assert_allclose(imaging.open(tmp_path / "pet").numpy(), array)


def test_the_largest_of_several_series_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    _series(tmp_path / "both")
    scout = _slice(np.zeros((40, 40), np.int16), (0, 0, 0), SeriesInstanceUID="9.9")
    scout.save_as(tmp_path / "both" / "scout", enforce_file_format=True)
    assert imaging.open(tmp_path / "both").shape == (9, 12, 10)
    assert imaging.open(tmp_path / "both", "9.9").shape == (1, 40, 40)
    with pytest.raises(UnreadableData):
        imaging.open(tmp_path / "both", "7.7")


def test_links_out_of_the_folder_are_passed_over(tmp_path: Path) -> None:
    _series(tmp_path / "ct")
    secret = tmp_path / "secret.dcm"
    _slice(np.zeros((12, 10), np.int16), (0, 0, 99)).save_as(secret, enforce_file_format=True)
    (tmp_path / "ct" / "link").symlink_to(secret)
    assert imaging.open(tmp_path / "ct").shape == (9, 12, 10)


def test_monochrome1_is_drawn_inverted(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(100, dtype=np.int16), (100, 1))
    path = tmp_path / "xray.dcm"
    _slice(ramp, (0, 0, 0), PhotometricInterpretation="MONOCHROME1").save_as(path, enforce_file_format=True)
    header, tile = imaging.inspect(path)
    assert header.inverted
    drawn = np.asarray(Image.open(io.BytesIO(imaging.png(imaging.open(path)))))
    assert drawn[50, 5] > 200 > 50 > drawn[50, 95]
    assert tile.codec


@pytest.mark.parametrize(
    "name",
    ["MR_small.dcm", "MR_small_RLE.dcm", "693_J2KI.dcm", "liver_1frame.dcm", "examples_palette.dcm",
     "color-px.dcm", "examples_rgb_color.dcm", "image_dfl.dcm", "ExplVR_BigEnd.dcm", "emri_small.dcm",
     "parametric_map_float.dcm", "parametric_map_double_float.dcm"],
)  # fmt: skip
def test_real_files_are_as_pydicom_reads_them(name: str) -> None:
    path = _real(name)
    item = imaging.open(path)
    found = item.array if isinstance(item, imaging.Image) else item.stored
    assert found.shape == item.shape
    assert found.dtype.name == item.header.dtype
    if name != "examples_palette.dcm":
        np.testing.assert_array_equal(found, pydicom.dcmread(path).pixel_array)
    assert imaging.inspect(path)[1].codec


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("rtplan.dcm", UnreadableData, "no_pixels"),
        ("JPGExtended.dcm", MissingDependency, "missing_decoder"),
        ("MR_truncated.dcm", UnreadableData, "truncated"),
        ("SC_rgb_rle_16bit_2frame.dcm", UnreadableData, "colour_volume"),
    ],
)
def test_what_cannot_be_shown(name: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        imaging.inspect(_real(name))
    assert caught.value.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
        {"Rows": 0},
        {"Rows": 60000, "Columns": 60000},
        {"BitsAllocated": 24},
    ],
)
def test_elements_that_lie(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "lie.dcm"
    _slice(np.zeros((12, 10), np.int16), (0, 0, 0), **wrong).save_as(path, enforce_file_format=True)
    with pytest.raises(InvalidInput) as caught:
        imaging.inspect(path)
    assert caught.value.code in {"bad_affine", "empty_image", "too_many_pixels", "unsupported_dtype"}
