"""Jobs as runs: what their folders say is told to MLflow while its server is there.

Not by the jobs: a job writes its files as ever, and needs no server. Runs are
for looking at, so they are brought up to date when somebody opens MLflow.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from jupyter_blueno.database.tables import job as table
from jupyter_blueno.errors import BluenoError, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import TERMINAL
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.tracking import mlflow, runs
from jupyter_blueno.tracking.models import Models
from jupyter_blueno.tracking.rest import Rest

if TYPE_CHECKING:
    from jupyter_blueno.config import Config
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.tracking.companion import Companion

FIRST = 300  # of the jobs before MLflow was first opened, the newest
AT_ONCE = 100
PERIOD = 2.0  # seconds between looks
BATCH = 900  # metrics of a call; MLflow takes 1,000
POINTS = 20_000  # of a curve, for each look
TRAINING = {"key": "mlflow.experimentKind", "value": "custom_model_development"}  # else it shows chats
UNSEEN = ("SUBMITTING", "QUEUED")

_log = logging.getLogger(__name__)


class Link(msgspec.Struct, frozen=True):
    """Which run a job is, and who made it: the ``job`` or ``blueno``. `store` is where."""

    run_id: str
    experiment_id: str
    store: str
    by: str


class Told(msgspec.Struct):
    """What the run was told already."""

    run_id: str
    state: str = ""
    after: str = ""  # of the curves
    params: bool = False
    attempt: int = 1
    datasets: int = 0


class Mirror:
    """Tells MLflow of jobs, from a thread that lives as long as this process holds the server."""

    def __init__(self, config: Config, database: Database, companion: Companion) -> None:
        self.config = config
        self.database = database
        self.companion = companion
        self.rest = Rest(companion)
        self.store = mlflow.store_uri(config)
        self.models = Models(self)
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        companion.on_ready = self.start

    def start(self) -> None:
        """Follow, unless it is being done."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="blueno-mlflow", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        told = ""
        while not self.companion.release_idle():
            try:
                busy = self.look()
                self.models.look()
            except Exception as error:
                busy = False
                if str(error) != told:
                    told = str(error)
                    _log.warning("Jobs cannot be told to MLflow now: %s", error)
            self.companion.released.wait(0.0 if busy else PERIOD)

    def look(self) -> bool:
        """Tell of what changed; True if there is more."""
        place = self.companion.folder / "mirrored"
        try:
            since = int(place.read_text())
        except (OSError, ValueError):
            since = self._beginning()
        asked = sa.select(table).where(
            table.c.team == self.config.team,
            table.c.revision > since,
            table.c.kind != "ingest",
            table.c.deleted_at.is_(None),
        )
        with self.database.begin() as connection:
            rows = connection.execute(asked.order_by(table.c.revision).limit(AT_ONCE)).all()
        for row in rows:
            with contextlib.suppress(OSError):  # its folder went away
                self.tell(row)
        if rows:
            place.write_text(str(rows[-1].revision))
        return len(rows) == AT_ONCE

    def _beginning(self) -> int:
        newest = sa.select(table.c.revision).order_by(table.c.revision.desc()).offset(FIRST).limit(1)
        with self.database.begin() as connection:
            return int(connection.scalar(newest) or 0)

    def bring(self, job_id: str) -> Link | None:
        """Tell of one job now; its run, None while it waits for its turn."""
        with self.database.begin() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == job_id)).one()
        self.tell(row)
        return JobFolder.of(self.config, job_id).read("mlflow.json", Link)

    # -- one job ------------------------------------------------------------------

    def tell(self, row: Any) -> None:
        """Bring the run of a job up to date."""
        folder = JobFolder.of(self.config, row.id)
        if row.state in UNSEEN or not folder.has("spec.json"):
            return
        with self._lock:
            told = folder.read("mirrored.json", Told)
            link = folder.read("mlflow.json", Link) or self._make(row, folder)
            if link.store != self.store:  # the user's own server
                return
            if told is not None and told.run_id != link.run_id:
                with contextlib.suppress(BluenoError):  # the job made one of its own since
                    self.rest.post("runs/delete", run_id=told.run_id)
                told = None
            told = told or Told(link.run_id)
            try:
                self._describe(row, folder, link, told)
                self._measure(folder, told)
                self._state(row, told)
            except NotFound:  # its user deleted the run: so be it
                return
            folder.write("mirrored.json", told)

    def _make(self, row: Any, folder: JobFolder) -> Link:
        parent = self._above(row)
        origin = row.spec.get("origin") or {}
        experiment = parent.experiment_id if parent else self.experiment(origin.get("notebook") or row.name)
        code = None
        with contextlib.suppress(BluenoError):
            code = JobRecord(folder).code()
        made = self.rest.post(
            "runs/create",
            experiment_id=experiment,
            run_name=row.name,
            start_time=runs.millis(row.started_at or row.created_at),
            tags=runs.tags(row, code, self.companion.base_url, parent.run_id if parent else None),
        )["run"]["info"]
        link = Link(made["run_id"], experiment, self.store, "blueno")
        own = folder.path / f".mlflow.{os.getpid()}"
        own.write_bytes(msgspec.json.encode(link))
        try:
            os.link(own, folder.path / "mlflow.json")  # unless the job was faster
        except FileExistsError:
            self.rest.post("runs/delete", run_id=link.run_id)
        finally:
            own.unlink()
        return folder.read("mlflow.json", Link) or link

    def _above(self, row: Any) -> Link | None:
        if not row.parent:
            return None
        folder = JobFolder.of(self.config, row.parent)
        link = folder.read("mlflow.json", Link)
        if link is None:  # its turn comes after that of its parts
            with self.database.begin() as connection:
                above = connection.execute(sa.select(table).where(table.c.id == row.parent)).one_or_none()
            if above is not None and above.deleted_at is None:
                self.tell(above)
                link = folder.read("mlflow.json", Link)
        return link if link is not None and link.store == self.store else None

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name; made, or brought back, if need be."""
        try:
            found = self.rest.get("experiments/get-by-name", experiment_name=name)["experiment"]
        except NotFound:
            with _unless_there():
                return str(self.rest.post("experiments/create", name=name, tags=[TRAINING])["experiment_id"])
            found = self.rest.get("experiments/get-by-name", experiment_name=name)["experiment"]
        if found["lifecycle_stage"] == "deleted":
            self.rest.post("experiments/restore", experiment_id=found["experiment_id"])
        return str(found["experiment_id"])

    def _describe(self, row: Any, folder: JobFolder, link: Link, told: Told) -> None:
        """Parameters, and the datasets that it read."""
        over = row.state in TERMINAL
        if not told.params and (link.by == "blueno" or over):
            params = runs.params(row.spec)
            tags: list[dict[str, str]] = []
            if link.by == "job":  # what it said itself stands
                self.rest.post("experiments/set-experiment-tag", experiment_id=link.experiment_id, **TRAINING)
                known = self.rest.get("runs/get", run_id=link.run_id)["run"]["data"]
                params = {key: value for key, value in params.items() if key not in _keys(known, "params")}
                tags = self._correct(row, folder, link, _keys(known, "tags"))
            pairs = [{"key": key, "value": value} for key, value in list(params.items())[:100]]
            if pairs or tags:
                self.rest.post("runs/log-batch", run_id=link.run_id, params=pairs, tags=tags)
            told.params = True
        used = JobRecord(folder).used()
        if len(used) > told.datasets:
            inputs = [runs.dataset_input(one) for one in used[told.datasets :]]
            self.rest.post("runs/log-inputs", run_id=link.run_id, datasets=inputs)
            told.datasets = len(used)

    def _correct(self, row: Any, folder: JobFolder, link: Link, known: set[str]) -> list[dict[str, str]]:
        """The tags that a run of the job's own lacks, or has wrong: MLflow guesses from the process."""
        code = None
        with contextlib.suppress(BluenoError):
            code = JobRecord(folder).code()
        parent = self._above(row)
        said = runs.tags(row, code, self.companion.base_url, parent.run_id if parent else None)
        for key in runs.GUESSED & known - {one["key"] for one in said}:
            self.rest.post("runs/delete-tag", run_id=link.run_id, key=key)
        return [one for one in said if one["key"] in runs.GUESSED or one["key"] not in known]

    def _measure(self, folder: JobFolder, told: Told) -> None:
        """The points of its curves since the last time, but those that it logs to MLflow itself."""
        names = (folder.read("mlflow-metrics.json", dict[str, str]) or {}).get("names", "").split("\n")
        curves = JobRecord(folder).curves("metrics", told.after, POINTS)
        points = [one for curve in curves.curves if curve.name not in names for one in runs.points(curve)]
        for start in range(0, len(points), BATCH):
            self.rest.post("runs/log-batch", run_id=told.run_id, metrics=points[start : start + BATCH])
        told.after = curves.after

    def _state(self, row: Any, told: Told) -> None:
        status = runs.status(row.state)
        if status != told.state:
            end = runs.millis(row.finished_at)
            self.rest.post("runs/update", run_id=told.run_id, status=status, end_time=end)
            told.state = status
            if row.state in TERMINAL:
                with contextlib.suppress(NotFound):  # one was deleted meanwhile
                    self.models.refresh(row.id)
        if row.attempt > told.attempt:
            self.rest.post("runs/set-tag", run_id=told.run_id, key="blueno.attempt", value=str(row.attempt))
            told.attempt = row.attempt


def _keys(data: dict[str, Any], of: str) -> set[str]:
    return {one["key"] for one in data.get(of, [])}


@contextlib.contextmanager
def _unless_there() -> Iterator[None]:
    """Pass over that somebody else, such as the job itself, made it at the same moment."""
    try:
        yield
    except BluenoError as error:
        if error.code != "mlflow_resource_already_exists":
            raise
