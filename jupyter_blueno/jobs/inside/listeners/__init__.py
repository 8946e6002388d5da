"""Progress, metrics and checkpoints that frameworks tell of by themselves. Standard library only.

In a job's process each framework is followed by a small module of ours, from
the moment it is imported; where it is not, that costs nothing. Trouble of ours
is told once in the log and never reaches the work. ``BLUENO_FOLLOW=0`` in the
job's environment leaves all of it out.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

# The module whose import is waited for → ours, whose `follow` is called with it.
WATCHED = {
    "tqdm.std": "tqdm",
    "keras.src.callbacks.callback_list": "keras",
    "keras.src.callbacks.model_checkpoint": "keras",
    "tf_keras.src.callbacks": "keras",
    "lightning.pytorch.trainer.trainer": "lightning",
    "pytorch_lightning.trainer.trainer": "lightning",
    "transformers.trainer": "huggingface",
    "mlflow.tracking.client": "mlflow",
    "mlflow.tracking.fluent": "mlflow",
    "torch.utils.tensorboard.writer": "tensorboard",
    "tensorboardX.writer": "tensorboard",
    "tensorboard.summary.writer.event_file_writer": "tensorboard",
    "keras.src.callbacks.tensorboard": "tensorboard",
    "tensorflow.python.ops.summary_ops_v2": "tensorboard",
    "torch.serialization": "saving",
    "safetensors.torch": "saving",
    "h5py._hl.files": "saving",
    "SimpleITK.extra": "saving",
}

_troubled: set[str] = set()


def install() -> None:
    """Follow what will be imported; of several equal processes only the first tells."""
    ranks = {os.environ.get(name) or "0" for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID")}
    if os.environ.get("BLUENO_FOLLOW") == "0" or ranks != {"0"} or not os.environ.get("BLUENO_JOB_FOLDER"):
        return
    from jupyter_blueno.jobs.inside.afterimport import AfterImport

    AfterImport({name: _follower(ours) for name, ours in WATCHED.items()}).install()


def _follower(ours: str) -> Callable[[ModuleType], object]:
    def follow(module: ModuleType) -> None:
        with guarded(ours):
            from importlib import import_module

            import_module(f"jupyter_blueno.jobs.inside.listeners.{ours}").follow(module)

    return follow


class guarded:  # noqa: N801 - it reads as a word of the language
    """Leave a block quietly, and say once in the log that `what` cannot be followed."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        if self.what not in _troubled:
            _troubled.add(self.what)
            print(f"blueno: {self.what} cannot be followed ({kind.__name__}: {error}).", file=sys.stderr)
        return True


def after(owner: Any, name: str, what: str, then: Callable[..., object]) -> None:
    """Have `then` called after a method, with its arguments; the method's own value is returned."""
    from functools import wraps

    method = getattr(owner, name)

    @wraps(method)
    def both(*args: Any, **kwargs: Any) -> Any:
        value = method(*args, **kwargs)
        with guarded(what):
            then(*args, **kwargs)
        return value

    setattr(owner, name, both)
