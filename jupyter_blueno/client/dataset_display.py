"""How datasets look in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING

from jupyter_blueno import errors
from jupyter_blueno.catalog import model
from jupyter_blueno.client import look

if TYPE_CHECKING:
    from jupyter_blueno.client.datasets import Dataset

SHEET = 64  # samples in the picture of a dataset that `show` leaves in a notebook


def text(dataset: Dataset) -> str:
    """A line of facts, and a bar for each value of a facet."""
    lines = [f"<Dataset {_title(dataset)}: {_summary(dataset)}>"]
    facets = dataset.facets if dataset._taken is None else {}
    lines += [f"  {look.text_bars(field, counts)}" for field, counts in facets.items() if set(counts) - {""}]
    return "\n".join(lines)


def html(dataset: Dataset) -> str:
    """The same with a few of its thumbnails."""
    png = None
    with suppress(errors.BluenoError):  # the words are worth having without the pictures
        png = _strip(dataset)
    facets = {field: counts for field, counts in dataset.facets.items() if set(counts) - {""}}
    strip = look.picture(png, f"samples of {dataset.name}") if png else ""
    return (
        f"<div style='{look.FRAME}'><b>{escape(_title(dataset))}</b> "
        f"<span style='{look.FAINT}'>{escape(_summary(dataset))}</span>"
        + (f"<div>{escape(dataset.description)}</div>" if dataset.description else "")
        + (f"<div style='margin:4px 0'>{strip}</div>" if strip else "")
        + "".join(look.bars(field, counts) for field, counts in facets.items())
        + "</div>"
    )


def sheet(dataset: Dataset) -> bytes | None:
    """A PNG of its first samples."""
    from jupyter_blueno.client import pixels

    ordinals = [int(one) for one in dataset.ordinals[:SHEET]] if len(dataset) else []
    return pixels.sheet_png(dataset.id, ordinals) if ordinals else None


class DatasetList(list["Dataset"]):
    """Datasets, shown as a table."""

    def _cells(self) -> list[list[str]]:
        return [
            [
                one.name,
                f"{one._info.version.sample_count:,}",
                "+".join(look.KIND_WORDS[kind] for kind in one._info.kinds),
                str(one._info.label_count or ""),
                f"v{one.version}",
                _prepared(one._info.version.progress) if one.state == "preparing" else one.state,
                look.age(one._info.updated_at),
            ]
            for one in self
        ]

    def __repr__(self) -> str:
        if not self:
            return _NO_DATASETS
        return look.table(self._cells(), _HEAD, right=(1, 3))

    def _repr_html_(self) -> str:
        if not self:
            return f"<div style='{look.FRAME}'>{escape(_NO_DATASETS)}</div>"
        return look.html_table([list(map(escape, row)) for row in self._cells()], _HEAD, right=(1, 3))


_HEAD = ["name", "samples", "kind", "labels", "version", "state", "changed"]
_NO_DATASETS = (
    "No datasets yet. blueno.ingest(folder_or_arrays, name=…) or blueno.prepare('mnist') makes one."
)


def _title(dataset: Dataset) -> str:
    chosen = dataset._filter
    parts = [f"{field}={_short(getattr(chosen, field))}" for field in ("split", "label")
             if getattr(chosen, field)]  # fmt: skip
    if chosen.text:
        parts.append(f"text={chosen.text!r}")
    return dataset.name + (f".where({', '.join(parts)})" if parts else "")


def _summary(dataset: Dataset) -> str:
    version = dataset._info.version
    words = [f"{len(dataset):,} samples", " + ".join(look.KIND_WORDS[kind] for kind in dataset._info.kinds)]
    words.append(f"v{version.number}")
    if version.state == "preparing":
        words.append(_prepared(version.progress))
    elif version.state == "failed":
        words.append(f"failed: {version.reason}")
    if version.problems:
        words.append(f"{len(version.problems):,} could not be read (.problems)")
    return " · ".join(word for word in words if word)


def _strip(dataset: Dataset) -> bytes | None:
    from jupyter_blueno.client import pixels

    count = len(dataset)
    if not count:
        return None
    places = sorted({round(i * (count - 1) / 3) for i in range(4)})
    ordinals = dataset._info.preview or None
    if dataset._taken is not None or dataset._filter != model.Filter() or not ordinals:
        ordinals = [int(dataset.ordinals[place]) for place in places]
    return pixels.strip_png(dataset.id, ordinals)


def _prepared(progress: model.Progress | None) -> str:
    if progress is None or not progress.total:
        return "preparing"
    return f"preparing {progress.done / progress.total:.0%}"


def _short(values: list[str]) -> str:
    return repr(values[0] if len(values) == 1 else values)


def facet_counts(values: list[model.FacetValue], chosen: list[str]) -> dict[str, int]:
    """Facets are counted under the filter of the *other* field; here only what was chosen of this one."""
    return {one.value or "": one.count for one in values if not chosen or (one.value or "") in chosen}


def in_words(names: Sequence[str], most: int = 20) -> str:
    """The first names, in quotation marks, and how many more there are."""
    shown = [repr(name) if name else "'' (none)" for name in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
