"""Models as files: what holds no code is kept so, and nothing that is strange is let in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jupyter_blueno.client import model_files
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.tracking import formats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "staged"
    made.mkdir()
    return made


PIXELS = np.random.default_rng(0).random((40, 4))
LABELS = (PIXELS[:, 0] > 0.5).astype(int)


def test_estimators_are_kept_without_code(folder: Path) -> None:
    pytest.importorskip("skops.io")
    pytest.importorskip("mlflow.sklearn")
    ensemble = pytest.importorskip("sklearn.ensemble")
    model = ensemble.RandomForestClassifier(n_estimators=3, random_state=0).fit(PIXELS, LABELS)
    form, definition = model_files.stage(model, folder)
    assert form == formats.SKOPS
    assert definition == "RandomForestClassifier(n_estimators=3, random_state=0)"
    assert {"MLmodel", "model.skops"} <= {one.name for one in folder.iterdir()}
    loaded = model_files.load(folder)
    assert (loaded.predict(PIXELS) == model.predict(PIXELS)).all()


def test_one_with_a_function_of_ours_is_pickled(folder: Path) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model = preprocessing.FunctionTransformer(lambda values: values + 1)
    assert model_files.stage(model, folder)[0] == formats.PICKLE
    assert model_files.load(folder).transform(np.zeros((1, 1))).tolist() == [[1.0]]
    assert "runs whatever the file says" in formats.loading(formats.PICKLE)


class Strange:
    """What a file of somebody else's may name."""


def test_a_file_that_names_other_types_is_refused(folder: Path) -> None:
    skops = pytest.importorskip("skops.io")
    (folder / "model.skops").write_bytes(skops.dumps(Strange()))
    # A list of what may be let in that lies beside it counts for nothing.
    (folder / "MLmodel").write_text(
        "flavors: {sklearn: {skops_trusted_types: [tests.tracking.test_models.Strange]}}"
    )
    with pytest.raises(InvalidInput, match=r"types that may run code: tests\.tracking\.test_models\.Strange"):
        model_files.load(folder)


@pytest.mark.slow
def test_networks_are_kept_in_keras_own_form(folder: Path) -> None:
    pytest.importorskip("tensorflow")
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="score")])
    form, definition = model_files.stage(model, folder)
    assert form == formats.KERAS
    assert "score (Dense)" in definition
    assert not list(folder.rglob("*.pkl"))
    loaded = model_files.load(folder)
    assert np.allclose(loaded(PIXELS), model(PIXELS))


def test_files_stay_files(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"abc")
    assert model_files.stage(weights, folder) == (formats.FILES, "")
    assert model_files.load(folder) == folder / "weights.pt"
    with pytest.raises(NotFound, match="no file or folder"):
        model_files.stage(tmp_path / "missing", folder)
