"""How handles look: plain text everywhere, a little HTML in notebooks, in Lab's own colours."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

FRAME = (
    "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);line-height:1.5"
)
FAINT = "color:var(--jp-ui-font-color2,#666)"
BAR_LINES = 12  # values of a facet that are drawn

KIND_WORDS = {"image2d": "2D", "volume3d": "3D"}
STATE_WORDS = {
    "SUBMITTING": "submitting", "QUEUED": "waits", "STARTING": "starting", "RUNNING": "running",
    "FINISHING": "finishing", "SUCCEEDED": "done", "FAILED": "failed", "CANCELLED": "cancelled",
    "TIMED_OUT": "ran out of time", "LOST": "lost",
}  # fmt: skip
STATE_SIGNS = {
    "SUBMITTING": "◌", "QUEUED": "◌", "STARTING": "◌", "RUNNING": "●", "FINISHING": "●",
    "SUCCEEDED": "✓", "FAILED": "✗", "CANCELLED": "–", "TIMED_OUT": "✗", "LOST": "✗",
}  # fmt: skip


def display(shown: Any, **options: Any) -> Any:
    """IPython's `display`, loaded when it is needed."""
    from IPython import display as ipython

    put: Any = ipython.display
    return put(shown, **options)


def show(thing: Any) -> Any:
    """`blueno.show`, which is a row above: so the widgets may use handles, and handles be shown."""
    return import_module("jupyter_blueno").show(thing)


def table(rows: Sequence[Sequence[str]], head: Sequence[str], right: Iterable[int] = ()) -> str:
    """Columns of text, two spaces apart; those in `right` end flush."""
    flush = set(right)
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in flush else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def html_table(rows: Sequence[Sequence[str]], head: Sequence[str], right: Iterable[int] = ()) -> str:
    """The same as HTML; the cells are HTML already."""
    flush = set(right)

    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f"<{tag} style='text-align:{'right' if column in flush else 'left'};padding:2px 12px 2px 0'>"
            f"{cell}</{tag}>"
            for column, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f"<table style='{FRAME};border-collapse:collapse'><thead><tr>{line('th', head)}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def bars(title: str, counts: dict[str, int]) -> str:
    """HTML bars, one a value, the longest for the largest count."""
    most = max(counts.values(), default=0)
    lines = [
        f"<tr><td style='padding:0 8px 0 0;text-align:left'>{escape(value or '(none)')}</td>"
        f"<td style='padding:0;text-align:left'><span style='display:inline-block;height:9px;"
        f"width:{max(2, round(110 * count / most))}px;background:var(--jp-brand-color1,#1976d2);opacity:.75'>"
        f"</span></td><td style='padding:0 0 0 8px;text-align:right;{FAINT}'>{count:,}</td></tr>"
        for value, count in list(counts.items())[:BAR_LINES]
    ]
    more = len(counts) - len(lines)
    note = f"<div style='{FAINT}'>and {more:,} more</div>" if more > 0 else ""
    return (
        f"<div style='display:inline-block;vertical-align:top;margin:4px 24px 4px 0'><b>{escape(title)}</b>"
        f"<table style='{FRAME};line-height:1.35;border-collapse:collapse;margin:0'>"
        f"{''.join(lines)}</table>{note}</div>"
    )


def text_bars(title: str, counts: dict[str, int]) -> str:
    """One line: ``label  0 500 · 1 500 · …``."""
    shown = [f"{value or '(none)'} {count:,}" for value, count in list(counts.items())[:BAR_LINES]]
    more = len(counts) - len(shown)
    return f"{title:6} " + " · ".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])


def picture(png: bytes, words: str, height: int | None = None) -> str:
    """A PNG as an HTML element."""
    size = f"height:{height}px;" if height else ""
    data = base64.b64encode(png).decode()
    return (
        f"<img alt='{escape(words, quote=True)}' src='data:image/png;base64,{data}' "
        f"style='{size}max-width:100%;image-rendering:pixelated'>"
    )


def age(when: datetime | None) -> str:
    """``3 min ago``; the empty string for None."""
    if when is None:
        return ""
    seconds = (datetime.now(UTC) - when.astimezone(UTC)).total_seconds()
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        if seconds < limit:
            return "now" if seconds < 5 else f"{int(seconds // size)} {unit} ago"
    return when.astimezone().strftime("%Y-%m-%d")


def size(count: float) -> str:
    """Bytes in words: ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1000
    return f"{count:.3g} TB"


def png(image: Image.Image) -> bytes:
    """A PIL image as PNG."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()


def strip(images: Sequence[Image.Image], height: int = 56, gap: int = 3) -> Image.Image:
    """Pictures of one height beside each other, on a transparent ground."""
    from PIL import Image

    scaled = [
        one.convert("RGBA").resize(
            (max(1, round(one.width * height / one.height)), height),
            Image.Resampling.NEAREST if one.height < height else Image.Resampling.BILINEAR,
        )
        for one in images
    ]
    whole = Image.new("RGBA", (sum(one.width for one in scaled) + gap * (len(scaled) - 1), height))
    left = 0
    for one in scaled:
        whole.paste(one, (left, 0))
        left += one.width + gap
    return whole


def sheet(images: Sequence[Image.Image], width: int = 900, height: int = 56, gap: int = 3) -> Image.Image:
    """Pictures of one height in rows of at most `width` pixels."""
    from PIL import Image

    rows: list[list[Image.Image]] = []
    room = 0
    for one in images:
        wide = round(one.width * height / one.height) + gap
        if not rows or wide > room:
            rows.append([])
            room = width + gap
        rows[-1].append(one)
        room -= wide
    strips = [strip(row, height, gap) for row in rows]
    whole = Image.new("RGBA", (max(one.width for one in strips), len(strips) * (height + gap) - gap))
    for place, one in enumerate(strips):
        whole.paste(one, (0, place * (height + gap)))
    return whole


def to_image(array: np.ndarray) -> Image.Image:
    """A 2D image (H, W) or (H, W, 1|3|4) as 8-bit PIL; other types are scaled to their range."""
    import numpy as np
    from PIL import Image

    array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        values = np.nan_to_num(array.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
        if high <= low:
            low, high = float(values.min()), float(values.max())
        array = (np.clip((values - low) / (high - low or 1.0), 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))
