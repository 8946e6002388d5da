"""Datasets in a notebook: find, filter, look at, read."""

from __future__ import annotations

import difflib
import operator
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, overload

from msgspec import structs

from jupyter_blueno import errors
from jupyter_blueno.api import catalog as api
from jupyter_blueno.catalog import model
from jupyter_blueno.client import look, session
from jupyter_blueno.client.samples import Sample

if TYPE_CHECKING:
    import numpy as np

PAGE = 500  # rows a request while iterating
RANDOM_PAGE = 100  # rows fetched around an index: loops over indices stay quick
PAGES_KEPT = 16
SHEET = 64  # samples in the picture of a dataset that `show` leaves in a notebook

Value = str | int | None


def datasets(search: str = "") -> DatasetList:
    """List the datasets you may see, by name.

    Parameters
    ----------
    search : str
        Only those with this in their name or description.
    """
    found = session.call(api.list_datasets, api.ListDatasets(search=search))
    return DatasetList(Dataset(one) for one in found.datasets)


def dataset(name: str) -> Dataset:
    """Return the dataset called `name`.

    Raises
    ------
    NotFound
        With the names that come nearest.
    """
    found = session.call(api.list_datasets, api.ListDatasets(name=str(name))).datasets
    if found:
        return Dataset(found[0])
    names = [one.name for one in session.call(api.list_datasets, api.ListDatasets()).datasets]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(map(repr, near))}?"
    elif names:
        hint = f"There are {_listed(names)}."
    else:
        hint = f"There are none yet: blueno.ingest(…) or blueno.prepare({str(name)!r}) makes one."
    raise errors.NotFound(f"There is no dataset called {str(name)!r}. {hint}", code="dataset_not_found")


