"""A `Destination` that is the catalog itself, for runs that may use the database."""

from __future__ import annotations

from jupyter_blueno.catalog.model import Dataset, Problem, Progress, User
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.ingest import filling
from jupyter_blueno.ingest.model import AddBatch, Batch, BeginVersion, FinishVersion, OpenVersion


class CatalogDestination:
    """Rows go into the catalog in the name of `user`."""

    def __init__(self, database: Database, config: Config, user: User) -> None:
        self.database, self.config, self.user = database, config, user

    def begin(self, ask: BeginVersion) -> OpenVersion:
        return filling.begin(self.database, self.config, self.user, ask)

    def reserve(self, dataset_id: int, count: int) -> int:
        return filling.reserve(self.database, self.user, dataset_id, count)

    def add(self, version_id: int, batch: Batch, progress: Progress | None) -> None:
        filling.add(self.database, self.user, AddBatch(version_id, batch, progress))

    def finish(self, version_id: int, reason: str | None, problems: list[Problem]) -> Dataset:
        return filling.finish(self.database, self.user, FinishVersion(version_id, reason, problems))
