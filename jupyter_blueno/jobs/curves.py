"""Curves that a job or its supervisor wrote (`points.py`), read for those who ask."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.model import Value, word
from jupyter_blueno.jobs.points import RECORD
from jupyter_blueno.jobs.readings import Curve, Curves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW, MOST = 10, 100_000  # points of a curve that may be asked for
ANSWER = 500_000  # points in one answer, of all curves together


def read(folder: Path, after: str = "", limit: int = 1000) -> Curves:
    """The curves of a folder.

    Parameters
    ----------
    after : str
        What an earlier answer said: only what came since.
    limit : int
        Points of a curve at most, 10 to 100,000; of more, the lowest and the
        highest of each stretch are taken, and the first and the last.

    Raises
    ------
    InvalidInput
        ``bad_cursor``, ``bad_limit``
    """
    import numpy as np

    if not FEW <= limit <= MOST:
        raise InvalidInput(f"limit is {FEW} to {MOST:,} points of a curve.", code="bad_limit")
    seen = _parsed(after)
    found: dict[str, list[NDArray[np.void]]] = {}
    for number in _numbers(folder):
        names, points = _file(folder / number, seen.get(number, 0))
        if not len(points):
            continue
        seen[number] = seen.get(number, 0) + len(points)
        if (points["curve"] != points["curve"][0]).any():  # as bytes: field by field takes ten times as long
            order = np.argsort(points["curve"], kind="stable")
            points = points.view(f"V{RECORD}")[order].view(points.dtype)
        starts = np.flatnonzero(np.diff(points["curve"], prepend=-1))
        for part in np.split(points, starts[1:]):
            found.setdefault(names[part["curve"][0]], []).append(part)
    limit = max(FEW, min(limit, ANSWER // max(1, len(found))))
    curves = [_curve(name, parts, limit) for name, parts in found.items()]
    return Curves(curves, "-".join(f"{number}.{count}" for number, count in sorted(seen.items())))


def _numbers(folder: Path) -> list[str]:
    try:
        return sorted(name[:-7] for name in os.listdir(folder) if name.endswith(".points"))
    except OSError:
        return []


def _file(place: Path, skip: int) -> tuple[list[str], NDArray[np.void]]:
    """Names, and the whole points after the first `skip`."""
    import numpy as np

    kind = np.dtype(
        [("curve", "<u4"), ("nothing", "<u4"), ("step", "<f8"), ("time", "<f8"), ("value", "<f8")]
    )
    try:
        size = place.with_suffix(".points").stat().st_size
        count = max(0, size // RECORD - skip)
        points = np.empty(0, kind)
        if count:
            points = np.fromfile(place.with_suffix(".points"), kind, count, offset=skip * RECORD)
        text = place.with_suffix(".names").read_bytes()  # afterwards: it has all names that the points use
    except OSError:
        return [], np.empty(0, kind)
    names = [msgspec.json.decode(line, type=str) for line in text.split(b"\n")[:-1]]
    known = points["curve"] < len(names)
    return names, points if known.all() else points[known]


def _parsed(after: str) -> dict[str, int]:
    """``0000.128-0001.5`` → how many points of each file are known."""
    try:
        pairs = [part.split(".") for part in after.split("-") if part]
        known = {number: int(count) for number, count in pairs}
        if all(number.isdigit() and count >= 0 for number, count in known.items()):
            return known
    except ValueError:
        pass
    raise InvalidInput("'after' is what an earlier answer said, as it was.", code="bad_cursor")


def _curve(name: str, parts: list[NDArray[np.void]], limit: int) -> Curve:
    import numpy as np

    points = parts[0]
    if len(parts) > 1:  # of several processes
        points = np.concatenate(parts)
        points = points[np.argsort(points["time"], kind="stable")]
    chosen = points if len(points) <= limit else points[thinned(points["value"], limit)]
    values: list[Value] = chosen["value"].tolist()
    for index in np.flatnonzero(~np.isfinite(chosen["value"])):
        values[index] = word(chosen["value"][index])
    times = np.round(chosen["time"], 3).tolist()
    return Curve(name, chosen["step"].tolist(), times, values, len(points))


def thinned(values: NDArray[np.float64], limit: int) -> NDArray[np.intp]:
    """Indices of at most `limit` values that look like all of them.

    Of each stretch the lowest and the highest, and one that is NaN if there is
    one; the first and the last of all.
    """
    import numpy as np

    count = len(values)
    missing = np.isnan(values)
    stretches = max(1, (limit - 2) // (3 if missing.any() else 2))
    length = -(-count // stretches)
    padded = np.full(stretches * length, np.nan)
    padded[:count] = values
    table = padded.reshape(stretches, length)
    begins = np.arange(stretches) * length
    none = np.isnan(table)
    low = begins + np.where(none, np.inf, table).argmin(axis=1)
    high = begins + np.where(none, -np.inf, table).argmax(axis=1)
    chosen = [low, high, np.array([0, count - 1])]
    if missing.any():
        absent = none & (begins[:, None] + np.arange(length) < count)
        rows = absent.any(axis=1)
        chosen.append((begins + absent.argmax(axis=1))[rows])
    together = np.unique(np.concatenate(chosen))
    return together[together < count]