class Dataset(Sequence[Sample]):
    """A dataset, or a part of one selected by `where` or by slicing.

    Behaves as a sequence of `Sample`. It is a view of what the catalog knew
    when it was made; `refresh` looks again.

    Examples
    --------
    >>> digits = blueno.dataset("mnist-5k")
    >>> sevens = digits.where(label=7, split="test")
    >>> images, labels = sevens.numpy()
    """

    def __init__(
        self, info: model.Dataset, chosen: model.Filter | None = None, ordinals: np.ndarray | None = None
    ) -> None:
        self._info = info
        self._filter = chosen or model.Filter()
        self._taken = ordinals  # by slicing; None is all that the filter selects
        self._known: np.ndarray | None = None
        self._facets: model.Facets | None = None
        self._all_facets: model.Facets | None = None
        self._pages: OrderedDict[int, list[model.Sample]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def id(self) -> int:
        return self._info.id

    @property
    def description(self) -> str | None:
        return self._info.description

    @property
    def info(self) -> dict[str, Any]:
        return dict(self._info.info)

    @property
    def version(self) -> int:
        return self._info.version.number

    @property
    def state(self) -> model.VersionState:
        """``open``, ``preparing``, ``ready`` or ``failed``."""
        return self._info.version.state

    @property
    def problems(self) -> list[model.Problem]:
        """Samples that could not be read, and why."""
        return list(self._info.version.problems)

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """How many of these samples have which split and which label; ``""`` is none."""
        if self._taken is not None:
            counts: dict[str, dict[str, int]] = {"split": {}, "label": {}}
            for row in self._rows():
                for field, value in (("split", row.split), ("label", row.label)):
                    counts[field][value or ""] = counts[field].get(value or "", 0) + 1
            return {field: dict(sorted(values.items())) for field, values in counts.items()}
        facets = self._count()
        return {
            "split": _counts(facets.splits, self._filter.split),
            "label": _counts(facets.labels, self._filter.label),
        }

    @property
    def labels(self) -> list[str]:
        """The labels that occur in the whole dataset."""
        return [one.value for one in self._count_all().labels if one.value]

    @property
    def splits(self) -> list[str]:
        """The splits that occur in the whole dataset."""
        return [one.value for one in self._count_all().splits if one.value]

    @property
    def ordinals(self) -> np.ndarray:
        """Ordinals of the samples, in order; int64."""
        import numpy as np

        if self._taken is not None:
            return self._taken
        if self._known is None:
            answer = session.call(api.get_ordinals, self._selection())
            listed = range(answer.total) if answer.ordinals is None else answer.ordinals
            self._known = np.asarray(listed, dtype=np.int64)
        return self._known

    def where(
        self,
        split: Value | Sequence[Value] = None,
        label: Value | Sequence[Value] = None,
        text: str = "",
    ) -> Dataset:
        """Select samples; values of one field are alternatives, fields are combined.

        Parameters
        ----------
        split, label : str, int or list of them, optional
            ``label=7`` and ``label="7"`` are the same; ``""`` is "has none".
        text : str
            Anywhere in name or label, ignoring case.

        Raises
        ------
        InvalidInput
            If no sample has such a value; the sentence lists what there is.
        """
        chosen = model.Filter(
            split=self._values("split", split),
            label=self._values("label", label),
            text=text or self._filter.text,
        )
        selected = Dataset(self._info, chosen)
        selected._all_facets = self._all_facets
        excluded = any(getattr(self._filter, one) and not getattr(chosen, one) for one in ("split", "label"))
        if self._taken is not None or excluded:
            import numpy as np

            before = np.empty(0, np.int64) if excluded or self._taken is None else self._taken
            selected._taken = before[np.isin(before, selected.ordinals)] if len(before) else before
        return selected

    def refresh(self) -> Dataset:
        """Look at the catalog again; returns the dataset itself."""
        self._info = session.call(api.get_dataset, api.DatasetRef(self.id))
        self._known = self._facets = self._all_facets = None
        self._pages.clear()
        return self

    def __len__(self) -> int:
        if self._taken is not None:
            return len(self._taken)
        if self._known is not None:
            return len(self._known)
        return self._count().total

    def __bool__(self) -> bool:
        return True  # an empty dataset is a dataset

    @overload
    def __getitem__(self, index: int | str) -> Sample: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> Dataset: ...
    def __getitem__(self, index: Any) -> Sample | Dataset:
        """Return a sample by position, or a dataset by slice, list of positions or boolean mask."""
        if not hasattr(index, "__index__") or getattr(index, "ndim", 0) > 0:
            import numpy as np

            if isinstance(index, str):
                return self.sample(index)
            taken = self.ordinals[index if isinstance(index, slice) else np.asarray(index)]
            return Dataset(self._info, self._filter, np.atleast_1d(taken))
        position, count = operator.index(index), len(self)
        if not -count <= position < count:
            raise IndexError(f"{self.name} has {count:,} samples here; there is none at {position:,}.")
        position %= count
        page, offset = divmod(position, RANDOM_PAGE)
        return Sample(self._page(page)[offset], self.name)

    def __iter__(self) -> Iterator[Sample]:
        for row in self._rows():
            yield Sample(row, self.name)

    def __contains__(self, sample: object) -> bool:
        if not isinstance(sample, Sample) or sample._info.dataset_id != self.id:
            return False
        return bool((self.ordinals == sample.ordinal).any())

    def numpy(self) -> tuple[np.ndarray, np.ndarray]:
        """Read all pixels and labels.

        Returns
        -------
        images : ndarray
            (N, *shape), in the files' own dtype.
        labels : ndarray
            (N,): int64 when all labels of the dataset are whole numbers,
            else str; ``""`` where there is none.

        Raises
        ------
        InvalidInput
            If the samples differ in shape.
        TooLarge
            If they do not fit into memory; nothing was read then.
        """
        from jupyter_blueno.client import pixels

        rows = list(self._rows(f"Reading {self.name}"))
        return pixels.stack(self.name, rows), pixels.label_array(rows, self.labels)

    def iter(
        self, batch_size: int = 256, shuffle: bool = False, seed: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (images, labels) as `numpy` does, `batch_size` samples at a time.

        Parameters
        ----------
        batch_size : int
        shuffle : bool
            In random order; the same for the same `seed`.
        seed : int, optional
        """
        import numpy as np

        if batch_size < 1:
            raise errors.InvalidInput(f"batch_size={batch_size!r} is not a number of samples above 0.")
        order = self.ordinals
        if shuffle:
            order = np.random.default_rng(seed).permutation(order)
        for start in range(0, len(order), batch_size):
            part = Dataset(self._info, self._filter, order[start : start + batch_size])
            part._all_facets = self._count_all()
            yield part.numpy()

    def table(self) -> Any:
        """One row a sample: name, split, label, kind, shape, dtype, path and attributes.

        Returns
        -------
        pandas.DataFrame or list of dict
            A list where pandas is not installed.
        """
        rows = [
            {
                "ordinal": row.ordinal, "name": row.name, "split": row.split, "label": row.label,
                "kind": row.kind, "shape": None if row.shape is None else tuple(row.shape),
                "dtype": row.dtype, "data_url": row.data_url, **row.attributes,
            }
            for row in self._rows(f"Reading {self.name}")
        ]  # fmt: skip
        try:
            import pandas
        except ImportError:
            return rows
        return pandas.DataFrame(rows).set_index("ordinal") if rows else pandas.DataFrame()

    def show(self) -> Any:
        """Show the gallery in the notebook."""
        return look.show(self)

    # ---- rows

    def _selection(self) -> model.Selection:
        return model.Selection(self.id, None, self._filter.split, self._filter.label, self._filter.text)

    def _rows(self, title: str = "") -> Iterator[model.Sample]:
        """All rows in order; the next page is fetched while this one is used."""
        from concurrent.futures import ThreadPoolExecutor

        from jupyter_blueno.client.progress import ProgressLine

        pages = self._pages_by_key() if self._taken is None else self._pages_by_ordinal(self._taken)
        done = 0
        with ThreadPoolExecutor(1, "blueno-pages") as ahead, ProgressLine(title) as line:
            waiting = ahead.submit(next, pages, None)
            while (page := waiting.result()) is not None:
                waiting = ahead.submit(next, pages, None)
                yield from page
                done += len(page)
                if title:
                    line.update(done, len(self))

    def _pages_by_key(self) -> Iterator[list[model.Sample]]:
        after: int | None = -1
        fields = structs.asdict(self._selection())
        while after is not None:
            answer = session.call(api.list_samples, model.SamplePage(**fields, after=after, limit=PAGE))
            yield answer.samples
            after = answer.next

    def _pages_by_ordinal(self, ordinals: np.ndarray) -> Iterator[list[model.Sample]]:
        for start in range(0, len(ordinals), PAGE):
            yield self._at(ordinals[start : start + PAGE])

    def _at(self, ordinals: np.ndarray) -> list[model.Sample]:
        """The rows of these ordinals in the order given, doubles too."""
        answer = session.call(api.get_samples, api.SamplesAt(self.id, _ranges(ordinals)))
        rows = {row.ordinal: row for row in answer.samples}
        try:
            return [rows[int(one)] for one in ordinals]
        except KeyError as missing:
            raise errors.NotFound(
                f"Sample {missing} of {self.name} was deleted meanwhile. Call .refresh() and select again.",
                code="sample_not_found",
            ) from None

    def _page(self, number: int) -> list[model.Sample]:
        page = self._pages.get(number)
        if page is None:
            start = number * RANDOM_PAGE
            page = self._pages[number] = self._at(self.ordinals[start : start + RANDOM_PAGE])
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return page

    def sample(self, name: str) -> Sample:
        """Return the sample called `name`.

        Raises
        ------
        NotFound
        """
        found = session.call(api.list_samples, model.SamplePage(self.id, name=name, limit=1)).samples
        if not found:
            raise errors.NotFound(
                f"{self.name} has no sample called {name!r}. Find names with .where(text=…).",
                code="sample_not_found",
            )
        return Sample(found[0], self.name)

    # ---- facets

    def _count(self) -> model.Facets:
        if self._facets is None:
            self._facets = session.call(api.get_facets, self._selection())
        return self._facets

    def _count_all(self) -> model.Facets:
        if self._all_facets is None:
            self._all_facets = session.call(api.get_facets, model.Selection(self.id))
        return self._all_facets

    def _values(self, field: str, given: Value | Sequence[Value]) -> list[str]:
        """The filter's values of `field` after adding `given` to the present ones."""
        present: list[str] = getattr(self._filter, field)
        if given is None:
            return present
        single = isinstance(given, (str, int)) or not hasattr(given, "__iter__")
        values = ["" if one is None else str(one) for one in ([given] if single else given)]  # type: ignore[union-attr]
        facets = self._count_all()
        have = [one.value or "" for one in (facets.splits if field == "split" else facets.labels)]
        for value in values:
            if value not in have:
                near = difflib.get_close_matches(value, have, n=1)
                hint = f"Did you mean {near[0]!r}? " if near else ""
                raise errors.InvalidInput(
                    f"{self.name} has no {field} {value!r}. {hint}There is {_listed(have) or 'none at all'}.",
                    code=f"unknown_{field}",
                )
        return [one for one in values if one in present] if present else values

    # ---- looks

    def _title(self) -> str:
        parts = [f"{field}={_short(getattr(self._filter, field))}" for field in ("split", "label")
                 if getattr(self._filter, field)]  # fmt: skip
        if self._filter.text:
            parts.append(f"text={self._filter.text!r}")
        return self.name + (f".where({', '.join(parts)})" if parts else "")

    def _summary(self) -> str:
        version = self._info.version
        words = [f"{len(self):,} samples", " + ".join(look.KIND_WORDS[kind] for kind in self._info.kinds)]
        words.append(f"v{version.number}")
        if version.state == "preparing":
            words.append(_prepared(version.progress))
        elif version.state == "failed":
            words.append(f"failed: {version.reason}")
        if version.problems:
            words.append(f"{len(version.problems):,} could not be read (.problems)")
        return " · ".join(word for word in words if word)

    def _blueno_view_(self) -> dict[str, Any] | None:
        """What a front end shows live; a slice is only a picture."""
        if self._taken is not None:
            return None
        return {"type": "dataset", "dataset_id": self.id, "filter": structs.asdict(self._filter)}

    def _blueno_png_(self) -> bytes | None:
        from jupyter_blueno.client import pixels

        return pixels.sheet_png(self.id, [int(one) for one in self.ordinals[:SHEET]]) if len(self) else None

    def _strip(self) -> bytes | None:
        from jupyter_blueno.client import pixels

        count = len(self)
        if not count:
            return None
        places = sorted({round(i * (count - 1) / 3) for i in range(4)})
        ordinals = self._info.preview or None
        if self._taken is not None or self._filter != model.Filter() or not ordinals:
            ordinals = [int(self.ordinals[place]) for place in places]
        return pixels.strip_png(self.id, ordinals)

    def __repr__(self) -> str:
        lines = [f"<Dataset {self._title()}: {self._summary()}>"]
        facets = self.facets if self._taken is None else {}
        lines += [
            f"  {look.text_bars(field, counts)}" for field, counts in facets.items() if set(counts) - {""}
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        png = None
        with suppress(errors.BluenoError):  # the words are worth having without the pictures
            png = self._strip()
        facets = {field: counts for field, counts in self.facets.items() if set(counts) - {""}}
        return (
            f"<div style='{look.FRAME}'><b>{escape(self._title())}</b> "
            f"<span style='{look.FAINT}'>{escape(self._summary())}</span>"
            + (f"<div>{escape(self.description)}</div>" if self.description else "")
            + (
                f"<div style='margin:4px 0'>{look.picture(png, f'samples of {self.name}')}</div>"
                if png
                else ""
            )
            + "".join(look.bars(field, counts) for field, counts in facets.items())
            + "</div>"
        )


class DatasetList(list[Dataset]):
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


def _counts(values: list[model.FacetValue], chosen: list[str]) -> dict[str, int]:
    """Facets are counted under the filter of the *other* field; here only what was chosen of this one."""
    return {one.value or "": one.count for one in values if not chosen or (one.value or "") in chosen}


def _prepared(progress: model.Progress | None) -> str:
    if progress is None or not progress.total:
        return "preparing"
    return f"preparing {progress.done / progress.total:.0%}"


def _short(values: list[str]) -> str:
    return repr(values[0] if len(values) == 1 else values)


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = [repr(name) if name else "'' (none)" for name in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _ranges(ordinals: Sequence[int] | np.ndarray) -> str:
    """``[0, 1, 2, 7]`` → ``0-2,7``."""
    parts: list[tuple[int, int]] = []
    for one in sorted({int(ordinal) for ordinal in ordinals}):
        if parts and parts[-1][1] == one - 1:
            parts[-1] = (parts[-1][0], one)
        else:
            parts.append((one, one))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
