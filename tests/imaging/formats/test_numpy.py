"""Arrays: .npy and .npz."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jupyter_blueno import imaging
from jupyter_blueno.errors import InvalidInput, NotFound, TooLarge
from jupyter_blueno.imaging.testing import FormatSuite


def _digits() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 14, 12), np.uint8)


class TestVolume(FormatSuite):
    name = "numpy"
    suffix = ".npy"

    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).normal(0, 9, (9, 8, 7)).astype(np.float32)
        np.save(path, array)
        return array


class TestFortran(TestVolume):
    def write(self, path: Path) -> np.ndarray:
        array = np.asfortranarray(super().write(path))
        np.save(path, array)
        return array


class TestBigEndian(TestVolume):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(-999, 999, (9, 8, 7)).astype(">i2")
        np.save(path, array)
        return array


class TestColour(TestVolume):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 255, (30, 20, 3), np.uint8)
        np.save(path, array)
        return array


class TestColourVolume(TestVolume):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 255, (9, 20, 15, 3), np.uint8)
        np.save(path, array)
        return array


class TestTransparentColumns(TestVolume):
    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 255, (9, 20, 15, 4), np.uint8)
        np.save(path, np.asfortranarray(array))
        return array


class TestColourArchive(TestVolume):
    suffix = ".npz"
    by_content = False

    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).integers(0, 255, (9, 20, 15, 3), np.uint8)
        np.savez_compressed(path, colour=array)
        return array


class TestRow(TestVolume):
    key = "13"

    def write(self, path: Path) -> np.ndarray:
        np.save(path, _digits())
        return _digits()[13]


class TestArchive(TestVolume):
    suffix = ".npz"
    by_content = False  # any zip looks like it

    def write(self, path: Path) -> np.ndarray:
        array = np.random.default_rng(0).normal(0, 9, (9, 8, 7))
        np.savez_compressed(path, volume=array)
        return array


class TestArchiveRow(TestArchive):
    key = "x_train/3"

    def write(self, path: Path) -> np.ndarray:
        np.savez_compressed(path, x_train=_digits(), y_train=np.arange(20))
        return _digits()[3]


def _code(path: Path, key: str | None = None) -> str:
    with pytest.raises((InvalidInput, NotFound)) as caught:
        imaging.inspect(path, key)
    return caught.value.code


def test_frames_come_first_in_an_array(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 99, (2, 5, 6, 7), np.int16)
    np.save(tmp_path / "a.npy", array)
    volume = imaging.open(tmp_path / "a.npy")
    assert isinstance(volume, imaging.Volume)
    assert (volume.shape, volume.header.frames) == ((5, 6, 7, 2), 2)
    np.testing.assert_array_equal(volume.frame(1), array[1])
    np.testing.assert_array_equal(volume.slice("axial", 4, 1), array[1, 4])
    np.testing.assert_array_equal(volume.slice("coronal", 3, 1), array[1, :, 3])
    np.testing.assert_array_equal(volume.slice("sagittal", 2, 0), array[0, :, :, 2])


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    np.save(tmp_path / "a.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    assert _code(tmp_path / "a.npy") == "object_array"
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Trap()))
    assert _code(tmp_path / "b.npz") == "broken_array"
    assert not (tmp_path / "sprung").exists()


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f8", "fortran_order": False, "shape": (4096, 1024, 1024)}
    )
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(1 << 20))
    assert _code(tmp_path / "bomb.npz") == "truncated"  # it does not even hold what it says
    (tmp_path / "lie.npy").write_bytes(head.getvalue() + bytes(1000))
    assert _code(tmp_path / "lie.npy") == "truncated"


def test_a_bomb_that_keeps_its_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", np.zeros((200, 512, 512), np.uint8))
    monkeypatch.setattr("jupyter_blueno.imaging.limits.DERIVED_BYTES", 1 << 20)
    monkeypatch.setattr("jupyter_blueno.imaging.limits.MEMORY_BYTES", 1 << 20)
    with pytest.raises(TooLarge) as caught:
        imaging.inspect(tmp_path / "bomb.npz")
    assert caught.value.code == "too_many_bytes"


@pytest.mark.parametrize(
    ("array", "key", "code"),
    [
        (np.zeros((0, 5, 5)), None, "empty_image"),
        (np.zeros(5), None, "wrong_axes"),
        (np.zeros((2, 3, 4, 5, 6)), None, "wrong_axes"),
        (np.zeros((2, 9, 9, 3), np.float32), None, "colour_volume"),
        (np.zeros((9, 9, 9), np.complex64), None, "unsupported_dtype"),
        (np.full((9, 9, 9), np.nan), None, "no_finite_values"),
        (np.zeros((9, 9, 9), "U3"), None, "unsupported_dtype"),
        (_digits(), "20", "row_missing"),
        (_digits(), "-1", "bad_key"),
        (_digits(), "x/1", "bad_key"),
    ],
)
def test_what_cannot_be_shown(tmp_path: Path, array: np.ndarray, key: str | None, code: str) -> None:
    np.save(tmp_path / "a.npy", array)
    assert _code(tmp_path / "a.npy", key) == code


def test_some_nan_is_no_obstacle(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(9, 9, 9))
    array[:4] = np.nan
    array[5, 5, 5] = np.inf
    np.save(tmp_path / "a.npy", array)
    assert imaging.inspect(tmp_path / "a.npy")[1].codec


def test_the_wrong_name_in_an_archive_lists_the_right_ones(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=_digits(), right=_digits())
    with pytest.raises(NotFound, match="left, right"):
        imaging.open(tmp_path / "a.npz")
