"""Where event files for TensorBoard are written: a line of the job's folder for each place."""

from __future__ import annotations

import os

from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.inside.listeners import after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE = "tensorboard.txt"

_noted: set[str] = set()


def follow(module: Any) -> None:
    if hasattr(module, "SummaryWriter"):  # of PyTorch, and tensorboardX
        after(module.SummaryWriter, "__init__", "tensorboard", _of_writer)
    if hasattr(module, "EventFileWriter"):  # TensorBoard's own
        after(module.EventFileWriter, "__init__", "tensorboard", _of_file_writer)
    if hasattr(module, "TensorBoard"):  # of Keras
        after(module.TensorBoard, "__init__", "tensorboard", _of_callback)
    if hasattr(module, "create_file_writer_v2"):  # tf.summary.create_file_writer
        after(module, "create_file_writer_v2", "tensorboard", _note)


def _of_writer(writer: Any, *args: Any, **kwargs: Any) -> None:
    _note(getattr(writer, "log_dir", None) or getattr(writer, "logdir", None))


def _of_file_writer(writer: Any, *args: Any, **kwargs: Any) -> None:
    _note(writer.get_logdir())


def _of_callback(callback: Any, *args: Any, **kwargs: Any) -> None:
    _note(callback.log_dir)


def _note(place: Any, *args: Any, **kwargs: Any) -> None:
    folder = reporting.folder()
    if folder is None or not isinstance(place, str | os.PathLike):
        return
    path = os.path.abspath(os.fspath(place))
    if path in _noted or any(path.startswith(os.path.join(one, "")) for one in _noted) or "\n" in path:
        return
    _noted.add(path)
    with open(os.path.join(folder, FILE), "ab", buffering=0) as file:
        file.write(f"{path}\n".encode())
