"""MLflow in a job: it logs to the platform's store, its run is the job's, its metrics are the job's too.

The store is a file in the data folder, so no server has to be there; beside a hub, where jobs
run on many machines, it is the hub's service.
"""

from __future__ import annotations

import fcntl
import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.inside import metrics, reporting
from jupyter_blueno.jobs.inside.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RUN = "mlflow.json"  # in the job's folder: which run it is; `tracking/mirror.py` reads it
NAMES = "mlflow-metrics.json"  # what the run has already: the mirror leaves it out

_last: dict[str, float] = {}
_begun = False


def follow(module: Any) -> None:
    if module.__name__.endswith(".fluent"):
        _follow_runs(module)
        return
    after(module.MlflowClient, "log_metric", "mlflow", _one)
    after(module.MlflowClient, "log_batch", "mlflow", _batch)
    register = "_create_model_version"  # of all ways to register, where it is there
    inner = hasattr(module.MlflowClient, register)
    after(module.MlflowClient, register if inner else register[1:], "mlflow", _registered)
    _point_to_store()


def _point_to_store() -> None:
    """Say where runs go, and what they are called, unless the user did."""
    folder = reporting.folder()
    if folder is None or os.environ.get("MLFLOW_TRACKING_URI"):
        return
    jobs = os.path.dirname(folder)
    record = lean.read_json(os.path.join(folder, "spec.json"))
    place = os.path.join(os.path.dirname(jobs), "mlflow")
    os.makedirs(place, 0o700, exist_ok=True)
    environment = os.environ
    service, token = environment.get("BLUENO_SERVICE_URL"), environment.get("BLUENO_JOB_TOKEN")
    if service and token:
        environment["MLFLOW_TRACKING_URI"] = service.rstrip("/") + "/blueno/mlflow"
        environment["MLFLOW_TRACKING_TOKEN"] = token
    else:
        environment["MLFLOW_TRACKING_URI"] = "sqlite:///" + os.path.join(place, "mlflow.db")
    environment.setdefault("_MLFLOW_SERVER_ARTIFACT_ROOT", os.path.join(place, "artifacts"))
    above, topmost = _above(jobs, record)
    if "MLFLOW_EXPERIMENT_NAME" not in environment and "MLFLOW_EXPERIMENT_ID" not in environment:
        environment["MLFLOW_EXPERIMENT_NAME"] = _origin(topmost) or topmost["name"]
    # MLflow gives these tags to every run that is made from now on.
    _say({**_about(folder, record), "mlflow.parentRunId": above, "mlflow.runName": record["name"]})


def _above(jobs: str, record: Any) -> tuple[str | None, Any]:
    """The run of the sweep or flow that this is a part of, if that is known; and the topmost job's record."""
    run = None
    for level in range(8):
        parent = record["spec"].get("parent")
        if not parent:
            break
        with lean.suppress(OSError, ValueError, KeyError):
            if level == 0:
                run = lean.read_json(os.path.join(jobs, parent, RUN))["run_id"]
        try:
            record = lean.read_json(os.path.join(jobs, parent, "spec.json"))
        except (OSError, ValueError):
            break
    return run, record


def _origin(record: Any) -> str | None:
    found: str | None = (record["spec"].get("origin") or {}).get("notebook")
    return found


def _about(folder: str, record: Any) -> dict[str, str | None]:
    """What MLflow would guess of the process: it is ours, not the user's script."""
    notebook = _origin(record)
    about = {
        "blueno.job": os.path.basename(folder),
        "mlflow.source.name": notebook or record["name"],
        "mlflow.source.type": "NOTEBOOK" if notebook else "JOB",
    }
    with lean.suppress(OSError, ValueError, KeyError):
        commit = lean.read_json(os.path.join(folder, "environment.json"))["commit"]
        about["mlflow.source.git.commit"] = commit
    return about


def _say(tags: dict[str, str | None]) -> None:
    from json import dumps, loads

    given = os.environ.get("MLFLOW_RUN_CONTEXT")
    said = {name: value for name, value in tags.items() if value}
    os.environ["MLFLOW_RUN_CONTEXT"] = dumps(said | (loads(given) if given else {}))


