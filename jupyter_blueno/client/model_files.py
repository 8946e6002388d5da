"""A model as files: in its framework's own form where that holds no code, else pickled; and loaded again."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_blueno import errors
from jupyter_blueno.tracking import formats

PICKLED = "model.pkl"
SKOPS_FILE = "model.skops"
DEFINITION = 20_000  # characters
# What a file of skops may name beyond what skops itself lets in: no estimator of scikit-learn needs more.
SAFE = ("sklearn.", "scipy.sparse.", "scipy.interpolate.", "numpy.dtype", "numpy.mean")


def stage(model: Any, folder: Path) -> tuple[str, str]:
    """Write `model` into an empty folder; its form, and what defines it as a text.

    Raises
    ------
    NotFound
        If it is a path, and nothing is there.
    InvalidInput
        If it cannot be written.
    """
    if isinstance(model, str | os.PathLike):
        return _copied(Path(model).expanduser(), folder), ""
    for keep in (_sklearn, _keras):
        with contextlib.suppress(_OtherForm):
            return keep(model, folder), define(model)
    import cloudpickle

    try:
        with open(folder / PICKLED, "wb") as file:
            cloudpickle.dump(model, file)
    except Exception as error:
        raise errors.InvalidInput(
            f"A {type(model).__name__} cannot be pickled ({error}); save it to a file and register that.",
            code="model_not_pickled",
        ) from error
    return formats.PICKLE, define(model)


class _OtherForm(Exception):
    """It is not kept so."""


def _copied(source: Path, folder: Path) -> str:
    if source.is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copy2(source, folder)
    else:
        raise errors.NotFound(f"There is no file or folder {str(source)!r}.", code="model_files_missing")
    if source.suffix == ".keras":
        return formats.KERAS
    return "MLflow" if (folder / "MLmodel").exists() else formats.FILES


def _loaded(*names: str) -> list[Any]:
    """Modules that the caller uses already: none is imported to look whether a model is of it."""
    return [sys.modules[name] for name in names if name in sys.modules]


def _sklearn(model: Any, folder: Path) -> str:
    (base,) = _loaded("sklearn.base") or [None]
    if base is None or not isinstance(model, base.BaseEstimator):
        raise _OtherForm
    try:
        flavor = importlib.import_module("mlflow.sklearn")
        import skops.io

        types = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    except Exception:  # not installed, or with a function of the user's in it
        raise _OtherForm from None
    if not all(name.startswith(SAFE) for name in types):
        raise _OtherForm
    _kept(folder, lambda path: flavor.save_model(
        model, path, serialization_format="skops", skops_trusted_types=types,
        pip_requirements=flavor.get_default_pip_requirements(include_skops=True),
    ))  # fmt: skip
    return formats.SKOPS


def _keras(model: Any, folder: Path) -> str:
    (keras,) = _loaded("keras") or [None]
    if keras is None or not isinstance(model, keras.Model):
        raise _OtherForm
    try:
        import mlflow.keras as flavor
    except ImportError:
        try:
            model.save(folder / "model.keras")
        except Exception:
            (folder / "model.keras").unlink(missing_ok=True)
            raise _OtherForm from None
        return formats.KERAS
    needs = [f"keras=={keras.__version__}"]
    (backend,) = _loaded(keras.backend.backend()) or [None]
    if backend is not None:
        needs.append(f"{backend.__name__}=={backend.__version__}")
    _kept(folder, lambda path: flavor.save_model(model, path, pip_requirements=needs))
    return formats.KERAS


def _kept(folder: Path, save: Callable[[str], object]) -> None:
    """Have MLflow save into a folder that it makes itself."""
    inside = folder / "saved"
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # a signature and pip's version are not missed here
    try:
        save(str(inside))
    except Exception:
        shutil.rmtree(inside, ignore_errors=True)
        raise _OtherForm from None
    finally:
        logger.setLevel(level)
    for one in inside.iterdir():
        one.rename(folder / one.name)
    inside.rmdir()


def define(model: Any) -> str:
    """What it is: an estimator with its settings, a network's layers, else how it prints itself."""
    with contextlib.suppress(Exception):
        lines: list[str] = []
        if _loaded("keras") and hasattr(model, "summary"):
            model.summary(print_fn=lambda line, **_: lines.append(line), line_length=78)
            return "\n".join(lines)[:DEFINITION]
        if _loaded("sklearn.base") and hasattr(model, "get_params"):
            return str(model.__repr__(N_CHAR_MAX=DEFINITION))
        return repr(model)[:DEFINITION]
    return type(model).__name__


def load(folder: Path) -> Any:
    """What was registered; the path of the files where they are no model that is known."""
    if (folder / PICKLED).exists() and not (folder / "MLmodel").exists():
        import pickle

        with open(folder / PICKLED, "rb") as file:
            return pickle.load(file)
    place = next((one.parent for one in [*folder.glob("MLmodel"), *folder.glob("*/MLmodel")]), folder)
    network = [*place.glob("*.keras"), *place.glob("data/*.keras")]
    if network:
        return _need("keras.saving", "Keras", "keras").load_model(network[0])
    if (place / SKOPS_FILE).exists():
        return _load_skops(place / SKOPS_FILE)
    if not (place / "MLmodel").exists():
        inside = list(folder.iterdir())
        return inside[0] if len(inside) == 1 else folder
    about = _need("mlflow.models", "MLflow", "jupyter-blueno[tracking]").Model.load(str(place))
    module = about.flavors["python_function"]["loader_module"]
    return importlib.import_module(module).load_model(str(place))


def _load_skops(file: Path) -> Any:
    """Without the list of types that lies beside the file: whoever wrote one wrote the other."""
    io = _need("skops.io", "skops", "skops")
    types = io.get_untrusted_types(file=file)
    strange = [name for name in types if not name.startswith(SAFE)]
    if strange:
        raise errors.InvalidInput(
            f"The model names types that may run code: {', '.join(strange[:5])}. If you trust who registered "
            f"it: skops.io.load({str(file)!r}, trusted={strange[:5]}).",
            code="model_not_safe",
        )
    return io.load(file, trusted=types)


def _need(module: str, called: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise errors.MissingDependency(
            f"The model needs {called}, which is not installed here; run pip install '{package}'.",
            code=f"{called.lower()}_missing",
        ) from None
