"""Where DICOM slices lie in the patient, and how they want to be shown.

DICOM's coordinates are LPS+ (PS3.3 C.7.6.2.1.1); ours are RAS+: the first two
change sign.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_blueno.errors import UnreadableData
from jupyter_blueno.imaging.formats.base import Affine, Header

TAGS = [
    "SeriesInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated", "PixelSpacing",
    "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness", "SpacingBetweenSlices",
    "RescaleSlope", "RescaleIntercept", "TemporalPositionIdentifier", "AcquisitionNumber", "NumberOfFrames",
]  # fmt: skip
_SAME_PLACE = 1e-3  # mm
_STRAIGHT = 1e-3  # how far the cosines may be from right angles and unit length


@dataclass(frozen=True)
class Place:
    """Spacing in mm along the axes, and the affine if the file has one."""

    spacing: tuple[float, ...] | None
    affine: Affine | None


@dataclass(frozen=True)
class Display:
    slope: float
    intercept: float
    unit: str
    window: float | None
    level: float | None


@dataclass(frozen=True)
class Slice:
    """What is kept of one file of a series."""

    path: Path
    series: str
    size: tuple[int, int]
    number: int
    spacing: tuple[float, float] | None
    thickness: float | None
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    slope: float
    intercept: float
    time: tuple[int, int]

    @classmethod
    def of(cls, path: Path, facts: Any) -> Slice:
        if int(getattr(facts, "NumberOfFrames", None) or 1) > 1:
            raise ValueError("several frames")
        thickness = getattr(facts, "SpacingBetweenSlices", None) or getattr(facts, "SliceThickness", None)
        return cls(
            path, str(getattr(facts, "SeriesInstanceUID", "")), (int(facts.Rows), int(facts.Columns)),
            int(getattr(facts, "InstanceNumber", None) or 0), _pair(facts),
            abs(float(thickness)) if thickness else None,
            _numbers(facts, "ImageOrientationPatient", 6), _numbers(facts, "ImagePositionPatient", 3),
            _number(facts, "RescaleSlope", 1.0), _number(facts, "RescaleIntercept", 0.0),
            (
                int(getattr(facts, "TemporalPositionIdentifier", None) or 0),
                int(getattr(facts, "AcquisitionNumber", None) or 0),
            ),
        )  # fmt: skip


def choose(slices: list[Slice], key: str | None) -> list[Slice]:
    """The slices of series `key`, or of the largest one, that share size and orientation."""
    groups: dict[Any, list[Slice]] = defaultdict(list)
    for one in slices:
        if key is None or one.series == key:
            turned = tuple(round(v, 2) for v in one.orientation) if one.orientation else None
            groups[one.series, one.size, turned].append(one)
    return max(groups.values(), key=len, default=[])


def stack(slices: list[Slice], name: str) -> tuple[list[list[Slice]], Place]:
    """Sort slices along their normal, and those of one place by time.

    Returns
    -------
    frames : list of list of Slice
        ``frames[t][n]``.
    place : Place
        Of the stack ``(slice, row, column)``.
    """
    import numpy as np

    first = slices[0]
    placed = all(one.position and one.orientation for one in slices)
    if not placed:
        ordered = sorted(slices, key=lambda one: (one.number, one.path.name))
        return [ordered], Place(_spacing(first, first.thickness), None)
    row, column = _directions(first.orientation, name)
    normal = np.cross(row, column)
    along = {one.path: float(np.dot(one.position, normal)) for one in slices}  # type: ignore[arg-type]
    ordered = sorted(slices, key=lambda one: (along[one.path], one.time, one.number, one.path.name))
    places: list[list[Slice]] = []
    for one in ordered:
        if places and along[one.path] - along[places[-1][0].path] < _SAME_PLACE:
            places[-1].append(one)
        else:
            places.append([one])
    each = Counter(len(place) for place in places).most_common(1)[0][0]
    kept = [place for place in places if len(place) >= each]
    frames = [[place[t] for place in kept] for t in range(each)]
    return frames, _place(frames[0], row, column, normal, name)


def _place(stack: list[Slice], row: Any, column: Any, normal: Any, name: str) -> Place:
    import numpy as np

    first, last = stack[0], stack[-1]
    if len(stack) > 1:
        step = (np.array(last.position, float) - np.array(first.position, float)) / (len(stack) - 1)
    else:
        step = normal * (first.thickness or 1.0)
    down, across = first.spacing or (1.0, 1.0)
    return _made(np.array(first.position, float), step, column * down, row * across, name)


def of_file(facts: Any, frames: int, name: str) -> Place:
    """Where the pixels of one file lie; its axes are ``(frame, row, column)``, or rows and columns."""
    import numpy as np

    source, step_vector = facts, None
    if "SharedFunctionalGroupsSequence" in facts or "PerFrameFunctionalGroupsSequence" in facts:
        source, step_vector = _functional(facts, frames)
    pair = _pair(source)
    thickness = getattr(source, "SpacingBetweenSlices", None) or getattr(source, "SliceThickness", None)
    depth = abs(float(thickness)) if thickness else None
    orientation = _numbers(source, "ImageOrientationPatient", 6)
    position = _numbers(source, "ImagePositionPatient", 3)
    if pair is None:
        return Place(None, None)
    if frames == 1 or not (orientation and position):
        flat = (pair[0], pair[1])
        if orientation and position:
            row, column = _directions(orientation, name)
            step = np.cross(row, column) * (depth or 1.0)
            affine = _made(np.array(position), step, column * pair[0], row * pair[1], name).affine
            return Place(flat, affine)
        return Place(flat if frames == 1 else (depth or 1.0, *flat), None)
    row, column = _directions(orientation, name)
    if step_vector is None:
        offsets = getattr(facts, "GridFrameOffsetVector", None)
        size = float(offsets[1]) - float(offsets[0]) if offsets and len(offsets) > 1 else depth or 1.0
        step_vector = np.cross(row, column) * size
    return _made(np.array(position), step_vector, column * pair[0], row * pair[1], name)


def as_volume(header: Header) -> Header:
    """A file with one frame as a volume of one slice."""
    import msgspec

    if header.kind == "volume3d" or len(header.shape) != 2:
        return header
    depth = 1.0
    if header.affine:
        depth = sum(header.affine[row][0] ** 2 for row in range(3)) ** 0.5
    spacing = (depth, *header.spacing) if header.spacing else None
    return msgspec.structs.replace(header, kind="volume3d", shape=(1, *header.shape), spacing=spacing)


def display_of(facts: Any) -> Display:
    """Rescale, unit and window of a file."""
    slope, intercept = _number(facts, "RescaleSlope", 1.0), _number(facts, "RescaleIntercept", 0.0)
    shared = getattr(facts, "SharedFunctionalGroupsSequence", None)
    if shared and "PixelValueTransformationSequence" in shared[0]:
        inner = shared[0].PixelValueTransformationSequence[0]
        slope, intercept = _number(inner, "RescaleSlope", 1.0), _number(inner, "RescaleIntercept", 0.0)
    if "DoseGridScaling" in facts:
        slope, intercept = _number(facts, "DoseGridScaling", 1.0), 0.0
    unit = str(getattr(facts, "RescaleType", "") or "")
    if str(getattr(facts, "Modality", "")) == "CT":
        unit = "HU"
    elif "DoseGridScaling" in facts:
        unit = str(getattr(facts, "DoseUnits", ""))
    width, centre = _first(facts, "WindowWidth"), _first(facts, "WindowCenter")
    good = width is not None and centre is not None and width > 0
    return Display(
        slope or 1.0,
        intercept,
        "" if unit == "US" else unit,
        width if good else None,
        centre if good else None,
    )


def _functional(facts: Any, frames: int) -> tuple[Any, Any]:
    """Geometry of an enhanced multi-frame object: its elements, and the step between frames."""
    import numpy as np
    from pydicom.dataset import Dataset

    found = Dataset()
    groups = [*getattr(facts, "SharedFunctionalGroupsSequence", [])]
    per_frame = list(getattr(facts, "PerFrameFunctionalGroupsSequence", []))
    for group in (*groups, *per_frame[:1]):
        for name in ("PixelMeasuresSequence", "PlaneOrientationSequence", "PlanePositionSequence"):
            if name in group and len(group[name].value):
                found.update(group[name].value[0])
    positions = [
        _numbers(group.PlanePositionSequence[0], "ImagePositionPatient", 3)
        for group in per_frame if "PlanePositionSequence" in group
    ]  # fmt: skip
    if len(positions) != frames or frames < 2 or None in positions:
        return found, None
    steps = np.diff(np.array(positions, float), axis=0)
    even = np.allclose(steps, steps[0], atol=0.01) and np.linalg.norm(steps[0]) > _SAME_PLACE
    if not even:  # frames of several stacks or times: their order is not a geometry
        del found.ImagePositionPatient
        return found, None
    return found, steps.mean(axis=0)


def _directions(orientation: Any, name: str) -> tuple[Any, Any]:
    """Unit vectors along a row and down a column, LPS+."""
    import numpy as np

    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    straight = all(abs(v - 1) < 0.05 for v in lengths) and abs(float(row @ column)) < 0.05
    if not np.isfinite([*row, *column]).all() or not straight:
        raise _bad_geometry(name, "its rows and columns are not at right angles")
    return row / lengths[0], column / lengths[1]


def _made(origin: Any, step: Any, down: Any, across: Any, name: str) -> Place:
    import numpy as np

    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = step, down, across, origin
    affine[:2] *= -1  # LPS+ to RAS+
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not (spacing > 0).all():
        raise _bad_geometry(name, "a voxel size is zero or not a number")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < _STRAIGHT:
        raise _bad_geometry(name, "its slices lie in one plane")
    nested: Any = tuple(tuple(float(v) for v in row) for row in affine)
    return Place(tuple(float(v) for v in spacing), nested)


def _spacing(one: Slice, depth: float | None) -> tuple[float, ...] | None:
    return (depth or 1.0, *one.spacing) if one.spacing else None


def _pair(facts: Any) -> tuple[float, float] | None:
    found = _numbers(facts, "PixelSpacing", 2) or _numbers(facts, "ImagerPixelSpacing", 2)
    return (found[0], found[1]) if found and min(found) > 0 else None


def _numbers(facts: Any, name: str, count: int) -> tuple[float, ...] | None:
    value = getattr(facts, name, None)
    if value is None or isinstance(value, (str, float, int)) or len(value) != count:
        return None
    return tuple(float(v) for v in value)


def _number(facts: Any, name: str, default: float) -> float:
    value = getattr(facts, name, None)
    return default if value is None or value == "" else float(value)


def _first(facts: Any, name: str) -> float | None:
    value = getattr(facts, name, None)
    if value is None or value == "":
        return None
    return float(value[0]) if hasattr(value, "__getitem__") and not isinstance(value, str) else float(value)


def _bad_geometry(name: str, what: str) -> UnreadableData:
    return UnreadableData(
        f"The geometry of '{name}' cannot be right: {what}. Export it again.", code="bad_affine"
    )