def _follow_runs(fluent: Any) -> None:
    """The first run that the work starts is the job's, also when it is tried again; others lie below."""
    from functools import wraps

    method = fluent.start_run

    @wraps(method)
    def start_run(*args: Any, **kwargs: Any) -> Any:
        global _begun
        folder = reporting.folder()
        if folder is None:
            return method(*args, **kwargs)
        if _begun:
            with guarded("mlflow"):
                _put_below(folder, fluent, args, kwargs)
            return method(*args, **kwargs)
        _begun = True
        with guarded("mlflow"):
            _take_up(folder, fluent, args, kwargs)
        with _first_time(folder):
            try:
                run = method(*args, **kwargs)
            except Exception as error:  # the experiment was made by somebody else at this moment
                if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                    raise
                run = method(*args, **kwargs)
        with guarded("mlflow"):
            about = {"run_id": run.info.run_id, "experiment_id": run.info.experiment_id}
            reporting.write_json(RUN, {**about, "store": _store(), "by": "job"})
            _forget("mlflow.runName", "mlflow.parentRunId")  # of the runs to come
        return run

    fluent.start_run = start_run


def _forget(*names: str) -> None:
    from json import dumps, loads

    said = loads(os.environ.get("MLFLOW_RUN_CONTEXT") or "{}")
    os.environ["MLFLOW_RUN_CONTEXT"] = dumps({name: said[name] for name in said if name not in names})


def _take_up(folder: str, fluent: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    known = _known(folder, fluent, kwargs)
    if known is not None and known["by"] == "job" and not args and not kwargs.get("run_id"):
        os.environ.setdefault("MLFLOW_RUN_ID", known["run_id"])


def _put_below(folder: str, fluent: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A further run on its own, such as that of a second `fit`, is a child of the job's."""
    if args or kwargs.get("run_id") or kwargs.get("parent_run_id") or os.environ.get("MLFLOW_RUN_ID"):
        return
    known = _known(folder, fluent, kwargs)
    if known is not None and fluent.active_run() is None:
        kwargs["parent_run_id"] = known["run_id"]


def _known(folder: str, fluent: Any, kwargs: dict[str, Any]) -> Any:
    """The job's run, if a run that starts now is of the same experiment and store."""
    try:
        known = lean.read_json(os.path.join(folder, RUN))
    except (OSError, ValueError):
        return None
    chosen = getattr(fluent, "_active_experiment_id", None) or kwargs.get("experiment_id")
    same = known["store"] == _store() and chosen in (None, known["experiment_id"])
    return known if same else None


def _store() -> str:
    from mlflow import tracking

    return str(tracking.get_tracking_uri())


class _first_time:  # noqa: N801 - it reads as a word of the language
    """One process at a time: two would make the same tables, or the same experiment.

    Beside a hub the tables are the server's, which starts while a job waits for it.
    """

    def __init__(self, folder: str) -> None:
        self.place = os.path.join(os.path.dirname(os.path.dirname(folder)), "mlflow")

    def __enter__(self) -> None:
        self.lock: int | None = None
        with lean.suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            name = "store.lock" if _store().startswith("sqlite:") else "jobs.lock"
            self.lock = os.open(os.path.join(self.place, name), flags, 0o600)
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self.lock is not None:
            os.close(self.lock)


def _registered(*_: Any, **__: Any) -> None:
    """Leave a sign that there is a model; `tracking/models.py` looks for it."""
    folder = reporting.folder()
    if folder is not None:
        place = os.path.join(os.path.dirname(os.path.dirname(folder)), "mlflow")
        with open(os.path.join(place, "registered"), "ab"):
            os.utime(os.path.join(place, "registered"))


def _one(client: Any, run_id: str, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
    step = kwargs.get("step", args[1] if len(args) > 1 else None)
    _tell(key, value, step)


def _batch(client: Any, run_id: str, metrics: Any = (), *args: Any, **kwargs: Any) -> None:
    for metric in metrics:
        _tell(metric.key, metric.value, metric.step)


def _tell(name: str, value: Any, step: Any) -> None:
    """MLflow's step is 0 where none was given: then steps are counted here."""
    counted = not step and name in _last
    if name not in _last:
        reporting.write_json(NAMES, {"names": "\n".join([*_last, name])})
    metrics.log_found("mlflow", {name: value}, None if counted else step or 0)
    _last[name] = step or 0
