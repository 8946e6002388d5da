"""Progress, metrics and checkpoints that frameworks tell of by themselves, with the real ones."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, JobSpec
from jupyter_blueno.jobs.readings import Curve
from jupyter_blueno.jobs.testing import ALICE, cell, command, log, start, until, wait
from jupyter_blueno.tracking import boards


def need(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed")


def curves(manager: JobManager, job: Job) -> dict[str, Curve]:
    return {one.name: one for one in manager.record(ALICE, job.id).curves("metrics").curves}


BARS = """\
from tqdm.auto import tqdm
import os, time
for epoch in tqdm(range(4), desc="epochs", mininterval=0):
    for batch in tqdm(range(10), desc="batches", leave=False, mininterval=0):
        pass
    if epoch == 1:
        while not os.path.exists("on"): time.sleep(0.02)
"""


@need("tqdm")
def test_the_outermost_bar_is_the_progress(manager: JobManager, folder: Path) -> None:
    job = start(manager, cell(BARS, folder=str(folder)))
    until(lambda: (seen := manager.get(ALICE, job.id).progress) and (seen.done, seen.total) == (1, 4))
    (folder / "on").touch()
    done = wait(manager, job, "SUCCEEDED").progress
    assert done is not None
    assert (done.done, done.total, done.message) == (4, 4, "epochs")
    assert "epochs: 100%" in log(manager, job)


@need("tqdm")
def test_what_the_work_says_itself_counts_more(manager: JobManager) -> None:
    source = "import jupyter_blueno as blueno\nblueno.progress(1, 7, 'mine')\nopen('on', 'w')\n" + BARS
    done = wait(manager, start(manager, cell(source)), "SUCCEEDED").progress
    assert done is not None
    assert (done.done, done.total, done.message) == (1, 7, "mine")


@need("tqdm")
def test_a_command_is_followed_too(manager: JobManager, folder: Path) -> None:
    (folder / "on").touch()
    (folder / "train.py").write_text(BARS + "import sys; print(sys.path[1:3])")
    (folder / "sitecustomize.py").write_text("print('the own one ran')")
    spec = command(*(sys.executable, "train.py"), folder=str(folder), environment={"PYTHONPATH": str(folder)})
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (4, 4)
    said = log(manager, job)
    assert said.startswith("the own one ran\n")
    assert "jobs/site" not in said


@need("tqdm")
def test_a_notebook_s_kernel_is_followed(manager: JobManager, folder: Path) -> None:
    (folder / "on").touch()
    notebook = nbformat.v4.new_notebook()
    wanted = "import json, os\njson.load(open(os.environ['BLUENO_JOB_FOLDER'] + '/progress.json'))"
    late = "import jupyter_blueno; jupyter_blueno.log_metric('loss', 0.5)"
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in (BARS, wanted, late)]
    spec = JobSpec("notebook", source=nbformat.writes(notebook), folder=str(folder))
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    done = json.loads((JobFolder.of(manager.config, job.id).path / "notebook.ipynb").read_text())
    (result,) = done["cells"][1]["outputs"]
    assert "data" in result
    assert curves(manager, job)["loss"].values == [0.5]


@need("tqdm")
@pytest.mark.parametrize("name", ["BLUENO_FOLLOW=0", "RANK=1"])
def test_it_can_be_left_out(manager: JobManager, folder: Path, name: str) -> None:
    (folder / "on").touch()
    variable, _, value = name.partition("=")
    spec = cell(BARS, folder=str(folder), environment={variable: value})
    assert wait(manager, start(manager, spec), "SUCCEEDED").progress is None


def test_trouble_of_ours_is_not_the_work_s(manager: JobManager, folder: Path) -> None:
    (folder / "tqdm").mkdir()
    (folder / "tqdm" / "__init__.py").write_text("from tqdm.std import tqdm")
    (folder / "tqdm" / "std.py").write_text("def tqdm(values): return values  # another one's")
    source = "from tqdm import tqdm\nprint(sum(tqdm(range(4))))"
    job = wait(manager, start(manager, cell(source, folder=str(folder))), "SUCCEEDED")
    said, printed = log(manager, job).splitlines()
    assert said.startswith("blueno: tqdm cannot be followed (AttributeError")
    assert printed == "6"


@pytest.mark.slow
@need("keras")
@need("tensorflow")
def test_keras_tells_epochs_and_checkpoints_and_logs_tensors(manager: JobManager, folder: Path) -> None:
    source = """
import keras, numpy as np
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
x, y = np.random.rand(64, 4), np.random.rand(64)
saver = keras.callbacks.ModelCheckpoint("model.keras")
board = keras.callbacks.TensorBoard("board")
for _ in range(2):
    model.fit(x, y, epochs=3, batch_size=16, validation_split=0.25, callbacks=[saver, board], verbose=0)
model.evaluate(x, y, verbose=0)
import jupyter_blueno as blueno, tensorflow as tf
blueno.log_metric("tensor", tf.constant(0.5))
with tf.summary.create_file_writer("own").as_default():
    tf.summary.scalar("mine", 0.5, step=1)
