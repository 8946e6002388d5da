"""Keras' `fit`: batches are progress, an epoch's logs metrics; what `ModelCheckpoint` saves, checkpoints."""

from __future__ import annotations

import os
import time

from jupyter_blueno.jobs.inside import checkpoints, metrics, reporting
from jupyter_blueno.jobs.inside.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_next_step = 0  # over all calls of `fit`: each of them counts its epochs from 0


def follow(module: Any) -> None:
    if hasattr(module, "ModelCheckpoint"):
        _follow_checkpoints(module.ModelCheckpoint)
    if not hasattr(module, "CallbackList"):
        return

    class Follower(module.Callback):  # type: ignore[misc]
        async_safe = True

        def on_train_begin(self, logs: Any = None) -> None:
            self.epochs = self.params.get("epochs")
            self.steps = self.params.get("steps")
            self.epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.steps and self.epochs:
                with guarded("keras"):
                    done = self.epoch * self.steps + batch + 1
                    self.tell(min(done, self.epochs * self.steps), self.epochs * self.steps)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            global _next_step
            with guarded("keras"):
                step = max(epoch, _next_step)
                _next_step = step + 1
                metrics.log_found("keras", logs or {}, step)
                if self.epochs:
                    each = self.steps or 1
                    self.tell((epoch + 1) * each, self.epochs * each)

        def tell(self, done: int, total: int) -> None:
            words = f"epoch {self.epoch + 1} of {self.epochs}"
            reporting.progress_found(reporting.FRAMEWORK, done, total, words)

    def add(self: Any, *args: Any, **kwargs: Any) -> None:
        follower = Follower()
        follower.set_params(getattr(self, "params", None) or {})
        self.callbacks.append(follower)

    after(module.CallbackList, "__init__", "keras", add)


def _follow_checkpoints(kind: Any) -> None:
    if not hasattr(kind, "_save_model"):
        return

    def note(self: Any, epoch: int, batch: Any, logs: Any) -> None:
        path = self._get_file_path(epoch, batch, logs)
        if os.path.exists(path) and time.time() - os.stat(path).st_mtime < 60:
            checkpoints.note(path, max(epoch, _next_step))  # we are told of the epoch later

    after(kind, "_save_model", "keras", note)
