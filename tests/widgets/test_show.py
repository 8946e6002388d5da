"""What `show` makes of objects, and what it says to those it cannot show."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from jupyter_blueno import errors
from jupyter_blueno.widgets import show
from jupyter_blueno.widgets.array import ArrayView
from jupyter_blueno.widgets.view import MIME, View

WIDGET = "application/vnd.jupyter.widget-view+json"


def ask(view: ArrayView, plane: str, index: int) -> tuple[dict[str, Any], np.ndarray | None]:
    """The answer to a front end's question."""
    heard: list[Any] = []
    view.send = lambda content, buffers=None: heard.append((content, buffers))  # type: ignore[method-assign]
    view._handle_custom_msg({"type": "slice", "id": 7, "plane": plane, "index": index}, [])
    ((content, buffers),) = heard
    if content["type"] == "error":
        return content, None
    shape = (content["rows"], content["columns"], content["channels"])
    return content, np.frombuffer(buffers[0], content["dtype"]).reshape(shape).squeeze()


def test_a_volume_is_sent_slice_by_slice_along_its_axes() -> None:
    volume = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    view = show(volume)
    assert view._info["planes"] == ["axial", "coronal", "sagittal"]
    assert np.array_equal(ask(view, "axial", 1)[1], volume[1])
    assert np.array_equal(ask(view, "coronal", 2)[1], volume[:, 2])
    assert np.array_equal(ask(view, "sagittal", 3)[1], volume[:, :, 3])
    assert "no 99" in ask(view, "axial", 99)[0]["message"]


@pytest.mark.parametrize(
    ("dtype", "wire"),
    [("bool", "uint8"), ("uint8", "uint8"), (">i2", "int16"), ("int32", "float32"), ("float64", "float32")],
)
def test_numbers_travel_in_a_type_that_the_browser_draws(dtype: str, wire: str) -> None:
    volume = (np.arange(60).reshape(3, 4, 5) % 2).astype(dtype)
    content, cut = ask(show(volume), "axial", 2)
    assert content["dtype"] == wire
    assert np.array_equal(cut, volume[2].astype(wire))


def test_complex_numbers_are_shown_by_magnitude() -> None:
    volume = np.full((2, 3, 4), 3 + 4j)
    assert np.array_equal(ask(show(volume), "axial", 0)[1], np.full((3, 4), 5, np.float32))


