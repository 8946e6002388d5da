"""Models: registered from jobs or by hand, found again, loaded in one line."""

from __future__ import annotations

import html
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.api import models as api
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import get_status
from jupyter_blueno.client import model_files, session
from jupyter_blueno.tracking.model import Model as Record
from jupyter_blueno.tracking.model import ModelVersion, Registration


class Model:
    """A version of a registered model.

    Attributes
    ----------
    name : str
    version : int
    aliases : list of str
        Such as ``production``.
    metrics, parameters, tags : dict
        Of its run.
    datasets : list
        What its job read: name, version and filter.
    definition : str
        An estimator with its settings, a network's layers.
    loading : str
        What `load` runs, as a sentence.
    commit, python : str or None
    packages : list of str
        What it ran with, ``numpy==2.2``.
    source : str
        Its folder.
    """

    def __init__(self, record: Record, about: ModelVersion) -> None:
        self._record = record
        self._about = about

    def __getattr__(self, name: str) -> Any:
        return getattr(self._about, name)

    def __repr__(self) -> str:
        said = f", {', '.join(self._about.aliases)}" if self._about.aliases else ""
        return f"Model({self._about.name!r}, version {self._about.version}{said})"

    def _repr_html_(self) -> str:
        about = self._about
        rows: dict[str, Any] = {
            "metrics": about.metrics,
            "parameters": about.parameters,
            "data": {one.name: f"v{one.version}" for one in about.datasets},
            "job": {"id": about.job_id[:8]} if about.job_id else {},
        }
        lines = "".join(
            f"<tr><th>{name}</th><td>"
            + html.escape(", ".join(f"{key} {value}" for key, value in values.items()))
            + "</td></tr>"
            for name, values in rows.items()
            if values
        )
        return f"<b>{html.escape(repr(self))}</b><table>{lines}</table>"

    @property
    def versions(self) -> list[int]:
        """All versions that there are, the newest first."""
        return [one.version for one in self._record.versions]

    @property
    def path(self) -> Path:
        """Its folder, or the one file in it."""
        folder = Path(self._about.source)
        inside = list(folder.iterdir()) if folder.is_dir() else []
        return inside[0] if len(inside) == 1 else folder

    def load(self) -> Any:
        """The model: the object that was registered, or the path of its files where they are none.

        What that runs depends on how the files are written; `loading` says it. Models of
        scikit-learn and Keras are read without running code of the file. Pickles, and what
        MLflow loads, run what is in them: load those of people whom you trust.

        Raises
        ------
        NotFound
            If the files are gone.
        InvalidInput
            If a model of scikit-learn names types that may run code.
        """
        folder = Path(self._about.source)
        if not folder.is_dir():
            raise errors.NotFound(
                f"The files of {self!r} are no longer in {folder}.", code="model_files_missing"
            )
        return model_files.load(folder)

    def promote(self, alias: str = "production") -> Model:
        """Have `alias` mean this version from now on."""
        ask = api.SetAlias(self._about.name, alias, self._about.version)
        return _chosen(session.call(api.set_alias, ask), self._about.version)

    def tag(self, description: str | None = None, **tags: Any) -> Model:
        """Say something of this version; a tag that is None is taken away."""
        said = {name: None if value is None else str(value) for name, value in tags.items()}
        ask = api.ChangeVersion(self._about.name, self._about.version, description, said)
        return _chosen(session.call(api.change_model, ask), self._about.version)

    def delete(self) -> None:
        """Take this version out of the registry; its files stay with its run."""
        session.call(api.delete_model, api.VersionRef(self._about.name, self._about.version))


class ModelList(list[Model]):
    """Models as a list, shown as a table."""

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(one.name)}</td><td>{one.version}</td>"
            f"<td>{one.created_at.astimezone():%Y-%m-%d %H:%M}</td></tr>"
            for one in self
        )
        return f"<table><tr><th>model</th><th>version</th><th>since</th></tr>{rows}</table>"


def register_model(
    name: str, model: Any, *, job: Any = None, tags: dict[str, Any] | None = None, description: str = ""
) -> Model:
    """Make a model a new version of `name`, with a record of what it came from.

    Parameters
    ----------
    name : str
    model : path or object
        A file or folder, which is copied (``MLmodel`` in it is MLflow's format),
        or an object: those of scikit-learn and Keras are kept in forms that hold no
        code, others are pickled.
    job : Job or str, optional
        Whose it is. Inside of a job: that job.
    tags : dict, optional
    description : str

    Raises
    ------
    InvalidInput
        If the object cannot be pickled.

    Examples
    --------
    >>> blueno.register_model("digits", classifier)  # doctest: +SKIP
    >>> blueno.model("digits").load().predict(images)  # doctest: +SKIP
    """
    job_id = os.environ.get("BLUENO_JOB_ID") if job is None else getattr(job, "id", str(job))
    home = Path(session.call(get_status, Nothing()).home)
    staged = uuid.uuid4().hex
    folder = home / "mlflow" / "incoming" / staged
    folder.mkdir(parents=True)
    try:
        form, definition = model_files.stage(model, folder)
        said = {str(key): str(value) for key, value in (tags or {}).items()}
        record = session.call(
            api.register_model, Registration(name, staged, job_id, said, description, form, definition)
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # it was moved if all went well
    return _chosen(record, None)


def models(*, job: Any = None, dataset: Any = None) -> ModelList:
    """The registered models, each with its newest version.

    Parameters
    ----------
    job : Job or str, optional
        Only what this job wrote.
    dataset : Dataset or int, optional
        Only what came of jobs that read this dataset.
    """
    job_id = None if job is None else getattr(job, "id", str(job))
    dataset_id = None if dataset is None else int(getattr(dataset, "id", dataset))
    found = session.call(api.list_models, api.ListModels(job_id, dataset_id)).models
    return ModelList(Model(one, version) for one in found for version in one.versions[:1])


def model(name: str, version: int | str | None = None) -> Model:
    """A version of a model: by its number, by an alias such as ``"production"``, or the newest.

    Raises
    ------
    NotFound
    """
    return _chosen(session.call(api.get_model, api.ModelRef(str(name))), version)


def _chosen(record: Record, version: int | str | None) -> Model:
    for one in record.versions:
        if version is None or str(one.version) == str(version) or version in one.aliases:
            return Model(record, one)
    there = ", ".join(str(one.version) for one in record.versions) or "none"
    raise errors.NotFound(
        f"{record.name!r} has no version {version!r}; there is {there}.", code="model_not_found"
    )
