"""What is said about registered models."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from jupyter_blueno.jobs.model import UsedDataset, Value


class ModelVersion(Struct, frozen=True):
    """A version of a model, with what it came from.

    `source` is its folder, on the machine of the jobs. `metrics` and `parameters`
    are those of its run, `datasets` what its job read, `packages` (``numpy==2.2``)
    and `python` what it ran with.
    """

    name: str
    version: int
    created_at: datetime
    source: str
    aliases: list[str] = []
    stage: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    run_id: str | None = None
    job_id: str | None = None
    metrics: dict[str, Value] = {}
    parameters: dict[str, str] = {}
    datasets: list[UsedDataset] = []
    python: str | None = None
    packages: list[str] = []


class Model(Struct, frozen=True):
    """A registered model; the newest version first."""

    name: str
    description: str = ""
    tags: dict[str, str] = {}
    versions: list[ModelVersion] = []


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """A new version: `staged` is the name of a folder below ``mlflow/incoming`` of the data folder."""

    name: str
    staged: str
    job_id: str | None = None
    tags: dict[str, str] = {}
    description: str = ""
