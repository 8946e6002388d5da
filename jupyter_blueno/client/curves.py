"""Curves of a job in a notebook: by name as arrays, as a table, as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_blueno import errors
from jupyter_blueno.client import look
from jupyter_blueno.jobs import readings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 24  # characters of a curve in a line
PICTURE = (120, 20)  # CSS pixels of a curve in a table


class Curve:
    """One curve.

    Attributes
    ----------
    name : str
    steps, times, values : ndarray of float64
        Of equal length, in the order in which they were logged; times in
        seconds since 1970. NaN and infinities are among the values as they came.
    count : int
        Points that were logged; more than there are here where they were thinned.
    """

    def __init__(self, told: readings.Curve) -> None:
        import numpy as np

        self.name = told.name
        self.steps: NDArray[np.float64] = np.array(told.steps, np.float64)
        self.times: NDArray[np.float64] = np.array(told.times, np.float64)
        self.values: NDArray[np.float64] = np.array([float(one) for one in told.values], np.float64)
        self.count = told.count

    @property
    def last(self) -> float:
        """The newest value."""
        return float(self.values[-1])

    @property
    def min(self) -> float:
        """The lowest value that is a number; NaN where none is."""
        return min((float(one) for one in self.values if one == one), default=float("nan"))

    @property
    def max(self) -> float:
        return max((float(one) for one in self.values if one == one), default=float("nan"))

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.float64]:
        import numpy as np

        return np.array(self.values, dtype)

    def __repr__(self) -> str:
        return f"<Curve {self.name!r}: {self.count:,} points, last {number(self.last)}>"


class Curves(Mapping[str, Curve]):
    """Curves by name, in the order in which they began; shown as a table."""

    def __init__(self, told: readings.Curves, nothing: str, measure: Any = None) -> None:
        self._curves = {one.name: Curve(one) for one in told.curves}
        self._nothing = nothing
        self._number = measure or (lambda name, value: number(value))

    def __getitem__(self, name: str) -> Curve:
        try:
            return self._curves[name]
        except KeyError:
            raise KeyError(
                f"{name!r} is not among the curves: {', '.join(self) or 'there are none'}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    @property
    def last(self) -> dict[str, float]:
        """The newest value of each."""
        return {name: one.last for name, one in self.items()}

    def to_pandas(self) -> Any:
        """A DataFrame with a row a point: ``name``, ``step``, ``time`` (UTC), ``value``.

        Raises
        ------
        MissingDependency
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise errors.MissingDependency("This needs pandas: pip install pandas.") from None
        frames = [
            pandas.DataFrame(
                {
                    "name": name,
                    "step": one.steps,
                    "time": pandas.to_datetime(one.times, unit="s", utc=True),
                    "value": one.values,
                }
            )
            for name, one in self.items()
        ]
        return (
            pandas.concat(frames, ignore_index=True)
            if frames
            else pandas.DataFrame(columns=["name", "step", "time", "value"])
        )

    def _rows(self) -> list[tuple[str, Curve, list[str]]]:
        return [
            (name, one, [self._number(name, value) for value in (one.last, one.min, one.max)])
            for name, one in self.items()
        ]

    def __repr__(self) -> str:
        if not self:
            return self._nothing
        rows = [[name, sketch(one.values), *words, f"{one.count:,}"] for name, one, words in self._rows()]
        return look.table(rows, _HEAD, right=(2, 3, 4, 5))

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>{escape(self._nothing)}</div>"
        rows = [
            [escape(name), drawing(one), *map(escape, words), f"{one.count:,}"]
            for name, one, words in self._rows()
        ]
        return look.html_table(rows, _HEAD, right=(2, 3, 4, 5))


_HEAD = ["name", "", "last", "lowest", "highest", "points"]


def number(value: float) -> str:
    """A value in few digits: `0.0312`, `12,300`, `1.2e-09`, `nan`."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.4g}"


def sketch(values: NDArray[np.float64]) -> str:
    """A curve in a line of text; a gap where there is no number."""
    import numpy as np

    if not np.isfinite(values).any():
        return ""
    parts = [part for part in np.array_split(values, min(WIDTH, len(values))) if len(part)]
    means = [float(part[np.isfinite(part)].mean()) if np.isfinite(part).any() else None for part in parts]
    known = [one for one in means if one is not None]
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if one is None else BLOCKS[min(len(BLOCKS) - 1, int((one - low) / span * len(BLOCKS)))]
        for one in means
    )


def drawing(curve: Curve) -> str:
    """A curve as a small picture in the colour of the text."""
    import numpy as np

    width, height = PICTURE
    known = np.isfinite(curve.values)
    if known.sum() < 2:
        return ""
    steps, values = curve.steps[known], curve.values[known]
    across = (steps - steps.min()) / (np.ptp(steps) or 1) * width
    up = height - 2 - (values - values.min()) / (np.ptp(values) or 1) * (height - 4)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    return (
        f"<svg width='{width}' height='{height}' role='img' aria-label='from {number(float(values[0]))} "
        f"to {number(float(values[-1]))}'><polyline points='{points}' fill='none' stroke='currentColor'/>"
        "</svg>"
    )
