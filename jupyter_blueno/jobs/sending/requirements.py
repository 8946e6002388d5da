"""What an environment is built of: lines of a requirements file, read and checked before it is built."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from jupyter_blueno.errors import InvalidInput

_INCLUDED = ("-r", "--requirement")
_BESIDE = ("-c", "--constraint", "-e", "--editable")


def of_file(file: Path) -> list[str]:
    """The lines of a requirements file and of those that it includes; paths become absolute.

    Raises
    ------
    InvalidInput
        If a file is missing, no text, or includes itself.
    """
    return list(_lines(file, ()))


def _lines(file: Path, above: tuple[Path, ...]) -> Iterator[str]:
    place = file.absolute()
    if place in above:
        raise InvalidInput(
            f"The requirements file {file} includes itself. Take that line out.", code="bad_requirements"
        )
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        of = f", which {above[-1]} includes," if above else ""
        raise InvalidInput(
            f"The requirements file {file}{of} cannot be read ({error.strerror}). Correct its path.",
            code="requirements_not_found",
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(
            f"The requirements file {file} is not text (UTF-8). Give a list of packages, one a line.",
            code="bad_requirements",
        ) from None
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = raw.split(" #")[0].strip()
        word, _, rest = line.replace("=", " ", 1).partition(" ") if line[:2] == "--" else line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if word in _INCLUDED:
            yield from _lines(file.parent / rest.strip(), (*above, place))
        elif word in _BESIDE:
            yield f"{word} {os.path.abspath(file.parent / rest.strip())}"
        elif line.startswith((".", "/")):
            yield os.path.abspath(file.parent / line)
        else:
            yield line


def check(lines: Iterable[str]) -> None:
    """Refuse lines that are no requirement.

    Raises
    ------
    InvalidInput
    """
    for line in lines:
        wanted = re.split(r"\s--", line.strip(), maxsplit=1)[0]  # what follows are options: hashes
        if wanted and not wanted.startswith(("-", ".", "/", "~")) and not _is_requirement(wanted):
            raise InvalidInput(
                f"'{line[:80]}' is not a requirement. Write a package, and what versions will do: 'numpy' or "
                "'numpy>=2.1'.",
                code="bad_requirements",
            )


def _is_requirement(text: str) -> bool:
    if "://" in text or text.endswith((".whl", ".zip", ".tar.gz")):
        return True
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True