@pytest.mark.parametrize(
    ("shape", "count", "channels"),
    [((8, 9), 1, 1), ((8, 9, 3), 1, 3), ((8, 9, 4), 1, 4), ((5, 8, 9, 3), 5, 3), ((5, 8, 9, 1), 5, 1)],
)
def test_pictures_and_stacks_of_pictures(shape: tuple[int, ...], count: int, channels: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    view = show(pictures)
    assert (view._info["planes"], view._info["channels"]) == (["axial"], channels)
    assert view._info["axial"]["count"] == count
    cut = ask(view, "axial", count - 1)[1]
    assert np.array_equal(cut, pictures.reshape(count, 8, 9, -1)[count - 1].squeeze())


def test_a_list_of_pictures_is_a_stack_and_needs_one_shape() -> None:
    view = show([np.zeros((8, 9)), np.ones((8, 9))])
    assert view._info["axial"]["count"] == 2
    with pytest.raises(errors.InvalidInput, match="one shape"):
        show([np.zeros((8, 9)), np.zeros((9, 8))])


def test_floats_within_one_are_colours() -> None:
    cut = ask(show(np.full((8, 9, 3), 0.5), stack=None), "axial", 0)[1]
    assert cut is not None
    assert cut.dtype == np.uint8
    assert (cut == 128).all()


def test_pil_images() -> None:
    palette = Image.fromarray(np.arange(72, dtype=np.uint8).reshape(8, 9)).convert("P")
    assert show(palette)._info["channels"] == 3
    assert show(Image.new("L", (9, 8), 7))._info["axial"]["rows"] == 8


def test_a_nifti_image_is_oriented_by_its_affine() -> None:
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    view = show(nib.Nifti1Image(data, affine))
    info = view._info
    assert (info["axial"]["left"], info["axial"]["top"]) == ("R", "A")
    assert (info["axial"]["row_mm"], info["axial"]["column_mm"]) == (3.0, 2.0)
    # RAS data: the patient's right, the last index, is drawn on the left.
    assert np.array_equal(ask(view, "axial", 5)[1], data[::-1, ::-1, 5].T)


def test_a_volume_over_time_has_its_frames() -> None:
    data = np.arange(4 * 5 * 6 * 3, dtype=np.int16).reshape(4, 5, 6, 3)
    view = show(nib.Nifti1Image(data, np.eye(4)), frame=1)
    assert (view._info["frames"], view._info["shape"]) == (3, [4, 5, 6])
    view.send = lambda content, buffers=None: answers.append((content, buffers))
    answers: list[Any] = []
    for frame in (0, 2, 3):
        view._answer(view, {"type": "slice", "id": frame, "plane": "axial", "index": 5, "frame": frame}, [])
    for (_, buffers), frame in zip(answers, (0, 2), strict=False):
        drawn = np.frombuffer(buffers[0], "<i2").reshape(5, 4)
        assert np.array_equal(drawn, data[::-1, ::-1, 5, frame].T)
    assert answers[2][0]["message"] == "There are 3 frames; there is no 3."
    view.frame = 9
    assert view.frame == 2


@pytest.mark.parametrize(
    ("thing", "code"),
    [
        (np.zeros((2, 3, 4, 5, 6)), "bad_shape"),
        (np.zeros((2, 3, 4, 5)), "bad_shape"),
        (np.zeros(5), "bad_shape"),
        (np.zeros((0, 5)), "empty"),
        (np.array([["a", "b"]]), "bad_dtype"),
        (np.array([[object()]]), "bad_dtype"),
        ([], "empty"),
        ([1, 2, 3], "not_an_image"),
        (object(), "not_an_image"),
        (3.5, "not_an_image"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(thing: Any, code: str) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        show(thing)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_nan_and_constants_still_have_a_window() -> None:
    assert show(np.full((4, 5, 6), 7.0)).window > 0
    some = np.random.default_rng(0).normal(size=(4, 50, 60))
    some[0, 0, 0] = np.nan
    some[0, 0, 1] = np.inf
    assert np.isfinite([show(some).window, show(some).level]).all()
    with pytest.raises(errors.UnreadableData):
        show(np.full((4, 5, 6), np.nan))


def test_traits_are_consistent_without_a_front_end() -> None:
    view = show(np.zeros((10, 20, 30)))
    assert (view.index, view.crosshair) == (5, [5, 10, 15])
    view.index = 2
    assert view.crosshair == [2, 10, 15]
    view.plane = "sagittal"
    assert view.index == 15
    view.index = 999
    assert (view.index, view.crosshair) == (29, [2, 10, 29])
    view.crosshair = [1, 1, 1]
    assert view.index == 1
    assert show(np.zeros((10, 20, 30)), index=3).crosshair == [3, 10, 15]
    assert show(np.zeros((10, 20, 30)), plane="coronal", index=-1).index == 19


def test_a_saved_notebook_shows_the_present_slice() -> None:
    volume = np.zeros((3, 40, 80), np.uint8)
    volume[2, :, 40:] = 200
    view = show(volume, index=2, window=200, level=100)
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == "<ArrayView array 3×40×80 uint8>"
    assert WIDGET in data
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
    assert picture.shape == (160, 320)
    assert picture[80, 10] == 0
    assert picture[80, 300] == 255


def test_a_path_is_left_to_the_server(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    view = show(tmp_path / "v.npy")
    assert isinstance(view, View)
    bundle = view._repr_mimebundle_()
    assert bundle[MIME] == {"type": "path", "path": str(tmp_path / "v.npy"), "kind": "volume3d"}
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).size == (5, 4)
    assert WIDGET not in bundle
    assert isinstance(show(str(tmp_path / "v.npy"), widget=True), ArrayView)
    with pytest.raises(errors.NotFound, match="no file"):
        show(tmp_path / "none.npy")
    (tmp_path / "text.nii").write_text("hello")
    with pytest.raises(errors.UnreadableData):
        show(tmp_path / "text.nii")


class Handle:
    """A sample's handle, as the client makes them."""

    name = "one"
    ordinal = 4

    def _blueno_view_(self) -> dict[str, Any]:
        return {"dataset_id": 3, "ordinal": 4, "kind": "image2d"}

    def _blueno_png_(self) -> bytes:
        return b"\x89PNG"

    def numpy(self) -> np.ndarray:
        return np.zeros((8, 9))


def test_handles_name_what_the_server_shows() -> None:
    bundle = show(Handle())._repr_mimebundle_()
    assert bundle[MIME] == {"type": "sample", "dataset_id": 3, "ordinal": 4}
    assert base64.b64decode(bundle["image/png"]) == b"\x89PNG"
    assert isinstance(show(Handle(), widget=True), ArrayView)
