"""Operations on models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation
from jupyter_blueno.tracking.model import Model, Registration

if TYPE_CHECKING:
    from jupyter_blueno.tracking.models import Models


class ModelList(Struct, frozen=True):
    models: list[Model]


class ModelRef(Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class SetAlias(Struct, frozen=True, forbid_unknown_fields=True):
    """`alias` means this version of the model from now on, and no other."""

    name: str
    version: int
    alias: str


def _models(context: Context) -> Models:
    from jupyter_blueno.tracking import mlflow
    from jupyter_blueno.tracking.models import Models

    mlflow.check_installed()
    mirror = context.platform.mirror
    context.platform.mlflow.ready()
    return Models(mirror)


@operation("GET", "/models", resource="models", action="read")
def list_models(context: Context, ask: Nothing) -> ModelList:
    """Registered models by name, each with its newest version; MLflow starts if it does not run."""
    return ModelList(_models(context).listed())


@operation("GET", "/models/{name}", resource="models", action="read")
def get_model(context: Context, ask: ModelRef) -> Model:
    """A model with its versions and what they came from."""
    return _models(context).one(ask.name)


@operation("POST", "/models", resource="models", action="write")
def register_model(context: Context, ask: Registration) -> Model:
    """Make staged files a new version of a model."""
    if ask.job_id is not None:
        context.platform.jobs.get(context.user, ask.job_id)
    return _models(context).register(context.user.name, ask)


@operation("POST", "/models/{name}/alias", resource="models", action="write")
def set_alias(context: Context, ask: SetAlias) -> Model:
    """Have an alias mean a version."""
    return _models(context).alias(ask.name, ask.version, ask.alias)
