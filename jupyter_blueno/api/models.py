"""Operations on models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import operation
from jupyter_blueno.tracking.model import Model, Registration

if TYPE_CHECKING:
    from jupyter_blueno.tracking.models import Models

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]  # of a version


class ListModels(Struct, frozen=True, forbid_unknown_fields=True):
    """All, or those that a job wrote, or those of jobs that read a dataset."""

    job_id: str | None = None
    dataset_id: int | None = None


class ModelList(Struct, frozen=True):
    models: list[Model]


class ModelRef(Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class SetAlias(Struct, frozen=True, forbid_unknown_fields=True):
    """`alias` means this version of the model from now on, and no other; with None it means none."""

    name: str
    alias: str
    version: Number | None = None


class VersionRef(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    version: Number


class ChangeVersion(Struct, frozen=True, forbid_unknown_fields=True):
    """What is not named stays; a tag that is null is taken away."""

    name: str
    version: Number
    description: str | None = None
    tags: dict[str, str | None] = {}


def _models(context: Context) -> Models:
    """The registry, with its server."""
    from jupyter_blueno.tracking import mlflow

    mlflow.check_installed(context.platform.mlflow)
    models = context.platform.mirror.models
    context.platform.mlflow.ready()
    return models


@operation("GET", "/models", resource="models", action="read")
def list_models(context: Context, ask: ListModels) -> ModelList:
    """Registered models by name with their versions in short, without packages and definition."""
    from jupyter_blueno.tracking import mlflow

    platform = context.platform
    models = platform.mirror.models
    server = platform.mlflow
    if models.missed() and mlflow.installed(server) and server.state == "stopped":
        server.begin()  # it is looked at once that runs, and told as a change
    return ModelList(models.listed(context.user.team, ask.job_id, ask.dataset_id))


@operation("GET", "/models/{name}", resource="models", action="read")
def get_model(context: Context, ask: ModelRef) -> Model:
    """A model with its versions and what they came from."""
    return context.platform.mirror.models.one(context.user.team, ask.name)


@operation("POST", "/models", resource="models", action="write")
def register_model(context: Context, ask: Registration) -> Model:
    """Make staged files a new version of a model; MLflow starts if it does not run."""
    if ask.job_id is not None:
        context.platform.jobs.get(context.user, ask.job_id)
    return _models(context).register(context.user.name, ask)


@operation("POST", "/models/{name}/alias", resource="models", action="write")
def set_alias(context: Context, ask: SetAlias) -> Model:
    """Have an alias mean a version; MLflow starts if it does not run."""
    return _models(context).alias(ask.name, ask.alias, ask.version)


@operation("PATCH", "/models/{name}/versions/{version}", resource="models", action="write")
def change_model(context: Context, ask: ChangeVersion) -> Model:
    """Change description and tags of a version; MLflow starts if it does not run."""
    return _models(context).change(ask.name, ask.version, ask.description, ask.tags)


@operation("DELETE", "/models/{name}/versions/{version}", resource="models", action="write")
def delete_model(context: Context, ask: VersionRef) -> None:
    """Take a version out of the registry; its files stay with its run."""
    _models(context).delete(ask.name, ask.version)
