"""What a benchmark tells."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Parameters
    ----------
    name : str
        What was measured.
    value : str
        With its unit.
    against : str
        What it is compared with, with its value and the ratio or difference.
    reach : str
        What we want it to be.
    reached : bool or None
        Whether it is; None if nothing was promised.
    """

    name: str
    value: str
    against: str = ""
    reach: str = ""
    reached: bool | None = None


def table(figures: Iterable[Figure]) -> str:
    """Figures as a Markdown table."""
    marks = {True: "yes", False: "**no**", None: ""}
    rows = [(f.name, f.value, f.against, f.reach, marks[f.reached]) for f in figures]
    head = ("figure", "measured", "against", "reach", "reached")
    lines = ["| " + " | ".join(row) + " |" for row in [head, ("---",) * 5, *rows]]
    return "\n".join(lines)


def percentile(times: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of `times`."""
    ranked = sorted(times)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


def spread(times: Sequence[float]) -> str:
    """Median and 95th percentile of seconds, in milliseconds."""
    return f"{1000 * statistics.median(times):.1f} / {1000 * percentile(times, 95):.1f} ms (p50 / p95)"
