"""The catalog with 100,000 samples: lists, facets, selections, pages, and rows in against a bare COPY."""

from __future__ import annotations

import functools
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from benchmarks.figures import Figure, spread
from jupyter_blueno.api import catalog, columns, ingest
from jupyter_blueno.api.context import Context
from jupyter_blueno.catalog.model import SamplePage, Selection
from jupyter_blueno.config import Config
from jupyter_blueno.database import tables
from jupyter_blueno.database.engine import vacuum
from jupyter_blueno.ingest.model import AddBatch, Batch, BeginVersion, FinishVersion, ReserveOrdinals

SAMPLES = 100_000
BATCH = 10_000
OTHERS = 50  # small datasets beside the large one
RUNS = 40
QUICK = 50.0  # ms
COLUMNS = "dataset_id, ordinal, added_in, name, kind, split, label, data_url, data_key, shape, dtype, bytes"


def measure() -> list[Figure]:
    """Fill a data folder of its own, and ask."""
    with tempfile.TemporaryDirectory(prefix="blueno-bench-") as home:
        context = Context.local(Config(home=home, database_url=""))
        try:
            context.database.engine  # noqa: B018 - starts it: not a part of the figures
            for n in range(OTHERS):
                _fill(context, f"small {n}", 10)
            bare = _bare_copy(context)
            start = time.perf_counter()
            dataset_id = _fill(context, "large", SAMPLES)
            took = time.perf_counter() - start
            answers = _answers(context, dataset_id)
            values = _columns(context, dataset_id)
            return [_rows_in(took, min(bare, _bare_copy(context))), *answers, *values]
        finally:
            context.platform.close()


def _rows_in(took: float, bare: float) -> Figure:
    return Figure(
        f"{SAMPLES:,} sample rows in, by batches of {BATCH:,}, counted and visible",
        f"{SAMPLES / took:,.0f} rows/s",
        f"bare COPY of the same rows into the same table: {SAMPLES / bare:,.0f}/s; "
        f"{took / bare:.2f} × its time",
    )


def _answers(context: Context, dataset_id: int) -> list[Figure]:
    deep = SAMPLES - 300
    asked: list[tuple[str, Callable[[], object]]] = [
        (f"list {OTHERS + 1} datasets", lambda: catalog.list_datasets(context, catalog.ListDatasets())),
        ("facets", lambda: catalog.get_facets(context, Selection(dataset_id))),
        (
            "facets under a text",
            lambda: catalog.get_facets(context, Selection(dataset_id, text="image_0123")),
        ),
        (
            "ordinals of a split and a label",
            lambda: catalog.get_ordinals(context, Selection(dataset_id, split=["test"], label=["7"])),
        ),
        (
            "ordinals under a text",
            lambda: catalog.get_ordinals(context, Selection(dataset_id, text="image_0123")),
        ),
        ("first page of 200", lambda: catalog.list_samples(context, SamplePage(dataset_id))),
        ("last page of 200", lambda: catalog.list_samples(context, SamplePage(dataset_id, after=deep))),
        (
            "last page of 200 of a label",
            lambda: catalog.list_samples(context, SamplePage(dataset_id, label=["7"], after=deep - 2_000)),
        ),
    ]
    roundtrip = statistics.median(_times(lambda: _nothing(context)))
    figures = []
    for name, ask in asked:
        times = _times(ask)
        figure = Figure(
            f"catalog of {SAMPLES:,}: {name}",
            spread(times),
            f"an empty transaction {1000 * roundtrip:.1f} ms",
        )
        if "text" not in name:  # a text is looked for in every name: nothing is promised
            reached = 1000 * statistics.median(times) <= QUICK
            figure = replace(figure, reach=f"p50 ≤ {QUICK:.0f} ms", reached=reached)
        figures.append(figure)
    return figures


