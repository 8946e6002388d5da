"""Models: MLflow's registry, with what a version's job says of it."""

from __future__ import annotations

import contextlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.record import JobRecord
from jupyter_blueno.tracking.model import Model, ModelVersion, Registration
from jupyter_blueno.tracking.runs import JOB_TAG

if TYPE_CHECKING:
    from jupyter_blueno.tracking.mirror import Mirror

INCOMING = "incoming"
NAME = re.compile(r"[^/:\x00-\x1f]{1,200}")
STAGED = re.compile(r"[0-9a-f]{32}")


class Models:
    """The registry, asked through `mirror`'s server, which has to run."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.rest = mirror.rest

    def listed(self) -> list[Model]:
        """All models by name; of their versions the newest, without what its run says."""
        found = self.rest.get("registered-models/search", max_results=1000, order_by="name ASC")
        return [
            _model(one, [_version(newest) for newest in one.get("latest_versions", [])[:1]])
            for one in found.get("registered_models", [])
        ]

    def one(self, name: str) -> Model:
        """A model with its versions."""
        try:
            about = self.rest.get("registered-models/get", name=name)["registered_model"]
        except NotFound:
            raise NotFound(
                f"There is no model '{name[:80]}'; blueno.models() lists those there are.",
                code="model_not_found",
            ) from None
        quoted = name.replace("'", "''")
        found = self.rest.get("model-versions/search", filter=f"name='{quoted}'", max_results=200)
        aliases = about.get("aliases", [])
        versions = [self._whole(_version(one, aliases)) for one in found.get("model_versions", [])]
        return _model(about, sorted(versions, key=lambda one: -one.version))

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
        place = Path(unquote(urlsplit(about["artifact_uri"]).path), "models", ask.staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(staged, place)
        with contextlib.suppress(BluenoError):  # it is there already
            self.rest.post("registered-models/create", name=ask.name)
        said = {**ask.tags, "blueno.owner": owner} | ({JOB_TAG: ask.job_id} if ask.job_id else {})
        tags = [{"key": key, "value": value} for key, value in said.items()]
        self.rest.post(
            "model-versions/create",
            name=ask.name,
            source=str(place),
            run_id=run_id,
            tags=tags,
            description=ask.description,
        )
        return self.one(ask.name)

    def alias(self, name: str, version: int, alias: str) -> Model:
        """Have `alias` mean this version from now on."""
        self.rest.post("registered-models/alias", name=name, alias=alias, version=str(version))
        return self.one(name)

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
        import msgspec

        values: dict[str, Any] = {}
        with contextlib.suppress(BluenoError):  # its user deleted the run
            data = self.rest.get("runs/get", run_id=version.run_id)["run"]["data"]
            values["metrics"] = {one["key"]: one["value"] for one in data.get("metrics", [])}
            values["parameters"] = {one["key"]: one["value"] for one in data.get("params", [])}
        if version.job_id and re.fullmatch("[0-9a-f]{32}", version.job_id):
            record = JobRecord(JobFolder.of(self.mirror.config, version.job_id))
            values["datasets"] = record.used()
            with contextlib.suppress(BluenoError):  # the job was deleted
                code = record.code()
                values |= {"python": code.python, "packages": code.packages}
        return msgspec.structs.replace(version, **values)


def _model(about: dict[str, Any], versions: list[ModelVersion]) -> Model:
    return Model(about["name"], about.get("description", ""), _tags(about), versions)


def _version(about: dict[str, Any], aliases: list[dict[str, Any]] | None = None) -> ModelVersion:
    tags = _tags(about)
    stage = about.get("current_stage")
    return ModelVersion(
        name=about["name"],
        version=int(about["version"]),
        created_at=datetime.fromtimestamp(int(about["creation_timestamp"]) / 1000, UTC),
        source=about.get("source", ""),
        aliases=[one["alias"] for one in aliases or [] if one["version"] == about["version"]],
        stage=None if stage in (None, "None") else stage,
        description=about.get("description", ""),
        tags=tags,
        run_id=about.get("run_id") or None,
        job_id=tags.get(JOB_TAG),
    )


def _tags(about: dict[str, Any]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in about.get("tags", [])}
