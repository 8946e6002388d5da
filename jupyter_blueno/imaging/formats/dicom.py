"""DICOM: a file, or a folder that is a series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_blueno.errors import BluenoError, MissingDependency, TooLarge, UnreadableData
from jupyter_blueno.imaging import limits
from jupyter_blueno.imaging.formats import dicom_geometry as geometry
from jupyter_blueno.imaging.formats.base import Derived, Format, Header, Kind, Voxels

if TYPE_CHECKING:
    import numpy as np

_COLOURS = 3
_INTEGERS = {(1, 0): "uint8", (8, 0): "uint8", (8, 1): "int8", (16, 0): "uint16", (16, 1): "int16",
             (32, 0): "uint32", (32, 1): "int32"}  # fmt: skip
_IN_FILE = ("FloatPixelData", "DoubleFloatPixelData")


class Dicom(Format):
    """CT, MR and X-ray as scanners send them.

    A file with one frame is a picture, with more a volume ``(frame, row,
    column)``. A folder is one series, sorted along the normal of its slices:
    ``(slice, row, column)``; where it holds several series the largest is
    taken, or the one whose SeriesInstanceUID is the key. Slices taken several
    times at the same place become frames. Compressed data is decoded as far
    as pydicom can by itself.
    """

    name: ClassVar[str] = "dicom"
    suffixes: ClassVar[tuple[str, ...]] = (".dcm", ".dicom", "")

    def claims(self, path: Path, head: bytes) -> bool:
        if head:
            return head[128:132] == b"DICM"
        return path.is_dir() and next(_members(path), None) is not None

    def header(self, path: Path, key: str | None = None) -> Header:
        if path.is_dir():
            return _series(path, key)[0]
        return _file_header(_facts(path, path.name), path.name)

    def picture(self, path: Path, key: str | None = None) -> np.ndarray:
        if path.is_dir():
            raise UnreadableData(f"'{path.name}' is a series, not a picture.", code="wrong_kind")
        facts = _facts(path, path.name)
        header = _file_header(facts, path.name)
        if header.kind != "image2d":
            raise UnreadableData(f"'{path.name}' holds several frames.", code="wrong_kind")
        return _pixels(path, path.name)

    def voxels(self, path: Path, key: str | None = None) -> tuple[Header, Voxels]:
        import numpy as np

        if path.is_dir():
            return _series_voxels(path, key)
        name = path.name
        header = geometry.as_volume(_file_header(_facts(path, name), name))
        if header.kind == "image2d":
            raise UnreadableData(f"'{name}' is a colour picture, not a volume.", code="wrong_kind")
        size = limits.check_volume(name, header.array_shape, np.dtype(header.dtype).itemsize)
        limits.check_derived(name, size)
        many = header.shape[0] > 1

        def block(n: int) -> np.ndarray:
            return _pixels(path, name, n if many else None).astype(header.dtype, copy=False)

        def blocks() -> Iterator[memoryview]:
            for n in range(header.shape[0]):
                yield np.ascontiguousarray(block(n)).data.cast("B")

        shape = header.array_shape
        return header, Derived(blocks, np.dtype(header.dtype), shape, "C", tuple(range(len(shape))), block)

    def stamp(self, path: Path) -> tuple[int, int]:
        if not path.is_dir():
            return super().stamp(path)
        statuses = [one.stat() for one in path.iterdir() if one.is_file()]
        newest = max((s.st_mtime_ns for s in statuses), default=0)
        return newest + len(statuses), sum(s.st_size for s in statuses)


def _members(folder: Path) -> Iterator[Path]:
    """The DICOM files of a folder by name; links out of it are passed over."""
    real = folder.resolve()
    for number, path in enumerate(sorted(folder.iterdir())):
        if number > limits.SERIES_FILES:
            raise TooLarge(
                f"'{folder.name}' holds over {limits.SERIES_FILES:,} files. Put each series in a folder.",
                code="too_many_files",
            )
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(real):
            continue
        with path.open("rb") as file:
            if file.read(132)[128:] == b"DICM":
                yield path


def _facts(path: Path, name: str) -> Any:
    """The data set without its pixels."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        facts = pydicom.dcmread(path, stop_before_pixels=True)
        pixels = {"Rows", "Columns", "BitsAllocated"} <= set(facts.dir())
    except InvalidDicomError:
        raise UnreadableData(
            f"'{name}' is not a DICOM file, whatever its name says. Export it again, or leave it out.",
            code="not_dicom",
        ) from None
    except Exception as error:  # pydicom lets through whatever a strange element makes it stumble over
        raise _broken(name, error) from error
    if not pixels:
        what = getattr(facts, "Modality", "") or "no pixels"
        raise UnreadableData(
            f"'{name}' has no picture in it ({what}: a plan, a report or structures?). Leave it out.",
            code="no_pixels",
        )
    return facts


