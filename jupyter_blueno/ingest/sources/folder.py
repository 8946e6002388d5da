"""A folder of images and volumes; sub-folders are labels, the first level may be splits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jupyter_blueno.catalog.model import Problem
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.ingest.sources.files import FileSample

SPLITS = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip
FOLDER_DEPTH = 64


def natural(text: str) -> list[Any]:
    """A key that sorts ``img2`` before ``img10``."""
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", text)]


def check(path: Path) -> None:
    """Refuse a path that is not a folder, or a folder without anything in it.

    Raises
    ------
    NotFound, InvalidInput
    """
    if not path.exists():
        raise NotFound(f"There is no folder '{path}' on this server. Check the path.")
    if not path.is_dir():
        raise InvalidInput(f"'{path}' is a file. Give the folder that it is in, or add it as a volume.")
    try:
        empty = not any(path.iterdir())
    except OSError as error:
        raise InvalidInput(f"'{path}' cannot be read: {error.strerror}. Check its permissions.") from error
    if empty:
        raise InvalidInput(f"The folder '{path}' is empty. Put images or volumes in it first.", code="empty")


def scan(root: Path) -> tuple[list[FileSample], list[Problem]]:
    """Find the samples below `root`, in natural order.

    Parameters
    ----------
    root : Path
        A real path: symbolic links in it were followed.

    Returns
    -------
    samples : list of FileSample
    problems : list of Problem
        Links that lead out of `root`, folders that cannot be read.
    """
    walk = _Walk(root)
    samples = list(walk.folder(root, ()))
    return samples, walk.problems


class _Walk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.seen: set[tuple[int, int]] = set()  # folders by device and inode: links may run in circles

    def folder(self, folder: Path, parts: tuple[str, ...]) -> Iterator[FileSample]:
        from jupyter_blueno.imaging import formats

        try:
            status = folder.stat()
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: natural(entry.name))
        except OSError as error:
            self.problem(parts, "unreadable_folder", f"The folder cannot be read: {error.strerror}.")
            return
        if (status.st_dev, status.st_ino) in self.seen or len(parts) > FOLDER_DEPTH:
            return
        self.seen.add((status.st_dev, status.st_ino))
        files: list[os.DirEntry[str]] = []
        folders: list[os.DirEntry[str]] = []
        for entry in entries:
            if entry.name.startswith(".") or not self.is_inside(entry, parts):
                continue
            if entry.is_dir():
                folders.append(entry)
            elif entry.is_file():
                files.append(entry)
            elif formats.has_known_suffix(entry.name):
                what = "a link to nothing" if entry.is_symlink() else "a pipe or a device"
                self.problem((*parts, entry.name), "not_a_file", f"It is {what}. Save the data as a file.")
        yield from self.files(folder, parts, files)
        for entry in folders:
            yield from self.folder(folder / entry.name, (*parts, entry.name))

    def files(
        self, folder: Path, parts: tuple[str, ...], files: list[os.DirEntry[str]]
    ) -> Iterator[FileSample]:
        from jupyter_blueno.imaging import formats

        slices = {entry.path for entry in files if is_dicom(entry.path)}
        series = series_of(slices)
        name, taken = "/".join(parts) or folder.name, set()
        split, label = split_and_label(parts[:-1])
        for uid, paths in series.items():
            if len(paths) > 1:  # the folder is the volume, or holds several
                alone = len(series) == 1
                key = None if alone else uid
                yield FileSample(str(folder), name if alone else f"{name}/{uid}", split, label, key)
                taken |= paths
        split, label = split_and_label(parts)
        for entry in files:
            if entry.path not in taken and (entry.path in slices or formats.has_known_suffix(entry.name)):
                yield FileSample(entry.path, "/".join((*parts, entry.name)), split, label)

    def is_inside(self, entry: os.DirEntry[str], parts: tuple[str, ...]) -> bool:
        if not entry.is_symlink():
            return True
        real = Path(os.path.realpath(entry.path))
        if real.is_relative_to(self.root):
            return True
        self.problem(
            (*parts, entry.name),
            "outside_roots",
            f"It is a link to '{real}', outside of the folder. Copy the file, or add that folder instead.",
        )
        return False

    def problem(self, parts: tuple[str, ...], code: str, message: str) -> None:
        self.problems.append(Problem("/".join(parts) or ".", code, message))


def split_and_label(parts: tuple[str, ...]) -> tuple[str | None, str | None]:
    """What the folders above a file say: ``("training", "cat")`` is split train, label cat."""
    split = SPLITS.get(parts[0].casefold()) if parts else None
    rest = parts[1:] if split else parts
    return split, rest[0] if rest else None


def is_dicom(path: str) -> bool:
    """Whether a file is DICOM: by its suffix, or without one by its first bytes."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in {".dcm", ".dicom", ".ima"}:
        return True
    if suffix and not suffix[1:].isdecimal():  # `1.2.840.113` has the suffix .113
        return False
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def series_of(paths: Iterable[str]) -> dict[str, set[str]]:
    """Group DICOM files by SeriesInstanceUID; a file that cannot be read is in none."""
    series: dict[str, set[str]] = {}
    for path in paths:
        import pydicom

        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
            series.setdefault(str(header.SeriesInstanceUID), set()).add(path)
        except Exception:  # a text file named .dcm: examined on its own, and reported then
            continue
    return series
