"""The formats, and which one reads a file.

A new format is a file beside this one and a line in `_TABLE`; it passes the
suite in `jupyter_blueno.imaging.testing`. The content decides; the suffix only
where the content tells nothing.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from jupyter_blueno.errors import NotFound, UnreadableData
from jupyter_blueno.imaging.formats.base import Format

# name → class, in the order in which content is looked at
_TABLE: dict[str, str] = {
    "pillow": "jupyter_blueno.imaging.formats.pillow:Pillow",
    "nifti": "jupyter_blueno.imaging.formats.nifti:Nifti",
    "numpy": "jupyter_blueno.imaging.formats.numpy:Numpy",
    "prepared": "jupyter_blueno.imaging.formats.prepared:Prepared",
    "dicom": "jupyter_blueno.imaging.formats.dicom:Dicom",
}
_LONGEST_SUFFIX = 2  # '.nii.gz'


@cache
def named(name: str) -> Format:
    """The format called `name`."""
    module, _, attribute = _TABLE[name].partition(":")
    made: Format = getattr(import_module(module), attribute)()
    return made


def names() -> list[str]:
    """All formats."""
    return list(_TABLE)


def register(name: str, target: str) -> None:
    """Add a format of another package; `target` is ``module:class``. Later ones are asked first."""
    rest = {k: v for k, v in _TABLE.items() if k != name}
    _TABLE.clear()
    _TABLE.update({name: target, **rest})
    named.cache_clear()


def of(path: Path) -> Format:
    """The format that reads `path`.

    Raises
    ------
    NotFound
        ``file_missing``.
    UnreadableData
        ``unknown_format`` if neither content nor name is one of ours.
    """
    head = _head(path)
    formats = [named(name) for name in _TABLE]
    for one in formats:
        if one.claims(path, head):
            return one
    suffix = _suffix(path)
    for one in formats:
        if suffix in one.suffixes or path.suffix.lower() in one.suffixes:
            return one
    known = ", ".join(sorted({s for one in formats for s in one.suffixes if s}))
    raise UnreadableData(
        f"'{path.name}' is in no format that is read here ({known}). Convert it to one of these.",
        code="unknown_format",
    )


def has_known_suffix(name: str) -> bool:
    """Whether a file of that name is worth opening; the file is not looked at."""
    path = Path(name)
    wanted = {_suffix(path), path.suffix.lower()} - {""}
    return any(wanted & set(named(one).suffixes) for one in _TABLE)


def _suffix(path: Path) -> str:
    return "".join(path.suffixes[-_LONGEST_SUFFIX:]).lower()


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            return b""
        if path.exists() and not path.is_file():  # reading a pipe or a device never ends
            raise UnreadableData(
                f"'{path.name}' is a pipe or a device, not a file. Save the data as a file.",
                code="not_a_file",
            )
        with path.open("rb") as file:
            return file.read(512)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"'{path.name}' is not there any more.", code="file_missing") from None
    except OSError as error:
        raise UnreadableData(
            f"'{path.name}' cannot be opened ({error.strerror}). Check its permissions.",
            code="cannot_open",
        ) from error
