"""What is said about registered models."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from jupyter_blueno.jobs.model import UsedDataset, Value


class ModelVersion(Struct, frozen=True):
    """A version of a model, with what it came from.

    `source` is its folder, on the machine of the jobs, `size` that of its files in
    bytes. `form` is how they are written (``Keras``, ``pickle`` …), and `loading` a
    sentence that says what loading them runs. `definition` is the model as a text:
    an estimator with its settings, a network's layers; a list leaves it out, as it
    does `packages`. `metrics` and `parameters` are those of its run, `datasets` what
    its job read, `commit`, `python` and `packages` (``numpy==2.2``) what it ran with.
    """

    name: str
    version: int
    created_at: datetime
    source: str
    aliases: list[str] = []
    stage: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    owner: str | None = None
    form: str | None = None
    loading: str = ""
    definition: str = ""
    size: int | None = None
    run_id: str | None = None
    experiment_id: str | None = None
    job_id: str | None = None
    metrics: dict[str, Value] = {}
    parameters: dict[str, str] = {}
    datasets: list[UsedDataset] = []
    commit: str | None = None
    python: str | None = None
    packages: list[str] = []


class Model(Struct, frozen=True):
    """A registered model; the newest version first."""

    name: str
    versions: list[ModelVersion] = []
    revision: int = 0


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """A new version: `staged` is the name of a folder below ``mlflow/incoming`` of the data folder."""

    name: str
    staged: str
    job_id: str | None = None
    tags: dict[str, str] = {}
    description: str = ""
    form: str = "files"
    definition: str = ""
