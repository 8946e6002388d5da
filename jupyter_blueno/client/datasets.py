"""A dataset in a notebook: selected, read. How it looks is in `dataset_display`."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from msgspec import structs

from jupyter_blueno import errors
from jupyter_blueno.api import catalog as api
from jupyter_blueno.catalog import model
from jupyter_blueno.client import dataset_display, filters, look, rows, session
from jupyter_blueno.client.column_verbs import ColumnVerbs
from jupyter_blueno.client.samples import Sample
from jupyter_blueno.jobs.inside import used
from jupyter_blueno.jobs.model import Selected

if TYPE_CHECKING:
    import numpy as np

RANDOM_PAGE = 100  # rows fetched around an index: loops over indices stay quick
PAGES_KEPT = 16


class Dataset(ColumnVerbs, Sequence[Sample]):
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
            return filters.counts(self._rows())
        facets = self._count()
        return {
            "split": dataset_display.facet_counts(facets.splits, self._filter.split),
            "label": dataset_display.facet_counts(facets.labels, self._filter.label),
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

        used.note(self.id, self.name, self.version, self._filter)
        if self._taken is not None:
            return self._taken
        if self._known is None:
            answer = session.call(api.get_ordinals, self._selection())
            listed = range(answer.total) if answer.ordinals is None else answer.ordinals
            self._known = np.asarray(listed, dtype=np.int64)
        return self._known

    def where(
        self,
        split: filters.Given = None,
        label: filters.Given = None,
        text: str = "",
        having: str | Sequence[str] = (),
    ) -> Dataset:
        """Select samples; values of one field are alternatives, fields are combined.

        Parameters
        ----------
        split, label : str, int or list of them, optional
            ``label=7`` and ``label="7"`` are the same; ``""`` is "has none".
        text : str
            Anywhere in name or label, ignoring case.
        having : str or sequence of str
            Conditions on columns that are all met: ``"confidence < 0.5"``.

        Raises
        ------
        InvalidInput
            If no sample has such a value; the sentence lists what there is.
        """
        conditions = [having] if isinstance(having, str) else list(having)
        chosen = model.Filter(
            split=self._values("split", split),
            label=self._values("label", label),
            text=text or self._filter.text,
            having=[*self._filter.having, *conditions],
        )
        selected = Dataset(self._info, chosen)
        selected._all_facets = self._all_facets
        excluded = any(getattr(self._filter, one) and not getattr(chosen, one) for one in ("split", "label"))
        if self._taken is not None or excluded:
            import numpy as np

            before = np.empty(0, np.int64) if excluded or self._taken is None else self._taken
            selected._taken = before[np.isin(before, selected.ordinals)] if len(before) else before
        return selected

    def sort(self, column: str) -> Dataset:
        """The same samples in the order of a column; ``"-confidence"``: the largest first.

        Samples without a value come last.
        """
        import numpy as np

        answer = session.call(api.get_ordinals, structs.replace(self._selection(), sort=column))
        order = np.asarray(answer.ordinals, dtype=np.int64)
        return self.at(order if self._taken is None else order[np.isin(order, self._taken)])

    def at(self, ordinals: Sequence[int] | np.ndarray) -> Dataset:
        """The samples with these ordinals, in this order."""
        import numpy as np

        return Dataset(self._info, self._filter, np.asarray(ordinals, dtype=np.int64))

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
            return self.at(np.atleast_1d(taken))
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

        found = list(self._rows(f"Reading {self.name}"))
        return pixels.stack(self.name, found), pixels.label_array(found, self.labels)

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
            part = self.at(order[start : start + batch_size])
            part._all_facets = self._count_all()
            yield part.numpy()

    def table(self) -> Any:
        """One row a sample: name, split, label, kind, shape, dtype, path, attributes and columns.

        Returns
        -------
        pandas.DataFrame or list of dict
            A list where pandas is not installed.
        """
        table = [
            {
                "ordinal": row.ordinal, "name": row.name, "split": row.split, "label": row.label,
                "kind": row.kind, "shape": None if row.shape is None else tuple(row.shape),
                "dtype": row.dtype, "data_url": row.data_url, **row.attributes, **row.results,
            }
            for row in self._rows(f"Reading {self.name}")
        ]  # fmt: skip
        try:
            import pandas
        except ImportError:
            return table
        return pandas.DataFrame(table).set_index("ordinal") if table else pandas.DataFrame()

    def show(self) -> Any:
        """Show the gallery in the notebook."""
        return look.show(self)

    # ---- rows

    def _selection(self) -> model.Selection:
        return model.Selection(self.id, None, **structs.asdict(self._filter))

    def as_selection(self) -> Selected:
        """These samples as a job's selection."""
        taken = None if self._taken is None else rows.ranges(self._taken)
        return Selected(self.id, self.name, self._filter, taken)

    @classmethod
    def of_selection(cls, asked: Selected) -> Dataset:
        """The samples of a job's selection."""
        info = session.call(api.get_dataset, api.DatasetRef(asked.dataset_id))
        found = cls(info, asked.filter)
        return found if asked.ordinals is None else found.at(rows.numbers(asked.ordinals))

    def _rows(self, title: str = "") -> Iterator[model.Sample]:
        """All rows in order."""
        used.note(self.id, self.name, self.version, self._filter)
        if self._taken is None:
            pages = rows.pages(self._selection())
        else:
            pages = rows.pages_at(self.id, self.name, self._taken)
        return rows.read_ahead(pages, title, lambda: len(self))

    def _page(self, number: int) -> list[model.Sample]:
        page = self._pages.get(number)
        if page is None:
            start = number * RANDOM_PAGE
            ordinals = self.ordinals[start : start + RANDOM_PAGE]
            page = self._pages[number] = rows.at(self.id, self.name, ordinals)
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

    def _values(self, field: str, given: filters.Given) -> list[str]:
        """The filter's values of `field` after adding `given` to the present ones."""
        present: list[str] = getattr(self._filter, field)
        if given is None:
            return present
        facets = self._count_all()
        have = [one.value or "" for one in (facets.splits if field == "split" else facets.labels)]
        values = filters.values(self.name, field, given, have)
        return [one for one in values if one in present] if present else values

    # ---- looks

    def _blueno_view_(self) -> dict[str, Any] | None:
        """What a front end shows live; a slice is only a picture."""
        if self._taken is not None:
            return None
        return {"type": "dataset", "dataset_id": self.id, "filter": structs.asdict(self._filter)}

    def _blueno_png_(self) -> bytes | None:
        return dataset_display.sheet(self)

    def __repr__(self) -> str:
        return dataset_display.text(self)

    def _repr_html_(self) -> str:
        return dataset_display.html(self)