def _columns(context: Context, dataset_id: int) -> list[Figure]:
    """Two columns with a value of each sample: written, put in order, filtered by."""
    numbers = list(range(SAMPLES))
    values = [n * 0.618 % 1 for n in numbers]
    start = time.perf_counter()
    for name in ("confidence", "dice"):
        columns.write_results(context, columns.WriteResults(dataset_id, numbers, {name: values}))
    took = (time.perf_counter() - start) / 2
    bare = _bare_values(context, dataset_id, values)
    vacuum(context.database, tables.result_value)
    label = Selection(dataset_id, label=["7"])
    plain = 1000 * statistics.median(_times(lambda: catalog.get_ordinals(context, label)))
    figures = [
        Figure(
            f"{SAMPLES:,} values into a column",
            f"{SAMPLES / took:,.0f} values/s",
            f"bare COPY of the same rows into the same table: {SAMPLES / bare:,.0f}/s; "
            f"{took / bare:.2f} × its time",
        )
    ]
    for name, ask in {
        "by a column's values": Selection(dataset_id, sort="confidence"),
        "with a value below 0.5": Selection(dataset_id, having=["confidence<0.5"]),
        "below 0.01, the highest first": Selection(dataset_id, having=["dice<0.01"], sort="-dice"),
    }.items():
        times = _times(functools.partial(catalog.get_ordinals, context, ask))
        figures.append(
            Figure(
                f"catalog of {SAMPLES:,}: ordinals {name}",
                spread(times),
                f"those of a label {plain:.1f} ms",
                reach=f"p50 ≤ {2 * QUICK:.0f} ms",
                reached=1000 * statistics.median(times) <= 2 * QUICK,
            )
        )
    return figures


def _bare_values(context: Context, dataset_id: int, values: list[float]) -> float:
    """Seconds of one committed COPY of a column's values, which are taken away again."""
    columns.write_results(context, columns.WriteResults(dataset_id, [0], {"bare": [0.0]}))
    with context.database.begin() as connection:
        named = sa.select(tables.result_column.c.id).where(tables.result_column.c.name == "bare")
        column_id = connection.scalar(named)
    lines = io.StringIO("\n".join(f"{column_id}\t{n}\t{value!r}" for n, value in enumerate(values) if n))
    start = time.perf_counter()
    with context.database.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.copy_expert("COPY result_value (column_id, ordinal, number) FROM STDIN", lines)
    took = time.perf_counter() - start
    columns.delete_column(context, columns.ColumnRef(dataset_id, "bare"))
    return took


def _times(ask: Callable[[], object]) -> list[float]:
    ask()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return times


def _nothing(context: Context) -> None:
    with context.database.begin() as connection:
        connection.scalar(sa.text("SELECT 1"))


def _fill(context: Context, name: str, count: int) -> int:
    opened = ingest.begin_version(context, BeginVersion(name, count))
    reserved = ingest.reserve_ordinals(context, ReserveOrdinals(opened.dataset_id, count)).first_ordinal
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        batch = Batch(
            reserved + first,
            [f"image_{n:06d}" for n in numbers],
            "file://data/pixels.npy",
            keys=[str(n) for n in numbers],
            kind="image2d",
            split=[_split(n) for n in numbers],
            label=[str(n % 10) for n in numbers],
            shape=[28, 28],
            dtype="uint8",
            bytes=784,
        )
        ingest.add_batch(context, AddBatch(opened.version_id, batch))
    ingest.finish_version(context, FinishVersion(opened.version_id))
    return opened.dataset_id


def _split(n: int) -> str:
    return "test" if n % 7 == 0 else "train"


def _bare_copy(context: Context) -> float:
    """Seconds of one committed COPY, from text that was made before; the rows are taken away again."""
    dataset_id = catalog.create_dataset(context, catalog.CreateDataset(f"bare {time.time_ns()}")).id
    lines = io.StringIO(
        "\n".join(
            f"{dataset_id}\t{n}\t1\timage_{n:06d}\timage2d\t{_split(n)}\t{n % 10}\t"
            f"file://data/pixels.npy\t{n}\t{{28,28}}\tuint8\t784"
            for n in range(SAMPLES)
        )
    )
    with context.database.begin() as connection:
        start = time.perf_counter()
        connection.connection.cursor().copy_expert(f"COPY sample ({COLUMNS}) FROM STDIN", lines, 1 << 20)
        connection.commit()
        took = time.perf_counter() - start
    with context.database.begin() as connection:
        connection.execute(sa.delete(tables.dataset).where(tables.dataset.c.id == dataset_id))
    vacuum(context.database, tables.sample)
    return took