def _file_header(facts: Any, name: str) -> Header:
    try:
        rows, columns = int(facts.Rows), int(facts.Columns)
        frames = int(getattr(facts, "NumberOfFrames", None) or 1)
        samples = int(getattr(facts, "SamplesPerPixel", 1) or 1)
        photometric = str(getattr(facts, "PhotometricInterpretation", "MONOCHROME2"))
        limits.check_picture(name, rows, columns, samples * 2)
        if frames > 1:
            limits.check_volume(name, (frames, rows, columns), samples * 2)
        colour = samples == _COLOURS or photometric == "PALETTE COLOR"
        shape: tuple[int, ...] = (rows, columns, _COLOURS) if colour else (rows, columns)
        if frames > 1:
            shape = (frames, rows, columns)
        place = geometry.of_file(facts, frames, name)
        display = geometry.display_of(facts)
        dtype = _dtype(facts, name)
    except BluenoError:
        raise
    except Exception as error:  # a value that is not what its element says
        raise _broken(name, error) from error
    if frames > 1 and colour and dtype != "uint8":
        raise UnreadableData(
            f"'{name}' has several frames in colour of {dtype}; those of 8 bits are read. "
            "Export its frames as pictures.",
            code="colour_volume",
        )
    kind: Kind = "volume3d" if frames > 1 else "image2d"
    return Header(
        kind, shape, dtype, spacing=place.spacing, affine=place.affine, oriented=place.affine is not None,
        slope=display.slope, intercept=display.intercept, unit=display.unit,
        inverted=photometric == "MONOCHROME1", window=display.window, level=display.level,
        channels=_COLOURS if colour and frames > 1 else 1,
    )  # fmt: skip


def _dtype(facts: Any, name: str) -> str:
    bits = int(facts.BitsAllocated)
    if str(getattr(facts, "PhotometricInterpretation", "")) == "PALETTE COLOR":
        return "uint8"
    if bits == 64:
        return "float64"
    # Float pixels are rare, have no sign and come with 32 bits.
    if bits == 32 and "PixelRepresentation" not in facts:
        return "float32"
    found = _INTEGERS.get((bits, int(getattr(facts, "PixelRepresentation", 0))))
    if found is None:
        raise UnreadableData(
            f"'{name}' has pixels of {bits} bits, which is not read.", code="unsupported_dtype"
        )
    return found


def _pixels(path: Path, name: str, frame: int | None = None) -> np.ndarray:
    """Decode a file's pixels, or one frame: ``(rows, columns[, 3])``."""
    import numpy as np
    import pydicom
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    try:
        facts = pydicom.dcmread(path)
        if any(tag in facts for tag in _IN_FILE):
            array = facts.pixel_array if frame is None else facts.pixel_array[frame]
        else:
            array = pixel_array(facts, index=frame)
        if str(getattr(facts, "PhotometricInterpretation", "")) == "PALETTE COLOR":
            coloured = apply_color_lut(array, facts)
            array = (coloured >> 8).astype(np.uint8) if coloured.dtype == np.uint16 else coloured
    except (RuntimeError, NotImplementedError, ImportError) as error:
        raise MissingDependency(
            f"'{name}' is compressed in a way that needs another package: pip install 'pylibjpeg[all]'. "
            f"({str(error).splitlines()[0][:200]})",
            code="missing_decoder",
        ) from error
    except MemoryError as error:
        raise TooLarge(f"'{name}' takes too much memory to decode.", code="too_many_bytes") from error
    except Exception as error:  # see `_facts`
        raise _broken(name, error) from error
    result: np.ndarray = np.asarray(array)
    return result


