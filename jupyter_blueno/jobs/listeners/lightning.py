"""Lightning's `Trainer`: steps are progress, what modules log metrics, what it saves checkpoints."""

from __future__ import annotations

import sys

from jupyter_blueno.jobs import checkpoints, metrics, reporting
from jupyter_blueno.jobs.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def follow(module: Any) -> None:
    package = module.__name__.partition(".trainer.")[0]  # lightning.pytorch, or pytorch_lightning

    class Follower(sys.modules[f"{package}.callbacks"].Callback):  # type: ignore[misc]
        logged = -1

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                each, epochs = trainer.num_training_batches, trainer.max_epochs
                total = each * epochs if epochs and epochs > 0 and each != float("inf") else trainer.max_steps
                done = trainer.fit_loop.epoch_loop.total_batch_idx + 1
                words = f"epoch {trainer.current_epoch + 1}" + (
                    f" of {epochs}" if epochs and epochs > 0 else ""
                )
                known = int(total) if total and total > 0 else None
                reporting.progress_found(reporting.FRAMEWORK, int(done), known, words)
                if (
                    trainer.global_step != self.logged
                    and trainer.global_step % trainer.log_every_n_steps == 0
                ):
                    self.logged = trainer.global_step
                    self.tell(trainer, trainer.logged_metrics)

        def on_validation_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                if not trainer.sanity_checking:
                    self.tell(trainer, trainer.callback_metrics)

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                self.tell(trainer, trainer.callback_metrics)

        def tell(self, trainer: Any, values: Any) -> None:
            """Each metric once a step."""
            fresh = {
                name: value
                for name, value in values.items()
                if name != "epoch" and self.told.get(name) != trainer.global_step
            }
            self.told |= dict.fromkeys(fresh, trainer.global_step)
            metrics.log_found("lightning", fresh, trainer.global_step)

        def __init__(self) -> None:
            super().__init__()
            self.told: dict[str, int] = {}

    def add(self: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "is_global_zero", True):
            self.callbacks.append(Follower())

    def note(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "is_global_zero", True):
            checkpoints.note(str(filepath), self.global_step)

    after(module.Trainer, "__init__", "lightning", add)
    after(module.Trainer, "save_checkpoint", "lightning", note)
