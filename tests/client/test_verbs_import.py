"""Importing the package costs nothing, and its verbs are not hidden by rooms of the same name."""

from __future__ import annotations

import subprocess
import sys

import jupyter_blueno as blueno

HEAVY = ("numpy", "sqlalchemy", "msgspec", "PIL", "IPython", "click", "nibabel", "tornado", "traitlets")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, jupyter_blueno; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert run(code).strip() == "[]"


def test_contract_is_loaded_without_numpy_or_database() -> None:
    code = (
        "import sys, jupyter_blueno as b\n"
        "b.submit, b.jobs, b.dataset\n"
        "print('numpy' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    assert run(code).split() == ["False", "False"]


def test_verbs_stay_in_front_of_rooms() -> None:
    code = (
        "import jupyter_blueno as b\n"
        "import jupyter_blueno.jobs.model, jupyter_blueno.ingest.model\n"
        "from jupyter_blueno.jobs import model\n"
        "print(callable(b.jobs), callable(b.ingest), model.__name__)"
    )
    assert run(code).split() == ["True", "True", "jupyter_blueno.jobs.model"]


def test_public_names() -> None:
    assert set(blueno.__all__) == {
        "BluenoError", "Dataset", "FlowRun", "Job", "JobFailed", "JobFunction", "Model",
        "PlatformClient", "PlatformError", "Sample", "Schedule", "Sweep", "Trial", "__version__",
        "checkpoint", "choice", "compare", "dataset", "datasets", "demo", "file", "flow", "ingest",
        "integers", "invite", "job", "jobs", "latest_checkpoint", "log_metric", "log_metrics", "log_uniform",
        "map", "map_notebook", "model", "models", "prepare", "progress", "public_sets",
        "register_model", "run_cell", "run_command", "run_notebook", "schedule", "schedules",
        "secret", "selection", "show", "submit", "sweep", "uniform", "usage", "use", "whoami",
    }  # fmt: skip
