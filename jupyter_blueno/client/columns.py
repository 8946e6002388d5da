"""Values of samples: written from a notebook or a job, computed by a job for each sample."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_blueno import errors
from jupyter_blueno.api import columns as api
from jupyter_blueno.api.catalog import DatasetRef
from jupyter_blueno.catalog import model
from jupyter_blueno.client import rows, session
from jupyter_blueno.jobs.inside import reporting, results
from jupyter_blueno.jobs.model import Parameter, Selected

if TYPE_CHECKING:
    import numpy as np

    from jupyter_blueno.client.datasets import Dataset
    from jupyter_blueno.client.jobs import Job
    from jupyter_blueno.client.options import Options
    from jupyter_blueno.client.samples import Sample

BATCH = 10_000  # samples in one request or file
PERIOD = 1.0  # seconds after which values that were computed are written down
TRIES = 10  # samples that may all fail before the work is given up
TOLD = 20  # samples that failed which are named in the log


def list_of(dataset_id: int) -> list[model.ColumnInfo]:
    return session.call(api.list_columns, DatasetRef(dataset_id)).columns


def drop(dataset_id: int, name: str) -> bool:
    return session.call(api.delete_column, api.ColumnRef(dataset_id, name)).done


def record(dataset_id: int, ordinals: Sequence[int], values: Mapping[str, Sequence[Any]]) -> None:
    """Write values of samples, in a job by way of its folder.

    Raises
    ------
    InvalidInput
        If lengths differ, or a value is neither a number nor a text.
    """
    plain: dict[str, list[float | str | None]] = {}
    for name, given in values.items():
        if len(given) != len(ordinals):
            raise errors.InvalidInput(
                f"'{name}' has {len(given):,} values for {len(ordinals):,} samples; give one for each.",
                code="invalid_values",
            )
        try:
            plain[name] = [_plain(one) for one in given]
        except TypeError as error:
            raise errors.InvalidInput(
                f"A value of '{name}' is wrong: {error}. Keep arrays in files.", code="invalid_values"
            ) from None
    numbers = [int(one) for one in ordinals]
    for start in range(0, len(numbers), BATCH):
        part = slice(start, start + BATCH)
        some = {name: given[part] for name, given in plain.items()}
        if not results.record(dataset_id, numbers[part], some):
            session.call(api.write_results, api.WriteResults(dataset_id, numbers[part], some))


def selection() -> Dataset:
    """The samples that this job was started on: ``run_notebook("evaluate.ipynb", selection=tests)``.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInput
        If it was not started on any.
    """
    from jupyter_blueno.client.datasets import Dataset
    from jupyter_blueno.jobs import lean

    place = reporting.folder()
    asked = None
    if place is not None:
        asked = lean.read_json(os.path.join(place, "spec.json"))["spec"].get("selection")
    if asked is None:
        raise errors.InvalidInput(
            "This was not started on a selection of samples. Start it with 'Run on these …' in a gallery or "
            'blueno.run_notebook(…, selection=dataset), or write blueno.dataset("…").where(…) here.',
            code="no_selection",
        )
    return Dataset.of_selection(msgspec.convert(asked, Selected))


def apply(dataset: Dataset, function: Callable[..., Any], batch_size: int | None, options: Options) -> Job:
    """Start the job of `Dataset.apply`."""
    from jupyter_blueno.client import payload, signature, submit
    from jupyter_blueno.client.functions import JobFunction
    from jupyter_blueno.client.options import spec_of

    if isinstance(function, JobFunction):
        options = {**function.options, **options}  # type: ignore[typeddict-item]
        function = function.function
    if not callable(function) or (batch_size is not None and batch_size < 1):
        raise errors.InvalidInput(
            "apply takes a function of one sample, or with batch_size=64 of an array of that many images.",
            code="not_a_function",
        )
    name = signature.called_of(function)
    column = name if name.isidentifier() else "result"
    spec = spec_of(
        options,
        kind="function",
        source=submit._source_of(function),
        payload=payload.pack(over_selection, (function, column, batch_size), {}),
        arguments=[Parameter("samples", value=str(dataset), fixed=True)],
        origin=submit.origin(),
        selection=dataset.as_selection(),
    )
    return submit.start(
        options.get("name") or f"{name} on {dataset.name}"[: submit.NAME_LIMIT], spec, options
    )


def over_selection(function: Callable[..., Any], column: str, batch_size: int | None) -> dict[str, int]:
    """Call `function` for each sample of the job's selection and record what it returns.

    What an attempt before recorded is left out. A sample that fails is named in
    the log; the rest goes on, unless the first few all fail.
    """
    dataset = selection()
    done = results.recorded(dataset.id)
    todo = [int(one) for one in dataset.ordinals if int(one) not in done]
    total = len(dataset.ordinals)
    waiting = _Waiting(dataset.id)
    worked = failed = 0
    for samples in _pieces(dataset, todo, batch_size):
        try:
            value = function(samples[0] if batch_size is None else _stacked(dataset, samples))
            found = _columns(value, column, len(samples), batch_size is not None)
            waiting.add([one.ordinal for one in samples], found)
            worked += len(samples)
        except Exception as error:
            failed += len(samples)
            if failed <= TOLD:
                print(f"{samples[0].name}: {type(error).__name__}: {error}", flush=True)
            if not worked and failed >= min(TRIES, len(todo)):
                raise
        reporting.progress(total - len(todo) + worked + failed, total, "samples")
    waiting.write()
    if failed:
        print(f"{failed:,} of {total:,} samples have no value: they failed.", flush=True)
    return {"samples": total, "failed": failed}


class _Waiting:
    """Values on their way to the disk, written once a second."""

    def __init__(self, dataset_id: int) -> None:
        self.dataset_id = dataset_id
        self.ordinals: list[int] = []
        self.values: dict[str, list[Any]] = {}
        self.written = time.monotonic()

    def add(self, ordinals: Sequence[int], values: Mapping[str, Sequence[Any]]) -> None:
        for name in values:
            self.values.setdefault(name, [None] * len(self.ordinals))
        self.ordinals += [int(one) for one in ordinals]
        for name, kept in self.values.items():
            kept += values.get(name, [None] * len(ordinals))
        if len(self.ordinals) >= BATCH or time.monotonic() - self.written > PERIOD:
            self.write()

    def write(self) -> None:
        if self.ordinals:
            record(self.dataset_id, self.ordinals, self.values)
        self.ordinals, self.values, self.written = [], {}, time.monotonic()


def _pieces(dataset: Dataset, ordinals: list[int], batch_size: int | None) -> Iterator[list[Sample]]:
    """The samples one by one, or that many at a time."""
    size = batch_size or 1
    page = max(1, rows.PAGE // size) * size
    for start in range(0, len(ordinals), page):
        samples = list(dataset.at(ordinals[start : start + page]))
        for place in range(0, len(samples), size):
            yield samples[place : place + size]


def _stacked(dataset: Dataset, samples: Sequence[Sample]) -> np.ndarray:
    from jupyter_blueno.client import pixels

    return pixels.stack(dataset.name, [one._info for one in samples])


def _columns(value: Any, column: str, count: int, many: bool) -> dict[str, list[Any]]:
    """What a function returned, as a list of values for each column."""
    named = value if isinstance(value, Mapping) else {column: value}
    found = {}
    for name, given in named.items():
        values = list(given) if many else [given]
        if len(values) != count:
            raise errors.InvalidInput(
                f"'{name}' has {len(values)} values for {count} samples.", code="invalid_values"
            )
        found[str(name)] = [_plain(one) for one in values]
    return found


def _plain(value: Any) -> Any:
    """A value of a column from what user's code returned: Python's and NumPy's numbers, texts, None.

    Raises
    ------
    TypeError
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        return _plain(value.item())
    raise TypeError(f"{type(value).__name__} is neither a number nor a text")
