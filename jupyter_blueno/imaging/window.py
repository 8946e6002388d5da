"""From numbers to grey: which range of values is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import UnreadableData

if TYPE_CHECKING:
    import numpy as np

PERCENTILES = (0.5, 99.5)
_SAMPLES = 200_000  # numbers that percentiles are taken of


def subsample(array: np.ndarray, count: int = _SAMPLES) -> np.ndarray:
    """Return about `count` numbers of `array`, spread over all its axes."""
    step = max(1, round((array.size / count) ** (1 / max(array.ndim, 1))))
    return array[tuple(slice(None, None, min(step, max(1, n // 8))) for n in array.shape)]


def display_range(array: np.ndarray, name: str) -> tuple[float, float]:
    """Return the values to be drawn black and white: percentiles of the finite ones.

    Where background fills most of the array its one value is left out, so that
    a small object does not drown.

    Raises
    ------
    UnreadableData
        ``no_finite_values`` if all are NaN or infinite.
    """
    import numpy as np

    some = subsample(array).astype(np.float64).ravel()
    some = some[np.isfinite(some)]
    if not some.size:
        whole = np.asarray(array)
        some = whole[np.isfinite(whole)].astype(np.float64).ravel()
    if not some.size:
        raise UnreadableData(
            f"'{name}' holds no number but NaN or infinity. Look at how it was computed, or leave it out.",
            code="no_finite_values",
        )
    low, high = np.percentile(some, PERCENTILES)
    if low == high:
        low, high = float(some.min()), float(some.max())
        rest = some[some != np.median(some)]
        if rest.size:
            high = max(float(np.percentile(rest, PERCENTILES[1])), low)
            low = min(low, float(np.percentile(rest, PERCENTILES[0])))
    return float(low), float(high)


def to_grey(array: np.ndarray, low: float, high: float, inverted: bool = False) -> np.ndarray:
    """Return uint8: `low` and below is 0, `high` and above 255, NaN is 0. A constant is mid-grey."""
    import numpy as np

    if high <= low:
        return np.full(array.shape, 128, np.uint8)
    # Parted, so that a range of the whole of float64 does not overflow.
    scaled: Any = array.astype(np.float32 if array.dtype.itemsize < 8 else np.float64)
    scaled = (scaled / 2 - low / 2) * (255.0 / (high / 2 - low / 2))
    grey: np.ndarray = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).astype(np.uint8)
    return 255 - grey if inverted else grey


def to_8_bit(array: np.ndarray, name: str = "the array", inverted: bool = False) -> np.ndarray:
    """Return any numbers as uint8, as a person expects to see them.

    uint8 stays; booleans and floats (or integers) within 0 … 1 span black to
    white; integers within 0 … 255 stay; all else is windowed by percentiles.

    Raises
    ------
    UnreadableData
        ``no_finite_values``.
    """
    import numpy as np

    if array.dtype == np.uint8:
        return 255 - array if inverted else array
    if array.dtype == np.bool_:
        return (array * np.uint8(255)) if not inverted else (~array * np.uint8(255))
    low, high = float(array.min()), float(array.max())
    if low >= 0 and high <= 1 and (low, high) != (0, 0):
        return to_grey(array, 0, 1, inverted)
    if low >= 0 and high <= 255 and array.dtype.kind in "iu":
        narrow: np.ndarray = array.astype(np.uint8)
        return 255 - narrow if inverted else narrow
    return to_grey(array, *display_range(array, name), inverted)