def _series(folder: Path, key: str | None) -> tuple[Header, list[list[geometry.Slice]], bool]:
    """Header, slices as ``[frame][position]``, and whether each has a rescale of its own."""
    import numpy as np
    import pydicom

    slices: list[geometry.Slice] = []
    for path in _members(folder):
        try:
            facts = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=geometry.TAGS)
            slices.append(geometry.Slice.of(path, facts))
        except Exception:  # one file of another sort does not spoil the series
            continue
    chosen = geometry.choose(slices, key)
    if not chosen:
        raise UnreadableData(
            f"'{folder.name}' holds no DICOM pictures of one size{' of series ' + key if key else ''}. "
            "Point to the folder that holds the slices themselves.",
            code="no_pixels",
        )
    frames, place = geometry.stack(chosen, folder.name)
    one = frames[0][0].path
    first = _file_header(_facts(one, f"{folder.name}/{one.name}"), folder.name)
    if len(first.shape) != 2:
        raise UnreadableData(
            f"The series '{folder.name}' is in colour. Add its files as pictures, as a list: "
            "blueno.ingest(sorted(folder.iterdir()), name=…).",
            code="colour_volume",
        )
    shape = (len(frames[0]), *first.shape)
    own = len({(one.slope, one.intercept) for one in chosen}) > 1
    limits.check_derived(
        folder.name,
        limits.check_volume(folder.name, (*shape, len(frames)), 4 if own else np.dtype(first.dtype).itemsize),
    )
    header = Header(
        "volume3d", shape, "float32" if own else first.dtype, spacing=place.spacing, affine=place.affine,
        oriented=place.affine is not None, frames=len(frames), slope=1.0 if own else first.slope,
        intercept=0.0 if own else first.intercept, unit=first.unit, inverted=first.inverted,
        window=first.window, level=first.level,
    )  # fmt: skip
    return header, frames, own


def _series_voxels(folder: Path, key: str | None) -> tuple[Header, Derived]:
    import numpy as np

    header, frames, own = _series(folder, key)
    dtype = np.dtype(header.dtype)

    def one(where: geometry.Slice) -> np.ndarray:
        pixels = _pixels(where.path, f"{folder.name}/{where.path.name}")
        if pixels.shape != header.shape[1:]:
            raise UnreadableData(f"'{where.path.name}' is not as large as the rest.", code="uneven_series")
        if own:
            pixels = pixels.astype(np.float32) * np.float32(where.slope) + np.float32(where.intercept)
        return np.ascontiguousarray(pixels, dtype)

    def blocks() -> Iterator[memoryview]:
        for positions in frames:
            for where in positions:
                yield one(where).data.cast("B")

    if len(frames) > 1:
        return header, Derived(blocks, dtype, (len(frames), *header.shape), "C", (1, 2, 3, 0))
    return header, Derived(blocks, dtype, header.shape, "C", (0, 1, 2), lambda n: one(frames[0][n]))


def _broken(name: str, error: Exception) -> UnreadableData:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if "bytes" in said and ("less than" in said or "expected" in said):
        return UnreadableData(
            f"'{name}' is cut off: it has fewer pixels than its header says. Copy or export it again.",
            code="truncated",
        )
    return UnreadableData(f"'{name}' is a damaged DICOM file ({said}). Export it again.", code="broken_data")