"""
    job = wait(manager, start(manager, cell(source, folder=str(folder))), "SUCCEEDED")
    assert job.progress is not None
    assert (job.progress.done, job.progress.total, job.progress.message) == (9, 9, "epoch 3 of 3")
    found = curves(manager, job)
    assert set(found) == {"loss", "mae", "val_loss", "val_mae", "tensor"}
    assert found["tensor"].values == [0.5]
    assert found["loss"].steps == [0, 1, 2, 3, 4, 5]
    (kept,) = manager.record(ALICE, job.id).checkpoints()
    assert (kept.path, kept.step) == (str(folder / "model.keras"), 5)
    places = boards.logged(JobFolder.of(manager.config, job.id))
    assert places == [folder / "board", folder / "own"]
    assert "blueno:" not in log(manager, job)


@need("mlflow")
def test_mlflow_s_metrics_are_the_job_s(manager: JobManager, folder: Path) -> None:
    source = """
import mlflow
mlflow.set_tracking_uri("sqlite:///runs.db" if SQL else "file:./runs")
import jupyter_blueno as blueno
with mlflow.start_run():
    for n in range(3):
        mlflow.log_metric("counted", n)
        mlflow.log_metric("loss", 1 / (n + 1), step=10 * n)
        mlflow.log_metrics({"mine": n, "batch": 2 * n}, step=n)
        blueno.log_metric("mine", -n)
    print(mlflow.active_run().info.run_id)
"""
    sql = importlib.util.find_spec("flask") is not None  # with mlflow-skinny there are only files
    spec = cell(
        source.replace("SQL", str(sql)), folder=str(folder), environment={"MLFLOW_ALLOW_FILE_STORE": "true"}
    )
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    found = curves(manager, job)
    assert (found["counted"].steps, found["counted"].values) == ([0, 1, 2], [0, 1, 2])
    assert found["loss"].steps == [0, 10, 20]
    assert found["batch"].values == [0, 2, 4]
    assert found["mine"].values == [0, 0, -1, -2]  # the first was MLflow's; then the work itself spoke
    assert "blueno:" not in log(manager, job)


TORCH = """
import torch, lightning.pytorch as pl
class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def loss(self, batch):
        x, y = batch
        return ((self.layer(x) - y) ** 2).mean()
    def training_step(self, batch, index):
        loss = self.loss(batch)
        self.log("train_loss", loss)
        self.log("mean_loss", loss, on_step=False, on_epoch=True)
        return loss
    def validation_step(self, batch, index):
        self.log("val_loss", self.loss(batch))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)
data = torch.utils.data.TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
loader = torch.utils.data.DataLoader(data, batch_size=8)
pl.Trainer(max_epochs=2, log_every_n_steps=4, accelerator="cpu").fit(Model(), loader, loader)
"""


@pytest.mark.slow
@need("lightning")
def test_lightning_tells_steps_and_checkpoints(manager: JobManager, folder: Path) -> None:
    job = wait(manager, start(manager, cell(TORCH, folder=str(folder))), "SUCCEEDED")
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (16, 16)
    found = curves(manager, job)
    assert found["train_loss"].steps == [4, 8, 12, 16]
    assert (found["mean_loss"].steps, found["val_loss"].steps) == ([8, 16], [8, 16])
    (kept,) = manager.record(ALICE, job.id).checkpoints()
    assert (kept.step, kept.path.endswith(".ckpt")) == (16, True)


HUGGING_FACE = """
import torch
from transformers import Trainer, TrainingArguments
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def forward(self, x, labels=None):
        logits = self.layer(x)
        return {"loss": ((logits - labels) ** 2).mean(), "logits": logits}
data = [{"x": torch.randn(4), "labels": torch.randn(1)} for _ in range(64)]
how = TrainingArguments("out", num_train_epochs=2, logging_steps=4, save_steps=8, report_to=[], use_cpu=True)
Trainer(Model(), how, train_dataset=data).train()
"""


@pytest.mark.slow
@need("transformers")
@need("accelerate")
def test_hugging_face_tells_steps_and_checkpoints(manager: JobManager, folder: Path) -> None:
    job = wait(manager, start(manager, cell(HUGGING_FACE, folder=str(folder))), "SUCCEEDED")
    assert job.progress is not None
    assert (job.progress.done, job.progress.total) == (16, 16)
    found = curves(manager, job)
    assert found["loss"].steps == [4, 8, 12, 16]
    assert [one.step for one in manager.record(ALICE, job.id).checkpoints()] == [16, 8]


@need("tqdm")
def test_blueno_is_there_for_every_python(manager: JobManager, folder: Path, tmp_path: Path) -> None:
    """Also for one that has nothing installed; a script of another environment logs as any does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    source = "import jupyter_blueno as blueno; print(blueno.log_metric('loss', 0.5))"
    spec = command(str(tmp_path / "bare" / "bin" / "python"), "-c", source, folder=str(folder))
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    assert log(manager, job) == "True\n"
    assert curves(manager, job)["loss"].values == [0.5]
