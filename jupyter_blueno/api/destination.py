"""A `Destination` for ingests over the platform's operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_blueno.api import ingest
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import Dataset, Problem, Progress
from jupyter_blueno.ingest.model import (
    AddBatch,
    Batch,
    BeginVersion,
    FinishVersion,
    OpenVersion,
    ReserveOrdinals,
)


class OperationsDestination:
    """Rows go through `call`, e.g. the `call` of a client's transport.

    Parameters
    ----------
    call : callable
        Takes an operation and its request, returns the answer.
    """

    def __init__(self, call: Callable[[Operation[Any, Any], Any], Any]) -> None:
        self.call = call

    @classmethod
    def in_process(cls, context: Context) -> OperationsDestination:
        """Operations called directly."""
        return cls(lambda operation, ask: operation(context, ask))

    def begin(self, ask: BeginVersion) -> OpenVersion:
        opened: OpenVersion = self.call(ingest.begin_version, ask)
        return opened

    def reserve(self, dataset_id: int, count: int) -> int:
        first: int = self.call(ingest.reserve_ordinals, ReserveOrdinals(dataset_id, count)).first_ordinal
        return first

    def add(self, version_id: int, batch: Batch, progress: Progress | None) -> None:
        self.call(ingest.add_batch, AddBatch(version_id, batch, progress))

    def finish(self, version_id: int, reason: str | None, problems: list[Problem]) -> Dataset:
        dataset: Dataset = self.call(ingest.finish_version, FinishVersion(version_id, reason, problems))
        return dataset
