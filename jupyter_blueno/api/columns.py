"""Columns of datasets: values of samples that jobs and notebooks computed."""

from __future__ import annotations

from msgspec import Struct, field

from jupyter_blueno.api.catalog import DatasetRef
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Done, operation
from jupyter_blueno.catalog.model import ColumnInfo


class ColumnList(Struct, frozen=True):
    columns: list[ColumnInfo]


class WriteResults(Struct, frozen=True, forbid_unknown_fields=True):
    """Values of the samples `ordinals` by column, each as long as these; at most 100,000 samples.

    Numbers or texts; null takes a value away. `job_id` is the job that computed them.
    """

    dataset_id: int
    ordinals: list[int]
    values: dict[str, list[float | str | None]] = field(default_factory=dict)
    job_id: str | None = None


class Written(Struct, frozen=True):
    count: int


class ColumnRef(Struct, frozen=True, forbid_unknown_fields=True):
    dataset_id: int
    name: str


@operation("GET", "/datasets/{dataset_id}/columns", resource="datasets", action="read")
def list_columns(context: Context, ask: DatasetRef) -> ColumnList:
    """List the columns of a dataset."""
    from jupyter_blueno.catalog import columns

    return ColumnList(columns.list_columns(context.database, context.user, ask.dataset_id))


@operation("POST", "/datasets/{dataset_id}/results", resource="datasets", action="write")
def write_results(context: Context, ask: WriteResults) -> Written:
    """Write values of samples; columns are made where they are new."""
    from jupyter_blueno.catalog import columns

    count = columns.write(
        context.database, context.user, ask.dataset_id, ask.ordinals, dict(ask.values), ask.job_id
    )
    return Written(count)


@operation("DELETE", "/datasets/{dataset_id}/columns/{name}", resource="datasets", action="write")
def delete_column(context: Context, ask: ColumnRef) -> Done:
    """Remove a column with its values."""
    from jupyter_blueno.catalog import columns

    return Done(columns.delete(context.database, context.user, ask.dataset_id, ask.name))
