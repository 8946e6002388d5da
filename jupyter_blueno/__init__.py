"""From a dataset to a trained model without leaving JupyterLab.

``import jupyter_blueno as blueno`` costs nothing: each public name is loaded
from its room on first use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from jupyter_blueno._version import __version__

TYPE_CHECKING = False  # importing typing would take longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from jupyter_blueno.client.accounting import usage as usage
    from jupyter_blueno.client.columns import selection as selection
    from jupyter_blueno.client.compare import compare as compare
    from jupyter_blueno.client.datasets import Dataset as Dataset
    from jupyter_blueno.client.demo import demo as demo
    from jupyter_blueno.client.files import file as file
    from jupyter_blueno.client.finding import dataset as dataset
    from jupyter_blueno.client.finding import datasets as datasets
    from jupyter_blueno.client.flow_notebooks import map_notebook as map_notebook
    from jupyter_blueno.client.flow_run import FlowRun as FlowRun
    from jupyter_blueno.client.flows import flow as flow
    from jupyter_blueno.client.functions import JobFunction as JobFunction
    from jupyter_blueno.client.functions import job as job
    from jupyter_blueno.client.ingest import ingest as ingest
    from jupyter_blueno.client.ingest import prepare as prepare
    from jupyter_blueno.client.ingest import public_sets as public_sets
    from jupyter_blueno.client.jobs import Job as Job
    from jupyter_blueno.client.jobs import JobFailed as JobFailed
    from jupyter_blueno.client.jobs import jobs as jobs
    from jupyter_blueno.client.models import Model as Model
    from jupyter_blueno.client.models import model as model
    from jupyter_blueno.client.models import models as models
    from jupyter_blueno.client.models import register_model as register_model
    from jupyter_blueno.client.platform import PlatformClient as PlatformClient
    from jupyter_blueno.client.progress import progress as progress
    from jupyter_blueno.client.ranges import choice as choice
    from jupyter_blueno.client.ranges import integers as integers
    from jupyter_blueno.client.ranges import log_uniform as log_uniform
    from jupyter_blueno.client.ranges import uniform as uniform
    from jupyter_blueno.client.samples import Sample as Sample
    from jupyter_blueno.client.schedules import Schedule as Schedule
    from jupyter_blueno.client.schedules import schedule as schedule
    from jupyter_blueno.client.schedules import schedules as schedules
    from jupyter_blueno.client.secrets import secret as secret
    from jupyter_blueno.client.session import use as use
    from jupyter_blueno.client.submit import map as map
    from jupyter_blueno.client.submit import run_cell as run_cell
    from jupyter_blueno.client.submit import run_command as run_command
    from jupyter_blueno.client.submit import run_notebook as run_notebook
    from jupyter_blueno.client.submit import submit as submit
    from jupyter_blueno.client.sweeps import Sweep as Sweep
    from jupyter_blueno.client.sweeps import sweep as sweep
    from jupyter_blueno.client.trials import Trial as Trial
    from jupyter_blueno.errors import BluenoError as BluenoError
    from jupyter_blueno.errors import PlatformError as PlatformError
    from jupyter_blueno.jobs.inside.checkpoints import checkpoint as checkpoint
    from jupyter_blueno.jobs.inside.checkpoints import latest_checkpoint as latest_checkpoint
    from jupyter_blueno.jobs.inside.metrics import log_metric as log_metric
    from jupyter_blueno.jobs.inside.metrics import log_metrics as log_metrics
    from jupyter_blueno.widgets.show import show as show

# Public name → module that defines it. A name becomes public on purpose: here.
_PUBLIC = {
    "BluenoError": "jupyter_blueno.errors",
    "PlatformError": "jupyter_blueno.errors",
    "PlatformClient": "jupyter_blueno.client.platform",
    "Dataset": "jupyter_blueno.client.datasets",
    "FlowRun": "jupyter_blueno.client.flow_run",
    "Job": "jupyter_blueno.client.jobs",
    "JobFailed": "jupyter_blueno.client.jobs",
    "JobFunction": "jupyter_blueno.client.functions",
    "Sample": "jupyter_blueno.client.samples",
    "Schedule": "jupyter_blueno.client.schedules",
    "selection": "jupyter_blueno.client.columns",
    "Sweep": "jupyter_blueno.client.sweeps",
    "Trial": "jupyter_blueno.client.trials",
    "choice": "jupyter_blueno.client.ranges",
    "compare": "jupyter_blueno.client.compare",
    "dataset": "jupyter_blueno.client.finding",
    "datasets": "jupyter_blueno.client.finding",
    "demo": "jupyter_blueno.client.demo",
    "file": "jupyter_blueno.client.files",
    "flow": "jupyter_blueno.client.flows",
    "ingest": "jupyter_blueno.client.ingest",
    "integers": "jupyter_blueno.client.ranges",
    "job": "jupyter_blueno.client.functions",
    "invite": "jupyter_blueno.client.people",
    "jobs": "jupyter_blueno.client.jobs",
    "checkpoint": "jupyter_blueno.jobs.inside.checkpoints",
    "latest_checkpoint": "jupyter_blueno.jobs.inside.checkpoints",
    "log_metric": "jupyter_blueno.jobs.inside.metrics",
    "log_metrics": "jupyter_blueno.jobs.inside.metrics",
    "log_uniform": "jupyter_blueno.client.ranges",
    "map": "jupyter_blueno.client.submit",
    "map_notebook": "jupyter_blueno.client.flow_notebooks",
    "prepare": "jupyter_blueno.client.ingest",
    "Model": "jupyter_blueno.client.models",
    "model": "jupyter_blueno.client.models",
    "models": "jupyter_blueno.client.models",
    "register_model": "jupyter_blueno.client.models",
    "progress": "jupyter_blueno.client.progress",
    "public_sets": "jupyter_blueno.client.ingest",
    "run_cell": "jupyter_blueno.client.submit",
    "run_command": "jupyter_blueno.client.submit",
    "run_notebook": "jupyter_blueno.client.submit",
    "schedule": "jupyter_blueno.client.schedules",
    "schedules": "jupyter_blueno.client.schedules",
    "secret": "jupyter_blueno.client.secrets",
    "show": "jupyter_blueno.widgets.show",
    "submit": "jupyter_blueno.client.submit",
    "sweep": "jupyter_blueno.client.sweeps",
    "uniform": "jupyter_blueno.client.ranges",
    "usage": "jupyter_blueno.client.accounting",
    "use": "jupyter_blueno.client.session",
    "whoami": "jupyter_blueno.client.people",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """Keeps the verbs `jobs`, `ingest` and `schedules` from being hidden by the rooms of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return import_module, (self.__name__,)  # a function that is sent to a job may use it


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """Add ``%blueno`` and ``%%blueno`` to `shell` (called by ``%load_ext``)."""
    import_module("jupyter_blueno.magics").register(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-blueno"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from jupyter_blueno.server.app import BluenoExtension

    return [{"module": "jupyter_blueno", "app": BluenoExtension}]
