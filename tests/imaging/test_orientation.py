"""Every way in which a volume can lie gives the same pictures."""

from __future__ import annotations

from itertools import permutations, product

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import io_orientation

from jupyter_blueno.imaging.orientation import PLANES, layout

RAS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
AFFINE = np.array([[2.0, 0, 0, -7], [0, 3, 0, 11], [0, 0, 4, 5], [0, 0, 0, 1]])
ALL_48 = [(p, f) for p in permutations(range(3)) for f in product((False, True), repeat=3)]


def _nested(affine: np.ndarray) -> tuple:
    return tuple(map(tuple, affine.tolist()))


def _turned(order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The volume `RAS` with its axes permuted and flipped, and the affine that says so."""
    array = RAS.transpose(order)
    to_ras = np.zeros((4, 4))
    to_ras[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        to_ras[source, axis] = -1 if flip else 1
        to_ras[source, 3] = RAS.shape[source] - 1 if flip else 0
    return array[tuple(slice(None, None, -1 if flip else 1) for flip in flips)], AFFINE @ to_ras


@pytest.mark.parametrize(("order", "flips"), ALL_48)
def test_all_orientations_are_drawn_alike(order: tuple[int, ...], flips: tuple[bool, ...]) -> None:
    array, affine = _turned(order, flips)
    planes = layout(_nested(affine))
    for index in range(6):
        np.testing.assert_array_equal(planes["axial"].cut(array, index), RAS[:, :, index].T[::-1, ::-1])
    for index in range(5):
        np.testing.assert_array_equal(planes["coronal"].cut(array, index), RAS[:, index].T[::-1, ::-1])
    for index in range(4):
        np.testing.assert_array_equal(planes["sagittal"].cut(array, index), RAS[index].T[::-1, ::-1])
    letters = {p: (planes[p].rows.first, planes[p].rows.last, planes[p].columns.first, planes[p].columns.last)
               for p in PLANES}  # fmt: skip
    assert letters == {"axial": ("A", "P", "R", "L"), "coronal": ("S", "I", "R", "L"),
                       "sagittal": ("S", "I", "A", "P")}  # fmt: skip


@pytest.mark.parametrize(("order", "flips"), ALL_48)
def test_a_pixel_knows_its_voxel(order: tuple[int, ...], flips: tuple[bool, ...]) -> None:
    array, affine = _turned(order, flips)
    for axes in layout(_nested(affine)).values():
        matrix = np.array(axes.to_voxel(array.shape))
        picture = axes.cut(array, 2)
        for row, column in ((0, 0), (picture.shape[0] - 1, 1)):
            voxel = matrix @ [2, row, column, 1]
            assert array[tuple(voxel)] == picture[row, column]


def test_an_array_without_geometry_is_drawn_as_it_is_indexed() -> None:
    planes = layout(None)
    np.testing.assert_array_equal(planes["axial"].cut(RAS, 1), RAS[1])
    np.testing.assert_array_equal(planes["coronal"].cut(RAS, 1), RAS[:, 1])
    np.testing.assert_array_equal(planes["sagittal"].cut(RAS, 1), RAS[:, :, 1])
    assert {axes.rows.first for axes in planes.values()} == {""}


angles = st.floats(-0.6, 0.6)


@settings(max_examples=60, deadline=None)
@given(which=st.sampled_from(ALL_48), x=angles, y=angles, z=angles)
def test_oblique_volumes_lie_along_their_nearest_axes(
    which: tuple[tuple[int, ...], tuple[bool, ...]], x: float, y: float, z: float
) -> None:
    array, affine = _turned(*which)
    turn = np.eye(4)
    turn[:3, :3] = nibabel.eulerangles.euler2mat(z, y, x)
    oblique = turn @ affine
    cosines = np.abs(oblique[:3, :3] / np.linalg.norm(oblique[:3, :3], axis=0))
    if np.sort(cosines, axis=0)[-1].min() < 0.75:
        return  # too near to half-way for one answer
    canonical = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, oblique)).dataobj
    expected = np.asarray(canonical)[:, :, 1].T[::-1, ::-1]
    assert io_orientation(oblique).shape == (3, 2)
    np.testing.assert_array_equal(layout(_nested(oblique))["axial"].cut(array, 1), expected)
