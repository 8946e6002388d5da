"""Models: MLflow's registry, with what a version's job says of it, kept in a table for those who look."""

from __future__ import annotations

import contextlib
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from jupyter_blueno.catalog.checks import check_text
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.tracking import formats, store
from jupyter_blueno.tracking.model import Model, ModelVersion, Registration
from jupyter_blueno.tracking.moving import move_below
from jupyter_blueno.tracking.runs import JOB_TAG

if TYPE_CHECKING:
    from jupyter_blueno.tracking.mirror import Mirror

INCOMING = "incoming"
REGISTERED = "registered"  # touched by a job that registers by itself; its listener knows the name
NAME = re.compile(r"[^/:\x00-\x1f]{1,200}")
STAGED = re.compile(r"[0-9a-f]{32}")
ALIAS = re.compile(r"(?!latest$)(?!v\d+$)[\w.-]{1,100}", re.IGNORECASE)
OWNER, FORM, DEFINITION, SIZE = (f"blueno.{name}" for name in ("owner", "form", "definition", "size"))
PAGE = 200  # of MLflow's answers


class Models:
    """The registry of a data folder. Lists come from the table; what changes it asks `mirror`'s server."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.rest = mirror.rest
        self.team = mirror.config.team
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()  # of MLflow's files, when they were last looked at

    # -- for those who look -----------------------------------------------------------

    def listed(self, team: str, job_id: str | None = None, dataset_id: int | None = None) -> list[Model]:
        """A team's models by name with their versions, or those of a job, or of jobs that read a dataset."""
        wanted = [store.of_job(job_id)] if job_id is not None else []
        if dataset_id is not None:
            wanted.append(store.of_dataset(dataset_id))
        with self.mirror.database.begin() as connection:
            return store.listed(connection, team, *wanted)

    def one(self, team: str, name: str) -> Model:
        """A model with its versions."""
        with self.mirror.database.begin() as connection:
            found = store.one(connection, team, name)
        if found is None:
            raise NotFound(
                f"There is no model '{name[:80]}'; blueno.models() lists those there are.",
                code="model_not_found",
            )
        return found

    def changed(self, team: str, since: int) -> tuple[list[Model], list[str]]:
        """Models that changed after a revision, and the names of those that are gone."""
        with self.mirror.database.autocommit() as connection:
            return store.changed(connection, team, since)

    def missed(self) -> bool:
        """Whether a job registered a model by itself since the registry was last looked at."""
        folder = self.mirror.companion.folder
        listed = folder / "listed"
        never = not listed.exists() and (folder / "mlflow.db").exists()
        return never or _time(folder / REGISTERED) > _time(listed)

    # -- the registry -------------------------------------------------------------------

    def look(self) -> None:
        """Take over what is new in the registry, whoever wrote it."""
        folder = self.mirror.companion.folder
        now = tuple(_time(folder / name) for name in ("mlflow.db", "mlflow.db-wal", REGISTERED))
        with self._lock:
            if now == self._seen:
                return
            (folder / "listed").touch()
            aliases = {
                (one["name"], int(alias["version"]), alias["alias"])
                for one in self._pages("registered-models/search", "registered_models")
                for alias in one.get("aliases", [])
            }
            found = [_version(one, aliases) for one in self._pages("model-versions/search", "model_versions")]
            with self.mirror.database.begin() as connection:
                kept = store.known(connection, self.team)
            new = [one for one in found if _differs(one, kept.get((one.name, one.version)))]
            self._keep([self._whole(one) for one in new])
            gone = sorted(kept.keys() - {(one.name, one.version) for one in found})
            if gone:
                with self.mirror.database.begin() as connection:
                    store.remove(connection, self.team, gone)
            self._seen = now

    def refresh(self, job_id: str) -> None:
        """A job is over: its models have its last metrics."""
        with self.mirror.database.begin() as connection:
            found = store.listed(connection, self.team, store.of_job(job_id))
        for model in found:
            for version in model.versions:
                self._bring(model.name, version.version)

    def register(self, owner: str, ask: Registration) -> Model:
        """Move what is staged to the run's files, and make it a version."""
        if not NAME.fullmatch(ask.name):
            raise InvalidInput(
                "A model's name has 1 to 200 letters, without '/' and ':'.", code="invalid_model_name"
            )
        staged = self.mirror.companion.folder / INCOMING / ask.staged
        if not STAGED.fullmatch(ask.staged) or not staged.is_dir():
            raise NotFound(
                "The files of the model did not arrive; register it again.", code="model_files_missing"
            )
        run_id = self._run(owner, ask)
        about = self.rest.get("runs/get", run_id=run_id)["run"]["info"]
        place = _path(about["artifact_uri"]) / "models" / ask.staged
        move_below(self.mirror.config.home_path, staged, place)
        with contextlib.suppress(BluenoError):  # it is there already
            self.rest.post("registered-models/create", name=ask.name)
        said = {
            **ask.tags,
            OWNER: owner,
            FORM: ask.form,
            SIZE: str(sum(one.stat().st_size for one in place.rglob("*") if one.is_file())),
            **({DEFINITION: ask.definition} if ask.definition else {}),
            **({JOB_TAG: ask.job_id} if ask.job_id else {}),
        }
        made = self.rest.post(
            "model-versions/create",
            name=ask.name,
            source=str(place),
            run_id=run_id,
            tags=[{"key": key, "value": value} for key, value in said.items()],
            description=ask.description,
        )
        return self._bring(ask.name, int(made["model_version"]["version"]))

    def alias(self, name: str, alias: str, version: int | None) -> Model:
        """Have `alias` mean this version from now on, or nothing."""
        if not ALIAS.fullmatch(alias):
            raise InvalidInput(
                "An alias has letters, digits, '.', '_' and '-', such as production; 'latest' and versions' "
                "numbers are taken.",
                code="invalid_alias",
            )
        before = [one.version for one in self.one(self.team, name).versions if alias in one.aliases]
        if version is None:
            self.rest.delete("registered-models/alias", name=name, alias=alias)
        else:
            self.rest.post("registered-models/alias", name=name, alias=alias, version=str(version))
        for each in {*before, *([] if version is None else [version])}:
            self._bring(name, each)
        return self.one(self.team, name)

    def change(self, name: str, version: int, description: str | None, tags: dict[str, str | None]) -> Model:
        """Say something else of a version; a tag that is None is taken away."""
        which = {"name": name, "version": str(version)}
        if description is not None:
            self.rest.patch("model-versions/update", **which, description=description)
        for key, value in tags.items():
            if value is None:
                self.rest.delete("model-versions/delete-tag", **which, key=key)
            else:
                self.rest.post("model-versions/set-tag", **which, key=key, value=value)
        return self._bring(name, version)

    def delete(self, name: str, version: int) -> None:
        """Take a version out of the registry, and the name with the last one; its files stay with its run."""
        check_text(name, "The model's name")
        with contextlib.suppress(NotFound):  # somebody was faster
            self.rest.delete("model-versions/delete", name=name, version=str(version))
        with self.mirror.database.begin() as connection:
            store.remove(connection, self.team, [(name, version)])
        with contextlib.suppress(BluenoError):
            if not self.rest.get("model-versions/search", filter=_named(name), max_results=1).get(
                "model_versions"
            ):
                self.rest.delete("registered-models/delete", name=name)

    # -- one version -----------------------------------------------------------------------

    def _bring(self, name: str, version: int) -> Model:
        """Take over how a version is now."""
        about = self.rest.get("model-versions/get", name=name, version=str(version))["model_version"]
        model = self.rest.get("registered-models/get", name=name)["registered_model"]
        aliases = {(name, int(one["version"]), one["alias"]) for one in model.get("aliases", [])}
        self._keep([self._whole(_version(about, aliases))])
        return self.one(self.team, name)

    def _keep(self, versions: list[ModelVersion]) -> None:
        if versions:
            with self.mirror.database.begin() as connection:
                store.put(connection, self.team, versions)

    def _pages(self, path: str, of: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            answer = self.rest.get(path, max_results=PAGE, page_token=token)
            found += answer.get(of, [])
            token = answer.get("next_page_token")
            if not token:
                return found

    def _run(self, owner: str, ask: Registration) -> str:
        if ask.job_id:
            link = self.mirror.bring(ask.job_id)
            if link is None or link.store != self.mirror.store:
                raise InvalidInput(
                    "The job has no run here: it has not begun, or it logs to an MLflow of your own.",
                    code="job_without_run",
                )
            return link.run_id
        made = self.rest.post(
            "runs/create",
            experiment_id=self.mirror.experiment(ask.name),
            run_name=f"{ask.name}, by hand",
            start_time=int(datetime.now(UTC).timestamp() * 1000),
            tags=[{"key": "mlflow.user", "value": owner}],
        )["run"]["info"]
        self.rest.post("runs/update", run_id=made["run_id"], status="FINISHED", end_time=made["start_time"])
        return str(made["run_id"])

    def _whole(self, version: ModelVersion) -> ModelVersion:
        """With what its run and its job say."""
        values: dict[str, Any] = {"loading": formats.loading(version.form)}
        if version.source.startswith("models:/"):  # logged and registered in one by MLflow
            with contextlib.suppress(BluenoError):
                logged = self.rest.get(f"logged-models/{version.source.rpartition('/')[2]}")["model"]["info"]
                values["source"] = str(_path(logged["artifact_uri"]))
        job_id = version.job_id
        with contextlib.suppress(BluenoError):  # its user deleted the run
            run = self.rest.get("runs/get", run_id=version.run_id)["run"]
            data = run["data"]
            job_id = job_id or _tags(data).get(JOB_TAG)
            values["experiment_id"] = run["info"]["experiment_id"]
            values["metrics"] = {one["key"]: one["value"] for one in data.get("metrics", [])}
            values["parameters"] = {one["key"]: one["value"] for one in data.get("params", [])}
        if job_id and re.fullmatch("[0-9a-f]{32}", job_id):
            values["job_id"] = job_id
            record = JobRecord(JobFolder.of(self.mirror.config, job_id))
            values["datasets"] = record.used()
            with contextlib.suppress(BluenoError):  # the job was deleted
                code = record.code()
                values |= {"commit": code.commit, "python": code.python, "packages": code.packages}
        return msgspec.structs.replace(version, **values)


def _version(about: dict[str, Any], aliases: set[tuple[str, int, str]]) -> ModelVersion:
    tags = _tags(about)
    stage = about.get("current_stage")
    name, number = about["name"], int(about["version"])
    size = tags.pop(SIZE, "")
    return ModelVersion(
        name=name,
        version=number,
        created_at=datetime.fromtimestamp(int(about["creation_timestamp"]) / 1000, UTC),
        source=about.get("source", ""),
        aliases=sorted(one[2] for one in aliases if one[:2] == (name, number)),
        stage=None if stage in (None, "None") else stage,
        description=about.get("description", ""),
        run_id=about.get("run_id") or None,
        job_id=tags.pop(JOB_TAG, None),
        owner=tags.pop(OWNER, None) or about.get("user_id") or None,
        form=tags.pop(FORM, "MLflow"),
        definition=tags.pop(DEFINITION, ""),
        size=int(size) if size.isdigit() else None,
        tags=tags,
    )


def _differs(now: ModelVersion, kept: dict[str, Any] | None) -> bool:
    """Whether the registry says something else than the table; what a job says of it is no matter here."""
    said = msgspec.to_builtins(now)
    return kept is None or any(
        said[name] != kept.get(name) for name in ("aliases", "stage", "description", "tags", "run_id")
    )


def _tags(about: dict[str, Any]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in about.get("tags", [])}


def _named(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"name='{quoted}'"


def _path(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
