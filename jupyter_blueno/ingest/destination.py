"""A `Destination` that is the catalog itself, for runs that may use the database."""

from __future__ import annotations

from jupyter_blueno.catalog.model import Dataset, Problem, Progress
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.ingest import filling
from jupyter_blueno.ingest.model import AddBatch, Batch, BeginVersion, FinishVersion, OpenVersion


class CatalogDestination:
    """Rows go into the catalog in the name of `owner` and `team`."""

    def __init__(self, database: Database, config: Config, team: str, owner: str) -> None:
        self.database, self.config, self.team, self.owner = database, config, team, owner

    def begin(self, ask: BeginVersion) -> OpenVersion:
        return filling.begin(self.database, self.config, self.team, self.owner, ask)

    def reserve(self, dataset_id: int, count: int) -> int:
        return filling.reserve(self.database, self.team, dataset_id, count)

    def add(self, version_id: int, batch: Batch, progress: Progress | None) -> None:
        filling.add(self.database, self.team, AddBatch(version_id, batch, progress))

    def finish(self, version_id: int, reason: str | None, problems: list[Problem]) -> Dataset:
        return filling.finish(self.database, self.team, FinishVersion(version_id, reason, problems))
